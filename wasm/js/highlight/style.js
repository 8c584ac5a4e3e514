// The style sheet of highlighted text, and how it gets to where the text is.

import { COLOURS } from "./palette.js";

/** Degrees of the OKLCH circle, far enough from each other to be told apart; the same as in the reports of the CLI. */
const HUES = [22, 185, 292, 95, 225, 325, 142, 55, 258, 355];

/** Space above and below the text of a box, in em, by how many boxes lie inside it; and the line that it needs. */
const HEIGHTS = [
  { padding: 0.08, line: 1.8 },
  { padding: 0.3, line: 2.25 },
  { padding: 0.52, line: 2.7 },
  { padding: 0.74, line: 3.15 },
  { padding: 0.96, line: 3.6 },
  { padding: 1.18, line: 4.1 },
];

/** A colour of a type: lightness and chroma in light and in dark, around the hue of its slot. */
function colour(/** @type {number} */ slot, /** @type {string} */ light, /** @type {string} */ dark) {
  const hue = `var(--innerspan-hue-${slot}, ${HUES[slot]})`;
  return `light-dark(oklch(${light} ${hue}), oklch(${dark} ${hue}))`;
}

// Every custom property that an element sets keeps browsers from sharing its style with others, which with thousands
// of boxes is most of the time that drawing takes. So boxes set none; the few elements of a legend may.
const slots = Array.from({ length: COLOURS }, (_, slot) => {
  const wash = colour(slot, "0.945 0.035", "0.27 0.035");
  const edge = colour(slot, "0.74 0.08", "0.5 0.08");
  const chip = colour(slot, "0.47 0.13", "0.8 0.1");
  const box = `mark:where(.innerspan-entity[data-slot="${slot}"])`;
  return `${box} { background: ${wash}; border-color: ${edge}; }
${box}::after { color: ${chip}; }
:where(.innerspan-type[data-slot="${slot}"]) {
  --innerspan-wash: ${wash}; --innerspan-edge: ${edge}; --innerspan-chip: ${chip};
}`;
}).join("\n");

const heights = HEIGHTS.map(({ padding, line }, height) => {
  const at = height === 0 ? "" : `:where([data-height="${height}"])`;
  return `mark:where(.innerspan-entity)${at} { padding-block: ${padding}em; line-height: ${line}; }`;
}).join("\n");

