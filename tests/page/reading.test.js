import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { carry } from "../../www/src/carry.js";
import { Reader } from "../../www/src/reader.js";
import { sentences } from "../../www/src/sentences.js";
import { annotated, text, valid } from "./arbitrary.js";

const texts = (text) => sentences(text).map((sentence) => sentence.text);

test("sentences lie where they say, in order, and only spaces lie between them", () => {
  fc.assert(
    fc.property(text, (text) => {
      let end = 0;
      for (const { start, text: sentence } of sentences(text)) {
        assert.equal(text.slice(end, start).trim(), "");
        assert.equal(text.toWellFormed().slice(start, start + sentence.length), sentence);
        end = start + sentence.length;
      }
      assert.equal(text.slice(end).trim(), "");
    }),
  );
});

test("a text is cut at the ends of sentences and lines, not after abbreviations and initials", () => {
  assert.deepEqual(texts("Dr. Tóth and J. Ekwall came to sea. She saw No. 5!\nDear Otto,\n\nBye."), [
    "Dr. Tóth and J. Ekwall came to sea.",
    "She saw No. 5!",
    "Dear Otto,",
    "Bye.",
  ]);
});

test("a line that ended because it was full is not the end of a sentence", () => {
  const wrapped =
    "Activation of the CD28 surface receptor provides a major costimulatory\nsignal for T cell activation.";
  assert.deepEqual(texts(wrapped), [wrapped.replace("\n", " ")]);
});

test("lone surrogates, which no model can read, are replaced without moving anything", () => {
  assert.deepEqual(sentences("a \ud83d bc. D"), [
    { start: 0, text: "a \ufffd bc." },
    { start: 8, text: "D" },
  ]);
});

test("after an edit, entities are on the same characters as before, or gone", () => {
  fc.assert(
    fc.property(annotated, fc.nat(), fc.nat(), text, ({ text, entities }, at, length, inserted) => {
      const start = at % (text.length + 1);
      const removed = length % (text.length - start + 1);
      const after = text.slice(0, start) + inserted + text.slice(start + removed);
      const before = valid({ text, entities }).map((entity) => ({
        ...entity,
        text: text.slice(entity.start, entity.end),
      }));
      const kept = carry(before, text, after);
      for (const entity of kept) assert.equal(after.slice(entity.start, entity.end), entity.text);
      // where the edit was is only certain if what was written is nowhere else
      const typed = carry(before, text, `${text.slice(0, start)}§${text.slice(start)}`);
      assert.equal(typed.length, before.filter(({ start: from, end }) => end <= start || from >= start).length);
    }),
  );
});

/** A recognizer that finds every `x`, and remembers what it was asked. */
function finder() {
  const asked = [];
  const extractBatch = async (batch, { signal }) => {
    asked.push(...batch);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (signal.aborted) throw signal.reason;
    return batch.map((sentence) =>
      [...sentence.matchAll(/x/g)].map(({ index }) => ({
        start: index,
        end: index + 1,
        text: "x",
        label: "X",
        score: 1,
      })),
    );
  };
  return { asked, extractBatch };
}

const read = async (reader, text, signal = new AbortController().signal) => {
  let last;
  await reader.read(text, signal, (reading) => (last = reading));
  return last;
};

test("offsets count from the beginning of the text", async () => {
  const text = "🚢 One x. \n\n Two x here.";
  const { entities, done, total, fresh } = await read(new Reader(finder()), text);
  assert.deepEqual([done, total, fresh], [2, 2, 2]);
  assert.deepEqual(
    entities.map(({ start, end }) => text.slice(start, end)),
    ["x", "x"],
  );
});

test("a sentence is read once, however often it comes and is read again", async () => {
  const recognizer = finder();
  const reader = new Reader(recognizer);
  await read(reader, "An ax. Two. An ax. ");
  assert.deepEqual(recognizer.asked, ["An ax.", "Two."]);
  const { entities, fresh } = await read(reader, "An ax. Three. Two.");
  assert.deepEqual(recognizer.asked.slice(2), ["Three."]);
  assert.deepEqual([entities.length, fresh], [1, 1]);
});

test("what was read before it was stopped need not be read again", async () => {
  const recognizer = finder();
  const reader = new Reader(recognizer);
  const text = Array.from({ length: 100 }, (_, at) => `Sentence number ${at}.`).join(" ");
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 5);
  await assert.rejects(read(reader, text, stop.signal), { name: "AbortError" });
  const before = recognizer.asked.length;
  assert.ok(before < 100);
  await read(reader, text);
  assert.ok(recognizer.asked.length < 100 + before, "only the batch under way is read twice");
});
