// The cases that every surface must recognise alike; see tests/conformance.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Recognizer } from "innerspan-node";

const root = new URL("../../tests/conformance/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, root), "utf8"));
const texts = read("cases.json").map(({ text }) => text);
const names = read("cases.json").map(({ name }) => name);

/** How far a score may be from the reference's. */
const TOLERANCE = 1e-3;

for (const file of readdirSync(new URL("expected/", root))) {
  const [model, precision] = file.split(".");
  test(`${model} in ${precision} agrees with the reference`, async () => {
    const folder = fileURLToPath(new URL(`models/${model}`, root));
    const ner = await Recognizer.load(folder, {
      device: "cpu",
      precision: /** @type {"f32" | "f16" | "q8"} */ (precision),
    });
    const lists = await ner.extractBatch(texts);
    const expected = read(`expected/${model}.${precision}.json`);
    assert.equal(lists.length, expected.length);
    for (const [index, list] of lists.entries()) {
      const spans = (entities) => entities.map(({ start, end, label }) => ({ start, end, label }));
      assert.deepEqual(spans(list), spans(expected[index]), names[index]);
      for (const [at, { start, end, text, score }] of list.entries()) {
        assert.equal(texts[index].slice(start, end), text);
        assert.ok(Math.abs(score - expected[index][at].score) < TOLERANCE, `${names[index]}: ${score}`);
      }
    }
    assert.ok(lists.flat().length > 50);
    ner.dispose();
  });
}
