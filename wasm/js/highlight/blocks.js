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

const SPACE = 32;
const CARRIAGE_RETURN = 13;

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
  let next = 0;
  let covered = 0; // no cut before this place
  for (let start = 0, end = 0; start < text.length; start = end) {
    do {
      end = placeToCut(text, start, Math.max(start + 1, covered));
      for (; next < sorted.length && sorted[next].start < end; next++) covered = Math.max(covered, sorted[next].end);
    } while (end < covered && end < text.length);
    list.push({ start, text: text.slice(start, end), entities: [] });
  }

  let block = 0;
  for (const entity of sorted) {
    while (block < list.length && entity.start >= list[block].start + list[block].text.length) block++;
    list[block]?.entities.push(entity);
  }
  return list;
}

/**
 * The first place from `from` on where a block that begins at `start` may end.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} from
 */
function placeToCut(text, start, from) {
  const lineEnd = text.indexOf("\n", from - 1) + 1 || text.length;
  for (let at = Math.max(from, start + LONG); at < lineEnd; at++) {
    const before = text.charCodeAt(at - 1);
    if (before === SPACE && text.charCodeAt(at) !== SPACE) return at;
    const whole = (before & 0xfc00) !== 0xd800 && before !== CARRIAGE_RETURN;
    if (at >= start + 2 * LONG && whole) return at;
  }
  return lineEnd;
}
