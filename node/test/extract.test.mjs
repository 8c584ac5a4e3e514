import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { InnerspanError, MAX_TEXT_LENGTH, Recognizer } from "innerspan-node";

import { native } from "../js/native.js";
import { loadOnCpu, longText, MODEL, rejects, TEXT } from "./support.mjs";

/** @type {Recognizer} */
let ner;
before(async () => (ner = await loadOnCpu()));
after(() => ner.dispose());

test("entities are slices of the text, by start, longer ones first, nested ones included", async () => {
  const entities = await ner.extract(TEXT);
  assert.ok(entities.length >= 3, JSON.stringify(entities));
  for (const { start, end, text, label, score } of entities) {
    assert.equal(TEXT.slice(start, end), text);
    assert.ok(ner.labels.includes(label));
    assert.ok(score > 0 && score <= 1);
  }
  const order = entities.map(({ start, end }) => [start, -end]);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
  );
  const nested = entities.some((a) => entities.some((b) => a !== b && a.start <= b.start && b.end <= a.end));
  assert.ok(nested, JSON.stringify(entities));
});

test("offsets count UTF-16 units, whatever stands before", async () => {
  const plain = await ner.extract(TEXT);
  for (const prefix of ["🧑‍🔧 ", "漢字 ", "é ", "e\u0301 ", "\r\n"]) {
    const text = prefix + TEXT;
    const entities = await ner.extract(text);
    assert.ok(entities.length > 0);
    for (const entity of entities) assert.equal(text.slice(entity.start, entity.end), entity.text);
  }
  const shifted = await ner.extract(`\u00A0\u00A0${TEXT}`);
  assert.deepEqual(
    shifted.map(({ start }) => start - 2),
    plain.map(({ start }) => start),
  );
});

test("a text without words has no entities", async () => {
  for (const text of ["", " ", "\n\n", "\u0000", "\uFEFF"]) assert.deepEqual(await ner.extract(text), []);
});

test("a threshold of 1 lets nothing through, one of 0 more than the model's own", async () => {
  const usual = await ner.extract(TEXT);
  assert.deepEqual(await ner.extract(TEXT, { threshold: 1 }), []);
  assert.ok((await ner.extract(TEXT, { threshold: 0.01 })).length > usual.length);
});

test("calls that go through the model together get what each gets alone", async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `${"Pump ".repeat(index % 7)}${TEXT} ${index}`);
  const alone = [];
  for (const text of texts) alone.push(await ner.extract(text));
  const together = await Promise.all(texts.map((text) => ner.extract(text)));
  const strip = (lists) => lists.map((list) => list.map(({ score, ...rest }) => rest));
  assert.deepEqual(strip(together), strip(alone));
  const scores = (lists) => lists.flat().map(({ score }) => score);
  scores(together).forEach((score, index) => assert.ok(Math.abs(score - scores(alone)[index]) < 1e-3));
});

test("calls in flight do go through the model together", async () => {
  const { Stop, load } = native();
  /** @type {import("../js/addon.d.ts").Model} */
  const model = await new Promise((resolve, reject) => {
    load(MODEL, "cpu", "f32", new Stop(), (event) => {
      if (event.type === "Loaded") resolve(event.model);
      if (event.type === "Failed") reject(new Error(event.message));
    });
  });
  // only texts that go alone are reported window by window
  let alone = 0;
  const extract = () =>
    new Promise((resolve) => {
      model.extract(TEXT, undefined, new Stop(), ({ type }) => {
        if (type === "Windows") alone += 1;
        if (type === "Found") resolve(undefined);
      });
    });
  await Promise.all(Array.from({ length: 60 }, extract));
  assert.ok(alone <= 20, `${alone} of 60 went alone`);
  model.dispose();
});

test("auto and wgpu follow the rules of the command line", async () => {
  const auto = await Recognizer.load(MODEL);
  assert.ok(auto.device.kind === "wgpu" || auto.device.reason === "no GPU was found", auto.device.reason);
  assert.doesNotMatch(auto.device.name, /llvmpipe|SwiftShader/);
  auto.dispose();

  let wgpu;
  try {
    wgpu = await Recognizer.load(MODEL, { device: "wgpu" });
  } catch (/** @type {any} */ error) {
    assert.equal(error.code, "device");
    assert.match(error.message, /install the driver of your GPU/);
    return;
  }
  assert.equal(wgpu.device.kind, "wgpu");
  const strip = (entities) => entities.map(({ score, ...rest }) => rest);
  assert.deepEqual(strip(await wgpu.extract(TEXT)), strip(await ner.extract(TEXT)));
  wgpu.dispose();
});

