import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";

import { loadOnCpu, rejects, TEXT } from "./support.mjs";

/** @type {import("innerspan-node").Recognizer} */
let ner;
before(async () => (ner = await loadOnCpu()));
after(() => ner.dispose());

/** A stream that counts how far it was read, and says when it was closed. */
function source(count, text = (index) => `${TEXT} ${index}`) {
  const state = { read: 0, closed: false };
  async function* generate() {
    try {
      for (; state.read < count; state.read += 1) yield text(state.read);
    } finally {
      state.closed = true;
    }
  }
  return Object.assign(generate(), { state });
}

test("a stream comes out in its order", async () => {
  const texts = Array.from({ length: 700 }, (_, index) => (index % 2 ? "" : `${TEXT} ${"x ".repeat(index % 50)}`));
  const expected = await ner.extractBatch(texts);
  const lists = [];
  for await (const list of ner.extractBatch(source(texts.length, (index) => texts[index]))) lists.push(list);
  assert.deepEqual(
    lists.map((list) => list.length),
    expected.map((list) => list.length),
  );
});

test("a reader that waits holds up its source", async () => {
  const texts = source(5_000);
  let read = 0;
  for await (const _ of ner.extractBatch(texts)) {
    read += 1;
    if (read === 10) {
      await sleep(300);
      assert.ok(texts.state.read <= read + 260, `read ${texts.state.read} ahead of ${read}`);
      break;
    }
  }
  assert.ok(texts.state.closed, "the source was left open");
});

test("long texts are read ahead by their length", async () => {
  const texts = source(1_000, () => "pump ".repeat(40_000));
  for await (const _ of ner.extractBatch(texts)) break;
  assert.ok(texts.state.read <= 4, `read ${texts.state.read} of 200,000 characters each`);
});

test("what is there comes out although the source is slow", async () => {
  async function* slow() {
    yield TEXT;
    await sleep(2_000);
    yield TEXT;
  }
  const begun = performance.now();
  for await (const list of ner.extractBatch(slow())) {
    assert.ok(list.length > 0);
    break;
  }
  assert.ok(performance.now() - begun < 1_500);
});

test("an error of the source comes out where it arose", async () => {
  async function* broken() {
    yield TEXT;
    throw new RangeError("the disk is gone");
  }
  const stream = ner.extractBatch(broken());
  assert.ok((await stream.next()).value.length > 0);
  await assert.rejects(stream.next(), RangeError);
  assert.equal((await stream.next()).done, true);
});

test("a text of the stream that is none names its place", async () => {
  const stream = ner.extractBatch(source(10, (index) => (index === 3 ? /** @type {any} */ (7) : TEXT)));
  const lists = [];
  const error = await rejects(
    (async () => {
      for await (const list of stream) lists.push(list);
    })(),
    "input",
  );
  assert.match(error.message, /texts\[3\] must be a string, not 7/);
});

test("a signal ends a stream, and closes its source", async () => {
  const controller = new AbortController();
  const texts = source(1e6);
  const reading = (async () => {
    for await (const _ of ner.extractBatch(texts, { signal: controller.signal })) controller.abort(new Error("enough"));
  })();
  const error = await rejects(reading, "aborted");
  assert.equal(error.cause.message, "enough");
  await sleep(50);
  assert.ok(texts.state.closed);
});
