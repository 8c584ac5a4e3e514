// The models that can be chosen: those that come with the page, and folders that were opened.

/** @typedef {import("innerspan").Precision} Precision */
/** @typedef {import("innerspan").Source} Source */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {Source} source
 * @property {Partial<Record<Precision, number>>} weights bytes by precision, the best choice first
 * @property {string} [examples] which examples suit it
 */

/** The names of the weights in a folder. @type {Record<Precision, string>} */
const FILES = { q8: "model.q8.safetensors", f16: "model.f16.safetensors", f32: "model.safetensors" };

/** The models that lie beside the page, as `npm run models` lists them. @returns {Promise<Model[]>} */
export async function builtIn() {
  const response = await fetch("./models/index.json");
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !type.includes("json")) return [];
  const { models } = await response.json();
  return models.map((/** @type {any} */ model) => ({ ...model, source: `./models/${model.folder}/` }));
}

/** A folder as a model; all weights are there, so those that were trained come first. */
export function ownModel(/** @type {import("./folder.js").ModelFolder} */ { name, files }) {
  /** @type {Model["weights"]} */
  const weights = {};
  for (const precision of /** @type {Precision[]} */ (["f32", "f16", "q8"])) {
    const file = files.get(FILES[precision]);
    if (file) weights[precision] = file.size;
  }
  return { name, source: files, weights };
}
