// A part as an element, in a document and as a string; both from the same list of attributes.

/** @typedef {import("./nesting.js").Part} Part */
/** @typedef {import("../api.js").Entity} Entity */

/** The class of the element of every part. */
export const ENTITY = "innerspan-entity";

/** Boxes grow with what lies inside them, up to this many levels. */
const MAX_HEIGHT = 5;

/** A score as people read it, such as `97 %`; empty where there is none. @param {number | undefined} score */
export function percent(score) {
  return typeof score === "number" && Number.isFinite(score) ? `${Math.round(100 * score)}\u00a0%` : "";
}

/** What a screen reader says of a part, and what hovering shows where no script runs. @param {Part} part */
function name({ entity, first }) {
  return [entity.label, percent(entity.score), first ? "" : "continued"].filter(Boolean).join(", ");
}

/**
 * Everything that the element of a part has, apart from what can be reached by keyboard.
 * `group` is the role that takes a name and keeps the text inside readable: a `mark` may not be named.
 *
 * @param {Part} part
 * @param {(label: string) => number} slot
 * @returns {[name: string, value: string][]}
 */
function attributes(part, slot) {
  /** @type {[string, string][]} */
  const list = [
    ["class", ENTITY],
    ["role", "group"],
    ["aria-roledescription", "entity"],
    ["aria-label", name(part)],
    ["data-label", part.entity.label],
    ["data-slot", String(slot(part.entity.label))],
  ];
  if (percent(part.entity.score)) list.push(["data-score", percent(part.entity.score)]);
  if (part.height > 0) list.push(["data-height", String(Math.min(part.height, MAX_HEIGHT))]);
  if (!part.first) list.push(["data-continued", ""]);
  if (!part.last) list.push(["data-continues", ""]);
  return list;
}

/**
 * A part or a text as a node; parts are told to `made`, outer before inner.
 *
 * @param {Document} document
 * @param {Part | string} piece
 * @param {(label: string) => number} slot
 * @param {(element: HTMLElement, part: Part) => void} made
 * @returns {Node}
 */
export function toNode(document, piece, slot, made) {
  if (typeof piece === "string") return document.createTextNode(piece);
  const element = document.createElement("mark");
  for (const [name, value] of attributes(piece, slot)) element.setAttribute(name, value);
  element.tabIndex = -1;
  made(element, piece);
  for (const inner of piece.inner) element.appendChild(toNode(document, inner, slot, made));
  return element;
}

/**
 * A part or a text as HTML. Without a script every entity is a stop of the tab key, and has a native tooltip.
 *
 * @param {Part | string} piece
 * @param {(label: string) => number} slot
 * @returns {string}
 */
export function toHtml(piece, slot) {
  if (typeof piece === "string") return escape(piece);
  const list = [...attributes(piece, slot), ["tabindex", "0"], ["title", name(piece)]];
  const written = list.map(([name, value]) => `${name}="${escape(value)}"`).join(" ");
  return `<mark ${written}>${piece.inner.map((inner) => toHtml(inner, slot)).join("")}</mark>`;
}

/** @type {Record<string, string>} */
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;" };

/** Carriage returns too, which parsers turn into line feeds otherwise. @param {string} text */
function escape(text) {
  return text.replace(/[&<>"'\r]/g, (character) => ESCAPES[character]);
}
