// The models that the tests run: one that the command line trains on its own corpus, in every precision.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const innerspan = process.env.INNERSPAN ?? join(target, "release", "innerspan");

/** Runs the command line. */
export function cli(...given) {
  return execFileSync(innerspan, given, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 });
}

/** A folder with all precisions; `INNERSPAN_TEST_MODEL` names the model to take in place of one trained here. */
export function modelFolder() {
  const folder = join(here, ".models", "demo");
  if (!existsSync(join(folder, "model.safetensors"))) {
    mkdirSync(dirname(folder), { recursive: true });
    if (process.env.INNERSPAN_TEST_MODEL) cpSync(process.env.INNERSPAN_TEST_MODEL, folder, { recursive: true });
    else cli("demo", "--out", folder);
  }
  for (const precision of ["f16", "q8"]) {
    if (!existsSync(join(folder, `model.${precision}.safetensors`))) {
      cli("quantize", "--model", folder, "--precision", precision);
    }
  }
  return folder;
}