test("extractBatch of an array keeps its order", async () => {
  const texts = Array.from({ length: 600 }, (_, index) => (index % 3 === 0 ? "" : `Valve ${index}: ${TEXT}`));
  const lists = await ner.extractBatch(texts);
  assert.equal(lists.length, texts.length);
  lists.forEach((list, index) => {
    assert.equal(list.length === 0, index % 3 === 0, `text ${index}`);
    for (const entity of list) assert.equal(texts[index].slice(entity.start, entity.end), entity.text);
  });
  assert.deepEqual(await ner.extractBatch([]), []);
});

test("device and labels can be read and not changed", () => {
  assert.equal(ner.device.kind, "cpu");
  assert.match(ner.device.name, /^CPU/);
  assert.equal(ner.device.reason, "asked for");
  assert.ok(ner.labels.includes("SHIP"));
  assert.throws(() => /** @type {any} */ (ner.labels).push("X"), TypeError);
});

test("a folder, its URL, its files in memory and a web server are the same model", async () => {
  const files = new Map(readdirSync(MODEL).map((name) => [name, readFileSync(join(MODEL, name))]));
  const server = createServer((request, response) => {
    const file = files.get(String(request.url).replace("/models/tiny/", ""));
    response.statusCode = file ? 200 : 404;
    response.end(file);
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const address = `http://127.0.0.1:${port}/models/tiny`;
  const expected = await ner.extract(TEXT);
  for (const source of [
    pathToFileURL(MODEL),
    String(pathToFileURL(MODEL)),
    files,
    Object.fromEntries(files),
    address,
  ]) {
    const stages = [];
    const other = await Recognizer.load(source, { device: "cpu", onProgress: ({ stage }) => stages.push(stage) });
    assert.deepEqual(await other.extract(TEXT), expected);
    assert.equal(stages.at(-1), "build");
    other.dispose();
  }
  const missing = await rejects(Recognizer.load(`http://127.0.0.1:${port}/nowhere`), "network");
  assert.match(missing.message, /config\.json.*404/);
  server.closeAllConnections();
  server.close();
  await rejects(Recognizer.load(address), "network");
});

test("progress of a load counts bytes, that of work counts windows", async () => {
  const loading = [];
  const own = await loadOnCpu({ onProgress: (progress) => loading.push(progress) });
  assert.deepEqual(
    loading.map(({ stage }) => stage),
    ["load", "build"],
  );
  assert.ok(loading[0].loaded === loading[0].total && loading[0].total > 1e5);

  const steps = [];
  await own.extract(longText(20_000), { onProgress: (progress) => steps.push(progress) });
  assert.ok(steps.length > 2);
  for (const { stage, total } of steps) assert.deepEqual([stage, total], ["extract", steps[0].total]);
  const done = steps.map((step) => step.done);
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  assert.equal(done.at(-1), steps[0].total);

  const batch = [];
  await own.extractBatch([TEXT, longText(20_000), "", TEXT], { onProgress: (progress) => batch.push(progress) });
  assert.deepEqual([batch.at(-1).done, batch.at(-1).total], [steps[0].total + 3, steps[0].total + 3]);
  own.dispose();
});

test("the longest text neither blocks the event loop nor holds up a short one", async () => {
  const text = longText(MAX_TEXT_LENGTH);
  const controller = new AbortController();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const long = rejects(ner.extract(text, { signal: controller.signal }), "aborted");
  const waits = [];
  for (let round = 0; round < 20; round += 1) {
    const begun = performance.now();
    assert.ok((await ner.extract(TEXT)).length > 0);
    waits.push(performance.now() - begun);
  }
  controller.abort();
  await long;
  delay.disable();
  // the first may wait for the long text to be split into words; a whole pass over it would take far longer
  waits.sort((a, b) => a - b);
  assert.ok(waits[10] < 1_000, `a short text waited ${waits[10]} ms`);
  assert.ok(delay.max / 1e6 < 200, `the event loop stood still for ${delay.max / 1e6} ms`);
});

test("the event loop turns while a model loads", async () => {
  const order = [];
  setImmediate(() => order.push("turned"));
  const own = await loadOnCpu();
  order.push("loaded");
  own.dispose();
  assert.deepEqual(order, ["turned", "loaded"]);
});

test("many recognizers live side by side", async () => {
  const many = await Promise.all(Array.from({ length: 8 }, () => loadOnCpu()));
  const expected = await ner.extract(TEXT);
  for (const entities of await Promise.all(many.map((one) => one.extract(TEXT)))) assert.deepEqual(entities, expected);
  for (const one of many) one.dispose();
});

test("CommonJS gets the same classes", () => {
  const required = createRequire(import.meta.url)("innerspan-node");
  assert.equal(required.Recognizer, Recognizer);
  assert.equal(required.InnerspanError, InnerspanError);
  assert.equal(required.MAX_TEXT_LENGTH, 1_000_000);
});
