// Which model, with which weights: two lists and a button that opens a folder.

import { chosenFolder } from "./folder.js";
import { bytes } from "./format.js";
import { ownModel } from "./models.js";

/** @typedef {import("innerspan").Precision} Precision */
/** @typedef {import("./models.js").Model} Model */

/**
 * @param {{ model: HTMLSelectElement, precision: HTMLSelectElement, open: HTMLElement, folder: HTMLInputElement }} parts
 * @param {(model: Model, precision: Precision) => Promise<boolean>} onChoose false where the choice came to nothing
 * @param {(error: unknown) => void} onProblem
 */
export function createChooser({ model: list, precision: weights, open, folder }, onChoose, onProblem) {
  /** @type {Model[]} */
  const models = [];

  /** @param {Model} model */
  const add = (model) => {
    models.push(model);
    list.append(new Option(model.name));
  };

  /** @type {[Model, Precision] | undefined} what is in use */
  let current;
  let choices = 0;

  /** @param {Model} model @param {Precision} precision */
  const show = (model, precision) => {
    list.selectedIndex = models.indexOf(model);
    const offered = Object.entries(model.weights);
    weights.hidden = offered.length < 2;
    weights.replaceChildren(
      ...offered.map(([name, size]) => new Option(`${name}, ${bytes(size)}`, name, false, name === precision)),
    );
  };

  /** @param {Model} model @param {Precision} [precision] */
  const choose = async (model, precision = /** @type {Precision} */ (Object.keys(model.weights)[0] ?? "f32")) => {
    if (!models.includes(model)) add(model);
    show(model, precision);
    const choice = ++choices;
    const used = await onChoose(model, precision);
    if (used) current = [model, precision];
    else if (current && choice === choices) show(...current);
  };

  list.addEventListener("change", () => choose(models[list.selectedIndex]));
  weights.addEventListener("change", () => {
    choose(models[list.selectedIndex], /** @type {Precision} */ (weights.value));
  });
  open.addEventListener("click", () => folder.click());
  folder.addEventListener("change", () => {
    const files = folder.files;
    if (!files?.length) return;
    try {
      choose(ownModel(chosenFolder(files)));
    } catch (error) {
      onProblem(error);
    }
    folder.value = ""; // so that the same folder can be chosen again
  });

  return { add, choose };
}
