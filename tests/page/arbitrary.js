// Texts and entities for property tests: markup, line ends, emoji, lone surrogates; entities of any kind, wrong ones too.

import fc from "fast-check";

const pieces = fc.constantFrom(
  ..."ab cd,. ",
  "<b>", "</mark>", "<script>alert(1)</script>", "&amp;", "&", '"', "'", "<!--", "]]>", "\r\n", "\n", "\r", "\t",
  "é", "e\u0301", "海", "🚢", "👩‍🔧", "\ud83d", "\udea2", "שלום", "\u202e", "\ufeff",
); // prettier-ignore

export const text = fc.array(pieces, { maxLength: 40 }).map((list) => list.join(""));

const label = fc.oneof(fc.constantFrom("PART", "SHIP", "FAULT", "<img src=x onerror=alert(1)>", '"', ""), fc.string());

const entity = (length) =>
  fc.record({
    start: fc.integer({ min: -2, max: length + 2 }),
    end: fc.integer({ min: -2, max: length + 2 }),
    label,
    score: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(Number.NaN, undefined)),
  });

/** A text with entities in it, most of them drawable. */
export const annotated = text.chain((text) =>
  fc.record({ text: fc.constant(text), entities: fc.array(entity(text.length), { maxLength: 12 }) }),
);

/** Whether a place in a text lies between the halves of a surrogate pair. */
const splits = (text, at) => /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));

/** The entities that can be drawn, written as naively as possible. */
export function valid({ text, entities }) {
  return entities.filter(
    ({ start, end }) => 0 <= start && start < end && end <= text.length && !splits(text, start) && !splits(text, end),
  );
}
