// A long text cut into blocks that are drawn one by one.

/** @typedef {import("../api.js").Entity} Entity */

/**
 * A piece of a text, with what lies in it.
 *
 * @typedef {object} Block
 * @property {number} start
 * @property {string} text
 * @property {Entity[]} entities as they were given
 */

/** UTF-16 units after which a block ends at the next space or so even within a paragraph. */
export const LONG = 2500;

/**
 * Cuts a text after line ends, and long paragraphs after spaces, but never inside an entity.
 *
 * @param {string} text
 * @param {readonly Entity[]} entities
 * @returns {Block[]}
 */
export function blocks(text, entities) {
  const sorted = [...entities].sort((a, b) => a.start - b.start);
  /** @type {Block[]} */
  const list = [];
  let start = 0;
  let next = 0;
  let covered = 0; // no cut before this place
  const isCut = cuts(text);
  for (let at = 1; at <= text.length; at++) {
    for (; next < sorted.length && sorted[next].start < at; next++) covered = Math.max(covered, sorted[next].end);
    if (at < text.length && (at < covered || !isCut(at, at - start))) continue;
    list.push({ start, text: text.slice(start, at), entities: [] });
    start = at;
  }

  let block = 0;
  for (const entity of sorted) {
    while (block < list.length && entity.start >= list[block].start + list[block].text.length) block++;
    list[block]?.entities.push(entity);
  }
  return list;
}

/** Whether a text may be cut at a place, given how long the block before it would be. @param {string} text */
function cuts(text) {
  return (/** @type {number} */ at, /** @type {number} */ length) => {
    const before = text.charCodeAt(at - 1);
    if (before === 10) return true;
    if (length < LONG) return false;
    const pair = (before & 0xfc00) === 0xd800;
    return (before === 32 && text.charCodeAt(at) !== 32) || (length >= 2 * LONG && !pair && before !== 13);
  };
}
