// How entities lie in each other, as a tree that a renderer writes from left to right.

/** @typedef {import("../api.js").Entity} Entity */

/**
 * An entity, or the part of it that fits between the edges of the entities that it crosses.
 *
 * @typedef {object} Part
 * @property {Entity} entity
 * @property {number} index which entity, as an index of the list given
 * @property {boolean} first whether the entity begins here
 * @property {boolean} last whether the entity ends here
 * @property {number} height how many parts lie inside this one at the deepest place: 0 for an innermost one
 * @property {(Part | string)[]} inner the text inside, with the parts in it
 */

/** Entities inside more others than this are not drawn: browsers give up on elements that lie too deep. */
export const MAX_DEPTH = 24;

/**
 * The text with its entities as a tree: outer before inner, and among equal spans as listed. Where two entities
 * cross, the one that begins later is cut at the end of the other, so that what comes out always nests. Entities that
 * are empty, not inside the text or that begin or end within a surrogate pair are left out.
 *
 * @param {string} text
 * @param {readonly Entity[]} entities
 * @returns {(Part | string)[]}
 */
export function nest(text, entities) {
  const waiting = drawable(text, entities).sort(outerFirst);
  /** @type {(Part | string)[]} */
  const root = [];
  /** @type {Part[]} */
  const open = [];
  let at = 0;
  let next = 0;

  const inside = () => (open.length > 0 ? open[open.length - 1].inner : root);
  /** @param {number} to */
  const write = (to) => {
    if (at < to) inside().push(text.slice(at, to));
    at = to;
  };
  /** @param {Candidate} candidate @param {boolean} first */
  const begin = ({ entity, index }, first) => {
    if (open.length === MAX_DEPTH) return;
    /** @type {Part} */
    const part = { entity, index, first, last: false, height: 0, inner: [] };
    inside().push(part);
    open.push(part);
  };

  while (open.length > 0 || next < waiting.length) {
    const closes = open.reduce((end, part) => Math.min(end, part.entity.end), Infinity);
    const opens = next < waiting.length ? waiting[next].entity.start : Infinity;
    write(Math.min(closes, opens));

    /** @type {Candidate[]} what was cut off here and goes on */
    const cut = [];
    const outermost = open.findIndex((part) => part.entity.end === at);
    while (outermost >= 0 && open.length > outermost) {
      const part = /** @type {Part} */ (open.pop());
      part.last = part.entity.end === at;
      const outer = open[open.length - 1];
      if (outer) outer.height = Math.max(outer.height, part.height + 1);
      if (!part.last) cut.push(part);
    }
    const begins = cut.map((candidate) => ({ candidate, first: false }));
    for (; next < waiting.length && waiting[next].entity.start === at; next++) {
      begins.push({ candidate: waiting[next], first: true });
    }
    begins.sort((a, b) => b.candidate.entity.end - a.candidate.entity.end || a.candidate.index - b.candidate.index);
    for (const { candidate, first } of begins) begin(candidate, first);
  }
  write(text.length);
  return root;
}

/** @typedef {{ entity: Entity, index: number }} Candidate */

/** @param {Candidate} a @param {Candidate} b */
function outerFirst(a, b) {
  return a.entity.start - b.entity.start || b.entity.end - a.entity.end || a.index - b.index;
}

/** @param {string} text @param {readonly Entity[]} entities @returns {Candidate[]} */
function drawable(text, entities) {
  const candidates = [];
  for (let index = 0; index < entities.length; index++) {
    const entity = entities[index];
    const { start, end } = entity;
    const whole = Number.isInteger(start) && Number.isInteger(end);
    if (
      whole &&
      start >= 0 &&
      start < end &&
      end <= text.length &&
      !splitsPair(text, start) &&
      !splitsPair(text, end)
    ) {
      candidates.push({ entity, index });
    }
  }
  return candidates;
}

/** Whether a place in a text lies between the two halves of a character. @param {string} text @param {number} at */
function splitsPair(text, at) {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return isHigh && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
