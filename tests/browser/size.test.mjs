// The budget: what each build weighed when it was last looked at. `node size.test.mjs --write` takes the present weights.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { here, root } from "./models.mjs";

const dist = join(root, "wasm", "dist");
const budgetFile = join(here, "size.json");
/** How much a build may outgrow its budget. */
const LEEWAY = 1.05;
const BUILDS = ["cpu", "webgpu"];

/** What a page downloads to run a build: its program and all scripts of the package. */
function weigh(build) {
  const scripts = readdirSync(dist).filter((name) => name.endsWith(".js"));
  const files = [...scripts, `build/${build}.js`, `build/${build}.wasm`].map((name) => readFileSync(join(dist, name)));
  const sum = (weight) => files.reduce((sum, file) => sum + weight(file).length, 0);
  return {
    raw: sum((file) => file),
    gzip: sum((file) => gzipSync(file, { level: 9 })),
    brotli: sum((file) => brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } })),
  };
}

if (process.argv.includes("--write")) {
  const weights = Object.fromEntries(BUILDS.map((build) => [build, weigh(build)]));
  writeFileSync(budgetFile, `${JSON.stringify(weights, null, 2)}\n`);
  console.table(weights);
} else {
  const budget = JSON.parse(readFileSync(budgetFile, "utf8"));
  for (const build of BUILDS) {
    test(`the ${build} build has not outgrown its budget`, () => {
      assert.ok(budget[build], "no budget yet: node size.test.mjs --write");
      for (const [how, bytes] of Object.entries(weigh(build))) {
        const most = Math.floor(LEEWAY * budget[build][how]);
        assert.ok(
          bytes <= most,
          `${bytes} bytes (${how}), more than ${most}: shrink it, or raise size.json on purpose`,
        );
      }
    });
  }
}
