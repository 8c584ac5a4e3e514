// The models and cases that every surface must agree on; see `tests/conformance`.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
const conformance = join(here, "..", "conformance");

/** A model folder: `bert` or `roberta` with all precisions, or that of a head with q8. */
export function modelFolder(name = "bert") {
  return join(conformance, "models", name);
}

/** Models that differ from `bert` by their head. */
export const HEADS = ["tagger", "crf", "span-classifier", "two-stage", "two-stage-features"];

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
