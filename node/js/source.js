// Where a model comes from: a folder, the hub, the web, or memory.

import { fileURLToPath } from "node:url";

import { kind } from "./check.js";
import { InnerspanError } from "./errors.js";
import { fromMemory } from "./memory.js";
import { native } from "./native.js";
import { fromWeb } from "./web.js";

/** @typedef {import("./addon.d.ts").Load} Load */

/**
 * What loads the model of a source.
 * @param {unknown} source
 * @param {string} precision
 * @param {import("./call.js").Call} call
 * @returns {Promise<Load>}
 */
export async function openSource(source, precision, call) {
  if (typeof source === "string" && /^(file|https?):\/\//i.test(source)) return fromUrl(toUrl(source), precision, call);
  if (typeof source === "string") return named(source);
  if (source instanceof URL) return fromUrl(source, precision, call);
  if (source instanceof Map) return fromMemory(source, call);
  if (typeof source === "object" && source !== null && !Array.isArray(source)) {
    return fromMemory(new Map(Object.entries(source)), call);
  }
  throw new InnerspanError("input", `a model is a path, a URL, hf:ORG/NAME or its files by name, not ${kind(source)}`);
}

/**
 * @param {string} name a folder, or `hf:ORG/NAME`
 * @returns {Load}
 */
function named(name) {
  if (name === "" || name.includes("\0") || !name.isWellFormed()) {
    throw new InnerspanError("input", `${kind(name)} is no path of a folder`);
  }
  return (...rest) => native().load(name, ...rest);
}

/**
 * @param {URL} url
 * @param {string} precision
 * @param {import("./call.js").Call} call
 */
function fromUrl(url, precision, call) {
  if (url.protocol === "http:" || url.protocol === "https:") return fromWeb(url, precision, call);
  if (url.protocol === "file:") return named(toPath(url));
  throw new InnerspanError("input", `${url.protocol} is no address of a model: use file:, https: or a path`);
}

/** @param {string} text */
function toUrl(text) {
  try {
    return new URL(text);
  } catch (cause) {
    throw new InnerspanError("input", `${kind(text)} is no URL`, { cause });
  }
}

/** @param {URL} url */
function toPath(url) {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new InnerspanError("input", `${url} is no path of this machine`, { cause });
  }
}