/** The style sheet of `highlight`, `highlightHtml` and `<innerspan-text>`. */
export const highlightCss = `/* Nested highlights of Innerspan.

   Theme it by these, on any ancestor:
     --innerspan-hue-0 … --innerspan-hue-${COLOURS - 1}   the hues of the types in their order (OKLCH degrees)
     --innerspan-ink       the text inside a box
     --innerspan-radius    the corners of a box
     --innerspan-chip-font, --innerspan-chip-size   the label in a box
     --innerspan-focus     the ring around the entity that has the focus
   One type by rules of its own: mark[data-label="SHIP"] { background: … } mark[data-label="SHIP"]::after { color: … }
   Light or dark is what the CSS property color-scheme says there.
   Selectors weigh no more than the name of an element, so any rule with a class wins over them. */

mark:where(.innerspan-entity) {
  color: var(--innerspan-ink, light-dark(#22262b, #e4e3e0)); border: 1px solid; border-radius: var(--innerspan-radius, 0.3em);
  padding-inline: 0.2em; margin: 0 0.06em; cursor: default;
  /* open where a line ends and the entity goes on */
  -webkit-box-decoration-break: slice; box-decoration-break: slice;
  -webkit-print-color-adjust: exact; print-color-adjust: exact;
}
${slots}
${heights}
mark:where(.innerspan-entity)::after {
  content: attr(data-label); content: attr(data-label) / "";
  white-space: nowrap; unicode-bidi: isolate; margin-inline-start: 0.5em;
  font-family: var(--innerspan-chip-font, system-ui, sans-serif); font-size: var(--innerspan-chip-size, 0.6em);
  font-weight: 700; font-style: normal; line-height: 1; letter-spacing: 0.045em; vertical-align: 0.12em; text-transform: none;
}
mark:where([data-continues]) {
  border-start-end-radius: 0; border-end-end-radius: 0; border-inline-end-style: none; margin-inline-end: 0; padding-inline-end: 0;
}
mark:where([data-continues])::after { content: none; }
mark:where([data-continued]) {
  border-start-start-radius: 0; border-end-start-radius: 0; border-inline-start-style: none; margin-inline-start: 0;
  padding-inline-start: 0;
}
mark:where(.innerspan-entity[data-active]:not(:focus-visible)) { border-color: currentcolor; }
mark:where(.innerspan-entity:focus) { outline: none; }
mark:where(.innerspan-entity:focus-visible) {
  outline: 2px solid var(--innerspan-focus, light-dark(oklch(0.5 0.15 245), oklch(0.77 0.13 245))); outline-offset: 1px;
}
mark:where(.innerspan-entity[title]:focus-visible)::after { content: attr(data-label) " " attr(data-score); }
@media (forced-colors: active) {
  mark:where(.innerspan-entity:focus-visible) { outline: 3px solid Highlight; }
}

:where(.innerspan-tooltip) {
  position: fixed; inset: auto; margin: 0; border: 0; padding: 0.5em 0.7em; max-width: min(22em, calc(100vw - 16px));
  font: 13px/1.5 var(--innerspan-chip-font, system-ui, sans-serif); border-radius: 7px; overflow-wrap: anywhere;
  background: light-dark(#22262b, #f1efeb); color: light-dark(#f1efeb, #22262b);
  box-shadow: 0 1px 2px rgb(0 0 0 / 0.2), 0 6px 20px rgb(0 0 0 / 0.18);
}
:where(.innerspan-tooltip) div { display: flex; justify-content: space-between; gap: 1.2em; }
:where(.innerspan-tooltip) b { letter-spacing: 0.03em; }
:where(.innerspan-tooltip) span { font-variant-numeric: tabular-nums; }
:where(.innerspan-tooltip) div:not(:first-child) { opacity: 0.75; font-size: 0.92em; }

:where(innerspan-text) { display: block; white-space: pre-wrap; overflow-wrap: break-word; line-height: 1.75; }
:where(innerspan-text > .innerspan-block) { display: block; }
:where(innerspan-text[data-long] > .innerspan-block) { content-visibility: auto; contain-intrinsic-block-size: auto 6lh; }
`;

/** Labels that get a rule of their own; `attr()` serves any others. */
const MOST_RULES = 256;

/** @type {WeakMap<Document, { sheet: CSSStyleSheet, labels: Set<string> }>} a sheet belongs to the document it was made in */
const sheets = new WeakMap();

/**
 * Makes the style sheet apply where `node` is: in its document or in its shadow tree. Labels that are told get their
 * text from a rule of their own, as `attr()` keeps browsers from sharing styles: with it, thousands of boxes take three
 * times as long.
 *
 * @param {Node} node
 * @param {Iterable<string>} labels
 */
export function adoptStyle(node, labels) {
  const document = node.ownerDocument;
  const Sheet = document?.defaultView?.CSSStyleSheet;
  if (!Sheet || !document.adoptedStyleSheets) return;
  let style = sheets.get(document);
  if (!style) {
    style = { sheet: new Sheet(), labels: new Set() };
    style.sheet.replaceSync(highlightCss);
    sheets.set(document, style);
  }
  for (const label of labels) {
    if (style.labels.has(label) || style.labels.size >= MOST_RULES) continue;
    style.labels.add(label);
    const text = quoted(label);
    const chip = `mark:where(.innerspan-entity[data-label=${text}]:not([data-continues]))::after`;
    style.sheet.insertRule(`${chip} { content: ${text}; content: ${text} / ""; }`, style.sheet.cssRules.length);
  }
  const root = node.getRootNode();
  const scope = root instanceof ShadowRoot ? root : document;
  if (!scope.adoptedStyleSheets.includes(style.sheet)) {
    scope.adoptedStyleSheets = [...scope.adoptedStyleSheets, style.sheet];
  }
}

/** A string of CSS; everything in it that is not plain is written as a number. @param {string} text */
function quoted(text) {
  return `"${text.replace(/[^\w -]/gu, (character) => `\\${character.codePointAt(0)?.toString(16)} `)}"`;
}
