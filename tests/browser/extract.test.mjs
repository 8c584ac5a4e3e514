import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { conformAll } from "./conformance.mjs";
import { TEXT, lab } from "./lab.mjs";
import { cases } from "./models.mjs";

const TEXTS = cases().map(({ text }) => text);
const at = lab();

conformAll(at, "Chromium's CPU", "cpu");

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
