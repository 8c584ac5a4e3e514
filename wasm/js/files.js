/** @import { Precision, Progress } from "./api.js" */
/** @import { Folder, Opened } from "./source.js" */

const CONFIG = "config.json";
const WEIGHTS = {
  f32: "model.safetensors",
  f16: "model.f16.safetensors",
  q8: "model.q8.safetensors",
};

/**
 * Reads the files of a model that a precision needs.
 * @param {Folder} folder
 * @param {Precision} precision
 * @param {(progress: Progress) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, Uint8Array>>}
 */
export async function readModel(folder, precision, onProgress, signal) {
  // the first failure stops all others
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  try {
    const rest = [tokenizer, weights].map((part) => part(folder, precision, either));
    // an ensemble has neither; those of a single model are asked for before it is known to be one
    const single = Promise.all(rest);
    single.catch(() => {});
    const config = await configuration(folder, either);
    const members = membersOf(config);
    const parts =
      members.length === 0
        ? await single
        : await Promise.all(members.map((name) => member(folder, name, precision, either)));
    const files = new Map([[CONFIG, inMemory(config)], ...parts.flat()]);
    return await readAll(files, onProgress, either);
  } catch (error) {
    failure.abort(error);
    signal.throwIfAborted();
    throw error;
  }
}

/** @typedef {[name: string, file: Opened][]} Part */

/**
 * @param {Folder} folder
 * @param {AbortSignal} signal
 */
async function configuration(folder, signal) {
  const file = await folder.open(CONFIG, signal);
  if (!file) throw folder.missing(CONFIG, "give the folder that `innerspan train` wrote");
  return file.read(() => {});
}

/**
 * The folders of an ensemble; none for a single model. What is wrong with the configuration, core says.
 * @param {Uint8Array} config
 * @returns {string[]}
 */
function membersOf(config) {
  try {
    const { members, classifier } = JSON.parse(new TextDecoder().decode(config)).innerspan.ensemble;
    const names = classifier === undefined ? members : [...members, classifier];
    return names.filter((/** @type {unknown} */ name) => typeof name === "string" && /^[\w-][\w.-]*$/.test(name));
  } catch {
    return [];
  }
}

/**
 * The files of a folder inside, each with its path.
 * @param {Folder} folder
 * @param {string} name
 * @param {Precision} precision
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
async function member(folder, name, precision, signal) {
  const inside = {
    open: (/** @type {string} */ file) => folder.open(`${name}/${file}`, signal),
    missing: (/** @type {string} */ file, /** @type {string} */ advice) => folder.missing(`${name}/${file}`, advice),
  };
  const [config, ...rest] = await Promise.all([
    inside.open(CONFIG),
    tokenizer(inside, precision, signal),
    weights(inside, precision, signal),
  ]);
  if (!config) throw inside.missing(CONFIG, "the ensemble's config.json lists it");
  /** @type {Part} */
  const files = [[CONFIG, config], ...rest.flat()];
  return files.map(([file, opened]) => [`${name}/${file}`, opened]);
}

/**
 * @param {Uint8Array} bytes
 * @returns {Opened}
 */
function inMemory(bytes) {
  const read = async (/** @type {(count: number) => void} */ onBytes) => {
    onBytes(bytes.length);
    return bytes;
  };
  return { size: bytes.length, read };
}

/**
 * @param {Folder} folder
 * @param {Precision} _
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
async function tokenizer(folder, _, signal) {
  const name = "tokenizer.json";
  const file = await folder.open(name, signal);
  if (file) return [[name, file]];
  const older = ["vocab.txt", "tokenizer_config.json"];
  const [vocabulary, settings] = await Promise.all(older.map((name) => folder.open(name, signal)));
  if (!vocabulary) throw folder.missing(name, "a model needs its tokenizer");
  return [[older[0], vocabulary], ...(settings ? [/** @type {Part[0]} */ ([older[1], settings])] : [])];
}

/**
 * @param {Folder} folder
 * @param {Precision} precision
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
async function weights(folder, precision, signal) {
  const name = WEIGHTS[precision];
  const file = await folder.open(name, signal);
  if (file) return [[name, file]];
  if (precision !== "f32") {
    throw folder.missing(
      name,
      `write it with \`innerspan quantize --precision ${precision}\`, or load with the precision f32`,
    );
  }
  const index = `${name}.index.json`;
  const list = await folder.open(index, signal);
  if (!list) throw folder.missing(name, "a model needs its weights");
  const bytes = await list.read(() => {});
  const shards = await Promise.all(
    shardNames(bytes).map(async (shard) => {
      const file = await folder.open(shard, signal);
      if (!file) throw folder.missing(shard, `${index} lists it`);
      return /** @type {Part[0]} */ ([shard, file]);
    }),
  );
  return [[index, inMemory(bytes)], ...shards];
}

/**
 * The files that an index of shards lists; what is wrong with the index, core says.
 * @param {Uint8Array} index
 */
function shardNames(index) {
  try {
    const names = Object.values(JSON.parse(new TextDecoder().decode(index)).weight_map);
    return [...new Set(names.filter((name) => typeof name === "string" && /^[\w-][\w.-]*$/.test(name)))].map(String);
  } catch {
    return [];
  }
}

/**
 * @param {Map<string, Opened>} files
 * @param {(progress: Progress) => void} onProgress
 * @param {AbortSignal} signal
 */
async function readAll(files, onProgress, signal) {
  const sizes = [...files.values()].map((file) => file.size);
  const known = sizes.every((size) => size > 0) ? sizes.reduce((sum, size) => sum + size, 0) : 0;
  let loaded = 0;
  const read = async (/** @type {[string, Opened]} */ [name, file]) => {
    const bytes = await file.read((count) => {
      signal.throwIfAborted();
      loaded += count;
      onProgress({ stage: "load", file: name, loaded, total: loaded <= known ? known : 0 });
    });
    return /** @type {[string, Uint8Array]} */ ([name, bytes]);
  };
  return new Map(await Promise.all([...files].map(read)));
}
