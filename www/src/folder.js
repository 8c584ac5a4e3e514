// The files of a folder that was chosen or dropped.

/** What a model consists of; the rest of its folder is left alone. */
const WANTED = /^(config\.json|tokenizer\.json|model(\.f16|\.q8)?\.safetensors)$/;
/** A folder that goes deeper, or has more in it, is not that of a model. */
const DEPTH = 4;
const MOST_FILES = 2000;

/** @typedef {{ path: string, file: File }} Found */
/** @typedef {{ name: string, files: Map<string, File> }} ModelFolder */

/** @param {FileList} files of an input that takes folders @returns {ModelFolder} */
export function chosenFolder(files) {
  return model([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/**
 * What was dropped: a text, or else a model. Must be called while the event is handled.
 *
 * @param {DataTransfer} data
 * @returns {Promise<{ text: string } | ModelFolder>}
 */
export async function dropped(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null);
  const loose = [...data.files];
  if (loose.length === 1 && !entries.some((entry) => entry?.isDirectory) && !WANTED.test(loose[0].name)) {
    return { text: await readText(loose[0]) };
  }
  /** @type {Found[]} */
  const found = [];
  for (const entry of entries) if (entry) await collect(entry, found, 0);
  return model(found.length > 0 ? found : loose.map((file) => ({ path: file.name, file })));
}

/** @param {File} file */
async function readText(file) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new TypeError(`${file.name} is not a text in UTF-8. Drop a .txt file, or the folder of a model.`);
  }
}

/** @param {FileSystemEntry} entry @param {Found[]} found @param {number} depth */
async function collect(entry, found, depth) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => {
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
    });
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  if (depth === DEPTH || found.length > MOST_FILES) return;
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} a part of them; empty when there are no more */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const inner of entries) await collect(inner, found, depth + 1);
  }
}

/** The files beside the topmost config.json. @param {Found[]} found @returns {ModelFolder} */
function model(found) {
  const folderOf = (/** @type {string} */ path) => path.slice(0, path.lastIndexOf("/") + 1);
  const depth = (/** @type {string} */ path) => path.split("/").length;
  const configs = found.filter(({ file }) => file.name === "config.json").sort((a, b) => depth(a.path) - depth(b.path));
  if (configs.length === 0) {
    throw new TypeError(
      "There is no config.json in it. Choose the folder that innerspan train wrote: it holds config.json, tokenizer.json and model.safetensors.",
    );
  }
  const folder = folderOf(configs[0].path);
  const files = found.filter(({ path, file }) => folderOf(path) === folder && WANTED.test(file.name));
  const name = folder.split("/").at(-2) ?? "Your model";
  return { name, files: new Map(files.map(({ file }) => [file.name, file])) };
}
