import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXT, lab } from "./lab.mjs";

const at = lab();

test("the worker finds what the page's own thread finds", async () => {
  const { page, context, problems } = await at.page();
  const [own, theirs, about] = await page.evaluate(async (text) => {
    const options = { device: "cpu" };
    const ners = await Promise.all([innerspan, worker].map(({ Recognizer }) => Recognizer.load("model", options)));
    const about = ners.map(({ device, labels }) => [device, labels]);
    return [...(await Promise.all(ners.map((ner) => ner.extractBatch([text, "", text.repeat(3)])))), about];
  }, TEXT);
  assert.deepEqual(theirs, own);
  assert.deepEqual(about[1], about[0]);
  assert.ok(own[0].length > 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("while the worker recognises a long text, no task of the page is longer than 50 ms", async () => {
  const { page, context } = await at.page();
  const attempt = () =>
    page.evaluate(async (text) => {
      const ner = await worker.Recognizer.load("model", { device: "cpu" });
      const tasks = [];
      const observer = new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map(({ duration }) => duration)),
      );
      observer.observe({ entryTypes: ["longtask"] });
      let steps = 0;
      const start = performance.now();
      const entities = (await ner.extract(text, { onProgress: () => steps++ })).length;
      const time = performance.now() - start;
      await new Promise((resolve) => setTimeout(resolve, 100));
      observer.disconnect();
      return { longest: Math.max(0, ...tasks), steps, time, entities };
    }, `${TEXT} `.repeat(460)); // 50,000 characters
  // another program may hold the page up on a busy machine, hence more than one attempt
  let result;
  for (let left = 3; left > 0 && !(result?.longest === 0); left--) result = await attempt();
  const { longest, steps, time, entities } = result;
  assert.ok(steps > 10 && time > 200, `${steps} steps in ${time} ms`);
  assert.ok(entities > 400, `${entities} entities`);
  assert.equal(longest, 0, `a task of ${longest} ms`);
  await context.close();
});

test("two workers and calls that overlap do not get in each other's way", async () => {
  const { page, context } = await at.page();
  const lists = await page.evaluate(async (text) => {
    const ners = await Promise.all([1, 2].map(() => worker.Recognizer.load("model", { device: "cpu" })));
    const calls = ners.flatMap((ner) => [ner.extract(text), ner.extract(`${text} ${text}`), ner.extract(text)]);
    return Promise.all(calls);
  }, TEXT);
  assert.deepEqual(lists.slice(3), lists.slice(0, 3));
  assert.deepEqual(lists[2], lists[0]);
  assert.ok(lists[1].length > lists[0].length);
  await context.close();
});

test("files of the page, also such as a file dialogue gives, reach the worker", async () => {
  const { page, context } = await at.page();
  const counts = await page.evaluate(async (text) => {
    const names = ["config.json", "tokenizer.json", "model.safetensors"];
    const buffers = await Promise.all(names.map(async (name) => (await fetch(`model/${name}`)).arrayBuffer()));
    const files = names.map((name, index) => new File([buffers[index]], name));
    const map = Object.fromEntries(names.map((name, index) => [name, new Uint8Array(buffers[index])]));
    const counts = [];
    for (const source of [files, map, new Map(Object.entries(map)), new URL("model/", document.baseURI)]) {
      const ner = await worker.Recognizer.load(source, { device: "cpu" });
      counts.push((await ner.extract(text)).length);
      ner.dispose();
    }
    return counts;
  }, TEXT);
  assert.ok(counts[0] > 0);
  assert.deepEqual(counts, Array(4).fill(counts[0]));
  await context.close();
});
