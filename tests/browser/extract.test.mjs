import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TEXT, lab } from "./lab.mjs";
import { cli, modelFolder } from "./models.mjs";

const TEXTS = [
  TEXT,
  "",
  "   \n ",
  "Ingeniør Søren Ødegård – chief engineer – found a cracked piston 🔧🚢 in Århus.\r\nHe wrote to Lloyd’s Register.",
  "船長 山田太郎 sailed from 横浜 with a worn gasket e\u0301.",
  `${TEXT} `.repeat(40),
];

const at = lab();

/** What the command line finds, in UTF-16 units. */
function expected(precision) {
  const file = join(mkdtempSync(join(tmpdir(), "innerspan-")), "texts.jsonl");
  writeFileSync(file, TEXTS.map((text) => JSON.stringify({ text })).join("\n") + "\n");
  const lines = cli(
    ...["predict", "--model", modelFolder(), ...(precision === "f32" ? [] : ["--precision", precision])],
    ...["--device", "cpu", "--offsets", "utf16", "--format", "jsonl", file],
  );
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).entities);
}

for (const precision of ["f32", "f16", "q8"]) {
  test(`the browser's CPU finds with ${precision} what the command line finds`, async () => {
    const { page, context, problems } = await at.page();
    const { device, labels, lists } = await page.evaluate(
      async ([texts, precision]) => {
        const ner = await innerspan.Recognizer.load("model", { device: "cpu", precision });
        return { device: ner.device, labels: ner.labels, lists: await ner.extractBatch(texts) };
      },
      [TEXTS, precision],
    );
    assert.equal(device.kind, "cpu");
    assert.ok(labels.includes("PERSON"));
    const wanted = expected(precision);
    assert.equal(lists.length, TEXTS.length);
    assert.ok(lists[0].length > 0, "there is something to find");
    for (const [index, text] of TEXTS.entries()) {
      const short = ({ start, end, label }) => `${start}-${end} ${label}`;
      assert.deepEqual(lists[index].map(short), wanted[index].map(short), text);
      for (const [at, entity] of lists[index].entries()) {
        assert.equal(entity.text, text.slice(entity.start, entity.end));
        assert.ok(Math.abs(entity.score - wanted[index][at].score) < 1e-3);
      }
    }
    assert.deepEqual(problems, []);
    await context.close();
  });
}

describe("a recognizer", () => {
  test("gives one text what a batch gives it, also when calls overlap", async () => {
    const { page, context } = await at.page();
    const [one, overlapping, batch] = await page.evaluate(async (texts) => {
      const ner = await innerspan.Recognizer.load("model", { device: "cpu" });
      const one = await ner.extract(texts[0]);
      const overlapping = await Promise.all(texts.map((text) => ner.extract(text)));
      return [one, overlapping, await ner.extractBatch(texts)];
    }, TEXTS);
    assert.deepEqual(one, batch[0]);
    const spans = (lists) => lists.map((list) => list.map(({ start, end, label }) => [start, end, label]));
    assert.deepEqual(spans(overlapping), spans(batch));
    await context.close();
  });

  test("takes a threshold: a higher one leaves a part of what a lower one finds", async () => {
    const { page, context } = await at.page();
    const [low, high, none] = await page.evaluate(async (text) => {
      const ner = await innerspan.Recognizer.load("model", { device: "cpu" });
      return Promise.all([1e-5, 0.9, 1].map((threshold) => ner.extract(text, { threshold })));
    }, TEXT);
    assert.ok(low.length > high.length);
    assert.ok(high.every(({ score }) => score > 0.9));
    assert.deepEqual(none, []);
    await context.close();
  });

  test("reports windows of text, and lets the page run between them", async () => {
    const { page, context } = await at.page();
    const { steps, ticks } = await page.evaluate(async (text) => {
      const ner = await innerspan.Recognizer.load("model", { device: "cpu" });
      const steps = [];
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      await ner.extract(text, { onProgress: (step) => steps.push(step) });
      clearInterval(timer);
      return { steps, ticks };
    }, `${TEXT} `.repeat(80));
    assert.ok(steps.length > 3, `${steps.length} steps`);
    assert.ok(ticks >= 3, `${ticks} ticks of a timer`);
    const { total } = steps[0];
    assert.deepEqual(steps.at(-1), { stage: "extract", done: total, total });
    await context.close();
  });
});
