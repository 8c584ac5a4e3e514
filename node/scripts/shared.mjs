// Copies what this package has in common with the browser's: types and the highlighter.

import { copyFileSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
for (const file of ["api.d.ts", "highlight.d.ts", "highlight.js", "highlight.css"]) {
  const origin = at(`../../wasm/js/${file}`);
  if (existsSync(origin)) copyFileSync(origin, at(`../js/${file}`));
}
