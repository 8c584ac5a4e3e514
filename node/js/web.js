// A model that a web server has.

import { InnerspanError } from "./errors.js";
import { Arriving } from "./memory.js";

const CONFIG = "config.json";
/** The most bytes that it may have. */
const MOST_CONFIG = 16 << 20;
/** What a folder of an ensemble can be called, so that it is below the ensemble's. */
const FOLDER = /^[\w-][\w.-]*$/;
const WEIGHTS = new Map([
  ["f32", "model.safetensors"],
  ["f16", "model.f16.safetensors"],
  ["q8", "model.q8.safetensors"],
]);

/**
 * Downloads the files of a model below `base` into memory.
 * @param {URL} base
 * @param {string} precision
 * @param {import("./call.js").Call} call
 * @returns {Promise<import("./addon.d.ts").Load>}
 */
export async function fromWeb(base, precision, call) {
  const controller = new AbortController();
  call.onEnd = () => controller.abort();
  const config = await whole(await open(below(base, CONFIG), controller.signal));
  const weights = String(WEIGHTS.get(precision));
  const members = membersOf(config).flatMap((member) =>
    [CONFIG, "tokenizer.json", weights].map((name) => member + name),
  );
  const names = members.length > 0 ? members : ["tokenizer.json", weights];
  const responses = await Promise.all(names.map((name) => open(below(base, name), controller.signal)));
  const sizes = responses.map(sizeOf);
  const total = sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, config.length);
  const files = new Arriving(call, total);
  files.begin(CONFIG, config.length);
  files.append(CONFIG, config);
  for (const [index, response] of responses.entries()) {
    files.begin(names[index], sizes[index]);
    for await (const piece of pieces(response)) files.append(names[index], piece);
  }
  return files.end();
}

/**
 * The folders of an ensemble, each with a slash; none for a single model. What is wrong with the configuration, the
 * library says.
 * @param {Uint8Array} config
 * @returns {string[]}
 */
function membersOf(config) {
  try {
    const { members, classifier } = JSON.parse(new TextDecoder().decode(config)).innerspan.ensemble;
    const names = classifier === undefined ? members : [...members, classifier];
    return names.filter((/** @type {unknown} */ name) => typeof name === "string" && FOLDER.test(name)).map(slashed);
  } catch {
    return [];
  }
}

/** @param {string} name */
const slashed = (name) => `${name}/`;

/**
 * @param {URL} base
 * @param {string} name
 */
function below(base, name) {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${name}`;
  return url;
}

/**
 * @param {URL} url
 * @param {AbortSignal} signal
 */
async function open(url, signal) {
  const response = await fetch(url, { signal }).catch((cause) => {
    throw failure(url, cause);
  });
  if (response.ok) return response;
  throw new InnerspanError("network", `${url}: HTTP ${response.status} ${response.statusText}`);
}

/**
 * All of a small file.
 * @param {Response} response
 */
async function whole(response) {
  const all = [];
  let bytes = 0;
  for await (const piece of pieces(response)) {
    all.push(piece);
    bytes += piece.length;
    if (bytes > MOST_CONFIG) throw new InnerspanError("file", `${response.url}: more than ${MOST_CONFIG} bytes`);
  }
  return new Uint8Array(Buffer.concat(all));
}

/** @param {Response} response */
async function* pieces(response) {
  try {
    yield* response.body ?? [];
  } catch (cause) {
    throw failure(response.url, cause);
  }
}

/**
 * @param {URL | string} url
 * @param {any} cause an error of `fetch`, which says why in its own cause
 */
function failure(url, cause) {
  return new InnerspanError("network", `${url}: ${cause?.cause?.message ?? cause?.message ?? cause}`, { cause });
}

/**
 * The size of a file, or 0 where the server does not say.
 * @param {Response} response
 */
function sizeOf(response) {
  const isPlain = response.headers.get("content-encoding") === null;
  return isPlain ? Number(response.headers.get("content-length") ?? 0) : 0;
}
