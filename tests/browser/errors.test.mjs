import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { TEXT, lab } from "./lab.mjs";
import { modelFolder } from "./models.mjs";

const at = lab();
afterEach(() => at.server.faults.clear());

const edit = (change) => ({ replace: (content) => Buffer.from(change(content.toString())) });
const config = (change) =>
  edit((content) => {
    const json = JSON.parse(content);
    change(json);
    return JSON.stringify(json);
  });

/** What a load ends with. */
async function load(options = {}, variant = "innerspan") {
  const { page, context, problems } = await at.page();
  const result = await page.evaluate(
    ([options, variant]) => outcome(window[variant].Recognizer.load("model", options).then(() => "loaded")),
    [options, variant],
  );
  assert.deepEqual(problems, [], "nothing reaches the console");
  await context.close();
  return result;
}

const FAULTS = [
  ["weights that are not there", "model.safetensors", "missing", "network", /404.*model needs its weights/],
  ["a configuration that is not there", "config.json", "missing", "network", /404.*innerspan train/],
  ["a tokenizer that is not there", "tokenizer.json", "missing", "network", /404.*tokenizer/],
  ["a page in place of weights", "model.safetensors", "html", "network", /web page came in place/],
  ["a page in place of the configuration", "config.json", "html", "network", /web page came in place/],
  ["a server in trouble", "tokenizer.json", 503, "network", /503/],
  ["a connection that breaks off", "model.safetensors", "broken", "network", /broke off after \d+ of \d+ bytes/],
  [
    "truncated weights",
    "model.safetensors",
    { replace: (content) => content.subarray(0, content.length / 2) },
    "file",
    /model\.safetensors/,
  ],
  ["weights of a few bytes", "model.safetensors", { replace: () => Buffer.from("{}") }, "file", /model\.safetensors/],
  ["no configuration but text", "config.json", edit(() => "hello"), "file", /config\.json/],
  [
    "a newer format",
    "config.json",
    config((json) => (json.innerspan.format_version = 99)),
    "file",
    /version 99 is newer/,
  ],
  [
    "an encoder that was never trained",
    "config.json",
    config((json) => delete json.innerspan),
    "file",
    /not a trained model/,
  ],
  [
    "a size at odds with the weights",
    "config.json",
    config((json) => (json.intermediate_size = 256)),
    "file",
    /intermediate|shape|\[/,
  ],
  [
    "a size that no memory holds",
    "config.json",
    config((json) => (json.hidden_size = 1 << 30)),
    "file",
    /hidden_size|config/,
  ],
  ["a tokenizer that is none", "tokenizer.json", edit(() => "{}"), "file", /tokenizer\.json/],
];

for (const [what, file, fault, code, message] of FAULTS) {
  test(`${what}: rejects with "${code}" and says so`, async () => {
    at.server.faults.set(file, fault);
    for (const variant of ["innerspan", "worker"]) {
      const result = await load({ device: "cpu" }, variant);
      assert.equal(result.code, code, JSON.stringify(result));
      assert.match(result.message, message);
      assert.ok(result.ours);
    }
  });
}

test("a precision without its file says how to write it", async () => {
  at.server.faults.set("model.q8.safetensors", "missing");
  const result = await load({ device: "cpu", precision: "q8" });
  assert.equal(result.code, "network");
  assert.match(result.message, /innerspan quantize --precision q8/);
});

test('a tokenizer that makes its reader panic rejects with "file", and the next load is unharmed', async () => {
  const { page, context, problems } = await at.page();
  const json = JSON.parse(readFileSync(join(modelFolder(), "tokenizer.json"), "utf8"));
  // a post-processor that names a token it does not define
  json.normalizer = { type: "Precompiled", precompiled_charsmap: "AAAA" };
  at.server.faults.set("tokenizer.json", { replace: () => Buffer.from(JSON.stringify(json)) });
  const results = [];
  for (const variant of ["innerspan", "worker"]) {
    results.push(
      await page.evaluate((variant) => outcome(window[variant].Recognizer.load("model", { device: "cpu" })), variant),
    );
  }
  for (const result of results) {
    assert.equal(result.code, "file", JSON.stringify(result));
    assert.match(result.message, /tokenizer\.json/);
  }
  at.server.faults.clear();
  const again = await page.evaluate(() => outcome(innerspan.Recognizer.load("model", { device: "cpu" }).then(() => 1)));
  assert.equal(again.value, 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('arguments that make no sense reject with "input" and leave the recognizer usable', async () => {
  const { page, context, problems } = await at.page();
  for (const variant of ["innerspan", "worker"]) {
    const results = await page.evaluate(
      async ([variant, text]) => {
        const { Recognizer } = window[variant];
        const ner = await Recognizer.load("model", { device: "cpu" });
        const results = {};
        const put = async (name, promise) => (results[name] = await outcome(promise));
        await put("number", ner.extract(5));
        await put("nothing", ner.extract());
        await put("lone surrogate", ner.extract("a\uD83Db"));
        await put("lone surrogate in a batch", ner.extractBatch(["a", "\uDE00"]));
        await put("no array", ner.extractBatch("text"));
        await put("threshold", ner.extract(text, { threshold: 2 }));
        await put("not a number", ner.extract(text, { threshold: NaN }));
        await put("options", ner.extract(text, 5));
        await put("signal", ner.extract(text, { signal: 5 }));
        await put("device", Recognizer.load("model", { device: "gpu" }));
        await put("precision", Recognizer.load("model", { precision: "f64" }));
        await put("source", Recognizer.load(undefined));
        await put("empty source", Recognizer.load({}));
        await put("files that are none", Recognizer.load({ "config.json": 5 }));
        results.after = (await ner.extract(text)).length;
        ner.dispose();
        return results;
      },
      [variant, TEXT],
    );
    const { after, ...refused } = results;
    for (const [name, result] of Object.entries(refused)) {
      assert.equal(result.code, "input", `${variant}, ${name}: ${JSON.stringify(result)}`);
      assert.ok(result.ours);
    }
    assert.match(results["lone surrogate"].message, /U\+D83D.* at 1/);
    assert.match(results["lone surrogate in a batch"].message, /text 1 /);
    assert.ok(after > 0);
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test('a text of 5 MB rejects with "too-long" at once', async () => {
  const { page, context } = await at.page();
  const { result, later } = await page.evaluate(async () => {
    const ner = await innerspan.Recognizer.load("model", { device: "cpu" });
    let later = false;
    setTimeout(() => (later = true));
    return { result: await outcome(ner.extract("word ".repeat(1e6))), later };
  });
  assert.equal(result.code, "too-long");
  assert.match(result.message, /5,000,000.*1,000,000.*split/);
  assert.equal(later, false, "before the page has another turn");
  await context.close();
});

test('after dispose, and while it is disposed of, calls reject with "disposed"', async () => {
  const { page, context, problems } = await at.page();
  for (const variant of ["innerspan", "worker"]) {
    const [running, later] = await page.evaluate(
      async ([variant, text]) => {
        const ner = await window[variant].Recognizer.load("model", { device: "cpu" });
        const running = outcome(ner.extract(text.repeat(50)));
        await new Promise((resolve) => setTimeout(resolve, 5));
        ner.dispose();
        ner.dispose();
        return [await running, await outcome(ner.extract(text))];
      },
      [variant, TEXT],
    );
    assert.equal(running.code, "disposed");
    assert.equal(later.code, "disposed");
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("a signal stops a recognition, and the next one works", async () => {
  const { page, context, problems } = await at.page();
  for (const variant of ["innerspan", "worker"]) {
    const [before, during, after] = await page.evaluate(
      async ([variant, text]) => {
        const ner = await window[variant].Recognizer.load("model", { device: "cpu" });
        const before = await outcome(ner.extract(text, { signal: AbortSignal.abort() }));
        const controller = new AbortController();
        const during = outcome(
          ner.extract(text.repeat(100), { signal: controller.signal, onProgress: () => controller.abort() }),
        );
        return [before, await during, await outcome(ner.extract(text))];
      },
      [variant, TEXT],
    );
    assert.equal(before.code, "aborted");
    assert.equal(during.code, "aborted");
    assert.ok(after.value.length > 0);
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("what a progress function throws is what the call rejects with", async () => {
  const { page, context, problems } = await at.page();
  for (const variant of ["innerspan", "worker"]) {
    const [loading, extracting, after] = await page.evaluate(
      async ([variant, text]) => {
        const { Recognizer } = window[variant];
        const onProgress = () => {
          throw new TypeError("mine");
        };
        const loading = await outcome(Recognizer.load("model", { device: "cpu", onProgress }));
        const ner = await Recognizer.load("model", { device: "cpu" });
        return [loading, await outcome(ner.extract(text, { onProgress })), await outcome(ner.extract(text))];
      },
      [variant, TEXT],
    );
    for (const result of [loading, extracting]) assert.deepEqual([result.name, result.message], ["TypeError", "mine"]);
    assert.ok(after.value.length > 0);
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test('with WebGPU asked for and none there, load rejects with "device"; auto says why it took the CPU', async () => {
  const refused = await load({ device: "wgpu" });
  assert.equal(refused.code, "device");
  assert.match(refused.message, /use the device "cpu"/);
  const { page, context } = await at.page();
  const device = await page.evaluate(async () => (await innerspan.Recognizer.load("model")).device);
  assert.equal(device.kind, "cpu");
  assert.match(device.reason, /WebGPU|GPU/);
  await context.close();
});

test('without enough memory it rejects with "memory", and with a shorter text works again', async () => {
  // the program with a limit on its memory that the model fits into, but not a long text
  const pages = 700;
  const { page, context, problems } = await at.page();
  await page.route("**/cpu.wasm", async (route) => {
    const response = await route.fetch();
    const body = limitMemory(await response.body(), pages);
    await route.fulfill({ response, body, headers: { ...response.headers(), "content-length": String(body.length) } });
  });
  const [long, short] = await page.evaluate(async (text) => {
    const ner = await innerspan.Recognizer.load("model", { device: "cpu" });
    const long = await outcome(ner.extractBatch(Array(60).fill(text.repeat(9000))));
    return [long, await outcome(ner.extract(text))];
  }, TEXT);
  assert.equal(long.code, "memory", JSON.stringify(long).slice(0, 500));
  assert.match(long.message, /not enough memory/);
  assert.ok(short.value?.length > 0, JSON.stringify(short));
  assert.deepEqual(problems, []);
  await context.close();
});

/** The same program, its memory limited to a number of 64 KiB pages. */
function limitMemory(program, pages) {
  const number = (at) => {
    let value = 0;
    for (let shift = 0; ; shift += 7, at++) {
      value |= (program[at] & 127) << shift;
      if (program[at] < 128) return [value >>> 0, at + 1];
    }
  };
  const bytes = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...bytes(value >>> 7)]);
  for (let at = 8; at < program.length;) {
    const [size, start] = number(at + 1);
    if (program[at] === 5) {
      const [minimum] = number(start + 2); // one memory, its flags, its minimum
      const section = [1, 1, ...bytes(minimum), ...bytes(Math.max(minimum, pages))];
      return Buffer.concat([
        program.subarray(0, at),
        Buffer.from([5, ...bytes(section.length), ...section]),
        program.subarray(start + size),
      ]);
    }
    at = start + size;
  }
  throw new Error("a program without a memory");
}
