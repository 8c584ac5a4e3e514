import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_DEPTH, nest } from "../../wasm/js/highlight/nesting.js";
import { annotated, valid } from "./arbitrary.js";

/** `[A text [B inner]]`, with `~` at the side where an entity goes on. */
const written = (pieces) =>
  pieces
    .map((piece) => {
      if (typeof piece === "string") return piece;
      const { entity, first, last, inner } = piece;
      return `[${first ? "" : "~"}${entity.label} ${written(inner)}${last ? "" : "~"}]`;
    })
    .join("");

const entity = (start, end, label) => ({ start, end, label, score: 1 });

test("outer entities open before inner ones in whatever order they are listed", () => {
  const entities = [entity(4, 5, "C"), entity(0, 7, "A"), entity(2, 5, "B")];
  assert.equal(written(nest("a b c d e", entities)), "[A a [B b [C c]] d] e");
  assert.equal(written(nest("a b c d e", entities.reverse())), "[A a [B b [C c]] d] e");
});

test("equal spans nest in the order listed", () => {
  assert.equal(written(nest("ab", [entity(0, 2, "A"), entity(0, 2, "B")])), "[A [B ab]]");
});

test("the later of two crossing entities is drawn in two parts", () => {
  assert.equal(written(nest("abcdef", [entity(0, 4, "A"), entity(2, 6, "B")])), "[A ab[B cd~]][~B ef]");
});

test("an entity that crosses two is drawn in three parts", () => {
  const entities = [entity(0, 3, "A"), entity(2, 8, "B"), entity(5, 9, "C")];
  assert.equal(written(nest("abcdefghi", entities)), "[A ab[B c~]][~B de[C fgh~]][~C i]");
});

test("a part counts the boxes that lie inside it", () => {
  const [part] = nest("abcd", [entity(0, 4, "A"), entity(0, 3, "B"), entity(1, 2, "C")]);
  assert.equal(part.height, 2);
  assert.equal(part.inner[0].height, 1);
});

test("entities deeper than browsers like are left out, and the text is whole", () => {
  const text = "x".repeat(200);
  const pieces = nest(
    text,
    Array.from({ length: 100 }, (_, at) => entity(at, 200 - at, "A")),
  );
  assert.equal(pieces[0].height, MAX_DEPTH - 1);
  assert.equal(flat(pieces).join(""), text);
});

/** The texts of a tree. */
const flat = (pieces) => pieces.flatMap((piece) => (typeof piece === "string" ? [piece] : flat(piece.inner)));

/** For every character, the entities around it, outer first. */
const around = (pieces, above = []) =>
  pieces.flatMap((piece) =>
    typeof piece === "string"
      ? Array.from({ length: piece.length }, () => above)
      : around(piece.inner, [...above, piece.entity]),
  );

test("every character lies in exactly the entities that cover it, and no text is lost", () => {
  fc.assert(
    fc.property(annotated, ({ text, entities }) => {
      const pieces = nest(text, entities);
      assert.equal(flat(pieces).join(""), text);
      const drawn = around(pieces);
      const expected = valid({ text, entities });
      for (let at = 0; at < text.length; at++) {
        const covering = expected.filter(({ start, end }) => start <= at && at < end);
        assert.deepEqual(new Set(drawn[at]), new Set(covering));
        assert.equal(drawn[at].length, covering.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("every drawn entity begins once and ends once, and parts are never empty", () => {
  const parts = (pieces) =>
    pieces.flatMap((piece) => (typeof piece === "string" ? [] : [piece, ...parts(piece.inner)]));
  fc.assert(
    fc.property(annotated, ({ text, entities }) => {
      const all = parts(nest(text, entities));
      for (const one of valid({ text, entities })) {
        const index = entities.indexOf(one);
        const own = all.filter((part) => part.index === index);
        assert.equal(own.filter(({ first }) => first).length, 1);
        assert.equal(own.filter(({ last }) => last).length, 1);
        assert.equal(own.map(({ inner }) => flat(inner).join("")).join(""), text.slice(one.start, one.end));
        assert.ok(own.every(({ inner }) => flat(inner).join("") !== ""));
      }
    }),
  );
});
