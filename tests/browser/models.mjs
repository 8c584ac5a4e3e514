// The models and cases that every surface must agree on; see `tests/conformance`.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
const conformance = join(here, "..", "conformance");

/** The models with the precisions of their weights, `[model, precision]`. */
export const MODELS = readdirSync(join(conformance, "expected")).map((file) => file.split(".").slice(0, 2));

/** The folder of a model. */
export function modelFolder(name = "bert") {
  return join(conformance, "models", name);
}

/** The texts. */
export function cases() {
  return json("cases.json");
}

/** The entities of each case. */
export function expected(model, precision) {
  return json(`expected/${model}.${precision}.json`);
}

function json(name) {
  return JSON.parse(readFileSync(join(conformance, name), "utf8"));
}
