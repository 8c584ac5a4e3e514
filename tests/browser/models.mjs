// The models and cases that every surface must agree on; see `tests/conformance`.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
const conformance = join(here, "..", "conformance");

const ALL = ["f32", "f16", "q8"];
/** The models, with the precisions of their weights; those that differ by their head have one. */
export const MODELS = {
  bert: ALL,
  roberta: ALL,
  tagger: ["q8"],
  crf: ["q8"],
  "span-classifier": ["q8"],
  "two-stage": ["q8"],
  "two-stage-features": ["q8"],
};

/** The folder of one of `MODELS`. */
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
