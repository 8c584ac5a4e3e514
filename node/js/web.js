// A model that a web server has.

import { InnerspanError } from "./errors.js";
import { Arriving } from "./memory.js";

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
  const names = ["config.json", "tokenizer.json", String(WEIGHTS.get(precision))];
  const responses = await Promise.all(names.map((name) => open(below(base, name), controller.signal)));
  const sizes = responses.map(sizeOf);
  const total = sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0);
  const files = new Arriving(call, total);
  for (const [index, response] of responses.entries()) {
    files.begin(names[index], sizes[index]);
    for await (const piece of pieces(response)) files.append(names[index], piece);
  }
  return files.end();
}

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
