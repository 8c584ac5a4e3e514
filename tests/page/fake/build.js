// Builds the page with the stand-in for the recognizer, into tests/page/built.

import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const root = file("../../../www/");
/** Where the page lies when it is built. */
export const BUILT = file("../built/");

/** Two models, the second with several weights. */
export const MODELS = [
  { folder: "demo", name: "Harbour", weights: { f32: 3_000_000 }, examples: "harbour" },
  { folder: "other", name: "Other", weights: { q8: 1_000_000, f32: 4_000_000 }, examples: "biomedicine" },
];

export async function buildWithFake() {
  const { build } = await import(pathToFileURL(createRequire(`${root}package.json`).resolve("vite")).href);
  const js = (name) => file(`../../../wasm/js/${name}.js`);
  await build({
    root,
    configFile: `${root}vite.config.js`,
    logLevel: "error",
    publicDir: false,
    build: { outDir: BUILT, emptyOutDir: true },
    resolve: {
      alias: {
        "innerspan/worker": file("./worker.js"),
        "innerspan/highlight": js("highlight"),
        "innerspan/innerspan-text": js("innerspan-text"),
      },
    },
  });
  await mkdir(`${BUILT}models`, { recursive: true });
  await writeFile(`${BUILT}models/index.json`, JSON.stringify({ models: MODELS }));
  for (const name of ["icon.svg", "manifest.webmanifest"]) await writeFile(`${BUILT}${name}`, "{}");
}
