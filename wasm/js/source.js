/** @import { ModelFiles, Source } from "./index.js" */
import { input, show } from "./check.js";
import { LocalFolder } from "./local.js";
import { RemoteFolder } from "./remote.js";

/**
 * A file of a model that is there.
 * @typedef {object} Opened
 * @property {number} size Bytes; 0 while unknown.
 * @property {(onBytes: (count: number) => void) => Promise<Uint8Array>} read Can be called once.
 */

/**
 * Where the files of a model lie.
 * @typedef {object} Folder
 * @property {(name: string, signal: AbortSignal) => Promise<Opened | undefined>} open Nothing where there is no such file.
 * @property {(name: string, advice: string) => Error} missing The error that says that a file is needed.
 */

/**
 * @param {Source} source
 * @returns {Folder}
 */
export function openSource(source) {
  if (typeof source === "string" || source instanceof URL) return new RemoteFolder(baseUrl(String(source)));
  if (typeof source !== "object" || source === null) throw refuse(source);
  if (isIterable(source)) {
    const files = [...source];
    if (files.every((file) => file instanceof File)) return new LocalFolder(byName(files));
    if (files.every((entry) => Array.isArray(entry))) return new LocalFolder(new Map(files));
    throw refuse(source);
  }
  const entries = Object.entries(source);
  if (entries.length === 0) throw refuse(source);
  return new LocalFolder(new Map(entries));
}

/** @param {unknown} source */
function refuse(source) {
  const what = typeof source === "object" && source !== null ? "nothing that holds files" : show(source);
  return input(`the source is ${what}; give a URL, the files of a model folder, or an object from names to files`);
}

/** The folder's address, ending in a slash. Addresses of Hugging Face repositories become those of their files.
 * @param {string} source
 */
function baseUrl(source) {
  const short = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(source);
  if (short) return new URL(`https://huggingface.co/${short[1]}/resolve/${short[2] ?? "main"}/`);
  let url;
  try {
    url = new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch {
    throw input(`the source ${show(source)} is no address`);
  }
  if (!/^(https?|blob|data):$/.test(url.protocol) && !url.pathname.includes("/")) {
    throw input(`the source ${show(source)} is no address of a folder`);
  }
  url.hash = "";
  const repository = /^\/([^/]+\/[^/]+)(?:\/tree\/([^/]+))?\/?$/.exec(url.pathname);
  if (url.hostname === "huggingface.co" && repository) {
    url.pathname = `/${repository[1]}/resolve/${repository[2] ?? "main"}`;
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * @param {object} value
 * @returns {value is Iterable<any>}
 */
function isIterable(value) {
  return Symbol.iterator in value;
}

/** @type {(file: File, name: string) => [string, File]} */
const named = (file, name) => [name, file];

/**
 * Files by name, as a file dialogue or a dropped folder gives them; of two with one name, that nearer to the top. Those
 * of a folder inside also by path.
 * @param {File[]} files
 * @returns {Map<string, File>}
 */
function byName(files) {
  const depth = (/** @type {File} */ file) => file.webkitRelativePath.split("/").length;
  const inside = (/** @type {File} */ file) => file.webkitRelativePath.split("/").slice(1).join("/");
  const sorted = files.sort((a, b) => depth(b) - depth(a));
  return new Map([
    ...sorted.map((file) => named(file, file.name)),
    ...sorted.filter((file) => inside(file) !== "").map((file) => named(file, inside(file))),
  ]);
}
