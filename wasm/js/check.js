/** @import { Device, DeviceChoice, ExtractOptions, LoadOptions, Precision } from "./api.js" */
import { InnerspanError } from "./errors.js";

export const MAX_TEXT_LENGTH = 1_000_000;

/** @type {readonly DeviceChoice[]} */
const DEVICES = ["auto", "cpu", "wgpu"];
/** @type {readonly Precision[]} */
const PRECISIONS = ["f32", "f16", "q8"];

/**
 * The options of `load` with their defaults.
 * @param {unknown} options
 * @returns {LoadOptions & { device: DeviceChoice, precision: Precision }}
 */
export function loadOptions(options) {
  const given = common(options, "load");
  const device = given.device ?? "auto";
  const precision = given.precision ?? "f32";
  oneOf(device, DEVICES, "device");
  oneOf(precision, PRECISIONS, "precision");
  return { ...given, device, precision };
}

/**
 * @param {unknown} options
 * @returns {ExtractOptions}
 */
export function extractOptions(options) {
  const given = common(options, "extract");
  const { threshold } = given;
  if (threshold !== undefined && !(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
    throw input(`threshold is ${show(threshold)}; give a probability from 0 to 1`);
  }
  return given;
}

/**
 * The texts of `extractBatch`, each of which the model can be given.
 * @param {unknown} texts
 * @returns {string[]}
 */
export function checkTexts(texts) {
  if (!Array.isArray(texts)) throw input(`the texts are ${show(texts)}; give an array of strings`);
  for (const [index, text] of texts.entries()) checkText(text, texts.length === 1 ? "the text" : `text ${index}`);
  return [...texts];
}

/**
 * @param {unknown} text
 * @param {string} name
 */
function checkText(text, name) {
  if (typeof text !== "string") throw input(`${name} is ${show(text)}; give a string`);
  if (text.length > MAX_TEXT_LENGTH) {
    const limit = MAX_TEXT_LENGTH.toLocaleString("en");
    const length = text.length.toLocaleString("en");
    throw new InnerspanError("too-long", `${name} has ${length} UTF-16 units, more than ${limit}; split it`);
  }
  const at = loneSurrogate(text);
  if (at >= 0) {
    const code = text.charCodeAt(at).toString(16).toUpperCase();
    throw input(`${name} has half a character (lone surrogate U+${code}) at ${at}; mend it, such as by toWellFormed()`);
  }
}

/** @param {string} text */
function loneSurrogate(text) {
  return text.search(/\p{Surrogate}/u);
}

/**
 * @param {unknown} options
 * @param {string} of
 * @returns {any}
 */
function common(options, of) {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) {
    throw input(`the options of ${of} are ${show(options)}; give an object`);
  }
  const { onProgress, signal } = /** @type {any} */ (options);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw input(`onProgress is ${show(onProgress)}; give a function`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw input(`signal is ${show(signal)}; give the signal of an AbortController`);
  }
  return { ...options };
}

/**
 * @param {unknown} value
 * @param {readonly string[]} values
 * @param {string} name
 */
function oneOf(value, values, name) {
  if (!values.includes(/** @type {any} */ (value))) {
    throw input(`${name} is ${show(value)}; use ${values.slice(0, -1).join(", ")} or ${values.at(-1)}`);
  }
}

/** @param {string} message */
export function input(message) {
  return new InnerspanError("input", message);
}

/** @param {unknown} value */
export function show(value) {
  if (typeof value === "string") return value.length > 40 ? `"${value.slice(0, 40)}…"` : `"${value}"`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}
