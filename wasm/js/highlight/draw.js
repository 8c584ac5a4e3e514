// Entities drawn into an element, again and again: what stays the same keeps its nodes.

import { ENTITY, percent, toNode } from "./markup.js";
import { nest } from "./nesting.js";
import { entityOf, focusedIn, moveTabStop, setEntity } from "./interaction.js";

/** @typedef {import("../api.js").Entity} Entity */
/** @typedef {import("./nesting.js").Part} Part */
/** @typedef {{ key: string, node: Node }} Drawn */

/** @type {WeakMap<Element, Drawn[]>} what each element holds */
const drawn = new WeakMap();

/**
 * Draws a text and its entities as the content of `element`. Nodes before the first and after the last difference
 * from what was drawn there before are kept, so that typing in a long text costs what it changes.
 *
 * @param {HTMLElement} element
 * @param {string} text
 * @param {readonly Entity[]} entities
 * @param {(label: string) => number} slot
 * @param {object} [inside] what `element` is a block of: its root, which holds the tab stop, and the entities as the
 *   root has them
 * @param {HTMLElement} [inside.root]
 * @param {readonly Entity[]} [inside.originals]
 */
export function draw(element, text, entities, slot, { root = element, originals = entities } = {}) {
  const pieces = nest(text, entities);
  const remember = (/** @type {HTMLElement} */ mark, /** @type {Part} */ part) =>
    setEntity(mark, originals[part.index]);
  const keys = pieces.map((piece) => key(piece, slot));
  const before = standing(element);

  let same = 0;
  const most = Math.min(before.length, pieces.length);
  while (same < most && before[same].key === keys[same]) same++;
  let tail = 0;
  while (tail < most - same && before[before.length - 1 - tail].key === keys[pieces.length - 1 - tail]) tail++;

  const kept = [...before.slice(0, same), ...before.slice(before.length - tail)];
  const keptPieces = [...pieces.slice(0, same), ...pieces.slice(pieces.length - tail)];
  const removed = before.slice(same, before.length - tail);

  const focused = focusedIn(element);
  const lost = focused && removed.some(({ node }) => node.contains(focused)) ? entityOf(focused) : undefined;

  const fresh = element.ownerDocument.createDocumentFragment();
  /** @type {Drawn[]} */
  const made = [];
  for (let at = same; at < pieces.length - tail; at++) {
    const node = toNode(element.ownerDocument, pieces[at], slot, remember);
    made.push({ key: keys[at], node });
    fresh.appendChild(node);
  }
  // the new nodes first, so that a reader who is scrolled into them is not thrown to another place
  element.insertBefore(fresh, tail > 0 ? kept[same].node : null);
  for (const { node } of removed) element.removeChild(node);

  kept.forEach(({ node }, at) => walk(node, keptPieces[at], remember));
  drawn.set(element, [...kept.slice(0, same), ...made, ...kept.slice(same)]);
  if (lost) refocus(element, lost, root);
}

/** What was drawn into an element, if it is still what it holds; clears it otherwise. @param {HTMLElement} element */
function standing(element) {
  const list = drawn.get(element) ?? [];
  let node = element.firstChild;
  const intact = list.every((entry) => {
    const stands = entry.node === node;
    node = node?.nextSibling ?? null;
    return stands;
  });
  if (intact && node === null) return list;
  element.replaceChildren();
  return [];
}

/** Everything about a piece that can be seen, but not where it is. @param {Part | string} piece @returns {string} */
function key(piece, /** @type {(label: string) => number} */ slot) {
  if (typeof piece === "string") return `=${piece}`;
  const { entity, first, last, inner } = piece;
  const seen = [entity.label, percent(entity.score), slot(entity.label), first, last];
  return JSON.stringify([...seen, inner.map((within) => key(within, slot))]);
}

/**
 * Tells the elements of a tree that was drawn before, whose offsets move when text before them changes.
 *
 * @param {Node} node
 * @param {Part | string} piece
 * @param {(element: HTMLElement, part: Part) => void} tell
 */
function walk(node, piece, tell) {
  if (typeof piece === "string") return;
  tell(/** @type {HTMLElement} */ (node), piece);
  let child = node.firstChild;
  for (const within of piece.inner) {
    if (child) walk(child, within, tell);
    child = child?.nextSibling ?? null;
  }
}

/** Gives the focus to the entity that was there, or else to the nearest. */
function refocus(/** @type {HTMLElement} */ element, /** @type {Entity} */ lost, /** @type {HTMLElement} */ root) {
  let best;
  let distance = Infinity;
  for (const mark of element.getElementsByClassName(ENTITY)) {
    const entity = entityOf(mark);
    if (!entity || !(mark instanceof HTMLElement)) continue;
    const moved = Math.abs(entity.start - lost.start) + Math.abs(entity.end - lost.end);
    const from = 2 * moved + (entity.label === lost.label ? 0 : 1);
    if (from < distance) [best, distance] = [mark, from];
  }
  if (best) moveTabStop(root, best, true);
}
