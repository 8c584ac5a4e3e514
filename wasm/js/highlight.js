// Highlighted text: nested entities as boxes inside each other.

import { draw } from "./highlight/draw.js";
import { attach, ensureTabStop } from "./highlight/interaction.js";
import { toHtml } from "./highlight/markup.js";
import { nest } from "./highlight/nesting.js";
import { palette } from "./highlight/palette.js";
import { shown } from "./highlight/shown.js";
import { adoptStyle } from "./highlight/style.js";

export { COLOURS } from "./highlight/palette.js";
export { highlightCss } from "./highlight/style.js";

/** @typedef {import("./api.js").Entity} Entity */
/** @typedef {import("./highlight.js").HighlightOptions} HighlightOptions */

/** @type {import("./highlight.js").highlight} */
export function highlight(element, entities, options = {}) {
  const root = /** @type {HTMLElement} */ (element);
  const text = options.text ?? element.textContent ?? "";
  const labels = order(entities, options);
  adoptStyle(element, labels);
  draw(root, text, shown(entities, options), palette(labels));
  attach(root);
  ensureTabStop(root);
}

/** @type {import("./highlight.js").highlightHtml} */
export function highlightHtml(text, entities, options = {}) {
  const slot = palette(order(entities, options));
  return nest(text, shown(entities, options))
    .map((piece) => toHtml(piece, slot))
    .join("");
}

/** Colours come from all entities, so that hiding a type does not change those of the others. */
function order(/** @type {readonly Entity[]} */ entities, /** @type {HighlightOptions} */ { labels }) {
  return labels ?? new Set(entities.map(({ label }) => label));
}
