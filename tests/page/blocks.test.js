import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LONG, blocks } from "../../wasm/js/highlight/blocks.js";
import { annotated } from "./arbitrary.js";

test("blocks are the whole text in order, and no entity is cut", () => {
  fc.assert(
    fc.property(annotated, fc.boolean(), ({ text, entities }, long) => {
      const whole = long ? text.repeat(400) : text;
      const list = blocks(whole, entities);
      assert.equal(list.map((block) => block.text).join(""), whole);
      for (const { start, text, entities } of list) {
        assert.equal(text, whole.slice(start, start + text.length));
        for (const entity of entities.filter(({ start, end }) => 0 <= start && start < end && end <= whole.length)) {
          assert.ok(start <= entity.start && entity.end <= start + text.length);
        }
      }
      assert.equal(list.flatMap((block) => block.entities).length, text === "" ? 0 : kept(entities, whole).length);
    }),
  );
});

/** Entities that begin inside the text. */
const kept = (entities, text) => entities.filter(({ start }) => start < text.length);

test("a text is cut after every line end", () => {
  assert.deepEqual(
    blocks("a\nb\r\n\nc", []).map(({ text }) => text),
    ["a\n", "b\r\n", "\n", "c"],
  );
});

test("lines that an entity spans stay together", () => {
  const entity = { start: 0, end: 3, text: "a\nb", label: "A", score: 1 };
  assert.deepEqual(
    blocks("a\nb\nc", [entity]).map(({ text }) => text),
    ["a\nb\n", "c"],
  );
});

test("a paragraph that never ends is cut all the same, at spaces if it has any", () => {
  const words = blocks("word ".repeat(5000), []);
  assert.ok(words.length > 5 && words.every(({ text }) => text.length <= LONG + 5 && text.endsWith("word ")));
  const none = blocks("🚢".repeat(10_000), []);
  assert.ok(none.length > 2 && none.every(({ text }) => text.length <= 2 * LONG + 1 && text.isWellFormed()));
});
