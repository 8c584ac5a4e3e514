// Arguments from outside, looked at before anything is done with them.

import { InnerspanError, MAX_TEXT_LENGTH } from "./errors.js";

/** @param {string} message */
const refuse = (message) => new InnerspanError("input", message);

/**
 * Refuses what is no text; the length comes first, because all else takes time that grows with it.
 * @param {unknown} text
 * @param {string} name how messages call it
 */
export function checkText(text, name) {
  if (typeof text !== "string") throw refuse(`${name} must be a string, not ${kind(text)}`);
  if (text.length > MAX_TEXT_LENGTH) {
    const message = `${name} has ${text.length} UTF-16 units; ${MAX_TEXT_LENGTH} is the most: split it`;
    throw new InnerspanError("too-long", message);
  }
  if (!text.isWellFormed()) {
    const at = text.search(/\p{Surrogate}/u);
    throw refuse(`${name} has a lone surrogate at ${at}: repair it, for example with toWellFormed()`);
  }
}

/**
 * The options of `extract` and `extractBatch`.
 * @param {unknown} options
 * @returns {import("./api.js").ExtractOptions}
 */
export function checkExtractOptions(options) {
  const { threshold, ...rest } = checkCommon(options, ["threshold"]);
  if (threshold !== undefined && !(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
    throw refuse(`threshold must be a number from 0 to 1, not ${kind(threshold)}`);
  }
  return { threshold, ...rest };
}

/**
 * The options of `load`.
 * @param {unknown} options
 * @returns {import("./api.js").LoadOptions}
 */
export function checkLoadOptions(options) {
  const { device, precision, ...rest } = checkCommon(options, ["device", "precision"]);
  return {
    device: oneOf("device", device ?? "auto", /** @type {const} */ (["auto", "cpu", "wgpu"])),
    precision: oneOf("precision", precision ?? "f32", /** @type {const} */ (["f32", "f16", "q8"])),
    ...rest,
  };
}

/**
 * @param {unknown} options
 * @param {string[]} others options that are not common to all calls
 * @returns {Record<string, any>}
 */
function checkCommon(options = {}, others) {
  if (typeof options !== "object" || options === null) throw refuse(`options must be an object, not ${kind(options)}`);
  const known = ["signal", "onProgress", ...others];
  const stranger = Object.keys(options).find((name) => !known.includes(name));
  if (stranger !== undefined) throw refuse(`there is no option "${stranger}": use ${known.join(", ")}`);
  const given = /** @type {Record<string, unknown>} */ (options);
  const { signal, onProgress } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuse(`signal must be an AbortSignal, not ${kind(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw refuse(`onProgress must be a function, not ${kind(onProgress)}`);
  }
  return { ...given };
}

/**
 * @template {string} T
 * @param {string} name
 * @param {unknown} value
 * @param {readonly T[]} choices
 */
function oneOf(name, value, choices) {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw refuse(`${name} must be one of ${choices.join(", ")}, not ${kind(value)}`);
  return found;
}

/**
 * What a value is, for messages; never the whole of it.
 * @param {unknown} value
 */
export function kind(value) {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || ["undefined", "number", "boolean"].includes(typeof value)) return String(value);
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
