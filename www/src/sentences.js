// A text as the sentences that a model reads one by one: most are trained on single sentences, and what was read once
// need not be read again while another sentence is being written.

/** A place where a line was broken only because it was full: no sentence ends before it, and the line is long. */
const SOFT_BREAK = /(?<=[^\n]{50}[^\n.!?:;])\r?\n(?=[^\n])/g;

/** An end that is rather that of an initial or of an abbreviation that names follow. */
const ABBREVIATION =
  /(?:^|[\s(])(?:\p{L}|Dr|Mr|Mrs|Ms|Prof|Sr|Jr|St|Mt|No|Nr|Nos|Fig|Figs|Eq|Ref|Sec|vs|cf|al|e\.g|i\.e|ca|approx|resp|sp|spp)\.\s*$/u;

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/**
 * @typedef {object} Sentence
 * @property {number} start where it begins in the text, in UTF-16 units
 * @property {string} text without the spaces around it
 */

/** @param {string} text @returns {Sentence[]} */
export function sentences(text) {
  // same length, so that offsets stay
  const unbroken = text.toWellFormed().replace(SOFT_BREAK, (lineEnd) => " ".repeat(lineEnd.length));
  /** @type {Sentence[]} */
  const list = [];
  let start = 0;
  for (const { index, segment } of segmenter.segment(unbroken)) {
    const end = index + segment.length;
    const joined = unbroken.slice(start, end);
    if (end < unbroken.length && !segment.endsWith("\n") && ABBREVIATION.test(joined)) continue;
    const trimmed = joined.trim();
    if (trimmed) list.push({ start: start + joined.indexOf(trimmed), text: trimmed });
    start = end;
  }
  return list;
}
