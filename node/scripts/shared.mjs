// Copies what this package has in common with the browser's: types and the highlighter.

import { cpSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { highlightCss } from "../../wasm/js/highlight.js";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
for (const name of ["api.d.ts", "highlight.d.ts", "highlight.js", "highlight"]) {
  cpSync(at(`../../wasm/js/${name}`), at(`../js/${name}`), { recursive: true });
}
writeFileSync(at("../js/highlight.css"), highlightCss);
