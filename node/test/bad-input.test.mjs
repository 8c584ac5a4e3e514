import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { pipeline, Readable } from "node:stream";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { MAX_TEXT_LENGTH, Recognizer } from "innerspan-node";

import { loadOnCpu, longText, MODEL, rejects, residentMiB, TEXT } from "./support.mjs";

/** @type {any} */
let ner;
let scratch = "";
before(async () => {
  ner = await loadOnCpu();
  scratch = mkdtempSync(join(tmpdir(), "innerspan-"));
});
after(() => {
  ner.dispose();
  rmSync(scratch, { recursive: true });
});

describe("a text", () => {
  for (const value of [undefined, null, 7, {}, [], Symbol("x"), 7n, () => "", new String("x"), Buffer.from("x")]) {
    test(`that is ${typeof value} ${Array.isArray(value) ? "[]" : ""} is refused`, async () => {
      const error = await rejects(ner.extract(value), "input");
      assert.match(error.message, /^text must be a string, not /);
    });
  }

  test("with a lone surrogate is refused, and told where", async () => {
    for (const text of ["ab\uD800", "ab\uDC00cd", "ab\uDC00\uD800", "ab\uD83D \uDE00"]) {
      assert.match((await rejects(ner.extract(text), "input")).message, /lone surrogate at 2/);
    }
    assert.match((await rejects(ner.extract("😀\uD800"), "input")).message, /lone surrogate at 2/);
  });

  test("of one unit more than the most is refused at once, as is one of 50 MB", async () => {
    for (const length of [MAX_TEXT_LENGTH + 1, 50 << 20]) {
      const text = "a".repeat(length);
      const begun = performance.now();
      await rejects(ner.extract(text), "too-long");
      assert.ok(performance.now() - begun < 50);
    }
  });
});

describe("options", () => {
  const cases = {
    "null as options": null,
    "a string as options": "0.5",
    "an unknown option": { treshold: 0.5 },
    "a threshold below 0": { threshold: -0.1 },
    "a threshold above 1": { threshold: 1.1 },
    "a threshold that is NaN": { threshold: NaN },
    "a threshold that is a string": { threshold: "0.5" },
    "a signal that is none": { signal: {} },
    "a callback that is none": { onProgress: "log" },
  };
  for (const [name, options] of Object.entries(cases)) {
    test(`${name} is refused`, async () => {
      await rejects(ner.extract(TEXT, options), "input");
      await rejects(ner.extractBatch([TEXT], options), "input");
      await rejects(Recognizer.load(MODEL, /** @type {any} */ (options)), "input");
    });
  }

  test("texts that are no array are refused", async () => {
    for (const texts of [undefined, null, TEXT, 7, new Set([TEXT]), { length: 1, 0: TEXT }]) {
      await rejects(ner.extractBatch(texts), "input");
    }
    assert.match((await rejects(ner.extractBatch([TEXT, 7]), "input")).message, /texts\[1\]/);
  });

  test("an unknown device or precision is refused", async () => {
    await rejects(Recognizer.load(MODEL, /** @type {any} */ ({ device: "gpu" })), "input");
    await rejects(Recognizer.load(MODEL, /** @type {any} */ ({ precision: "int4" })), "input");
  });
});

describe("a callback that throws", () => {
  const onProgress = () => {
    throw new RangeError("mine");
  };

  test("rejects the call and carries what was thrown", async () => {
    for (const call of [ner.extract(TEXT, { onProgress }), ner.extractBatch([TEXT, TEXT], { onProgress })]) {
      const error = await rejects(call, "input");
      assert.ok(error.cause instanceof RangeError);
      assert.match(error.message, /onProgress threw: mine/);
    }
    assert.ok((await ner.extract(TEXT)).length > 0);
  });

  test("rejects a load", async () => {
    await rejects(Recognizer.load(MODEL, { device: "cpu", onProgress }), "input");
  });

  test("later, because it is asynchronous, rejects the call too", async () => {
    let failed = 0;
    const onProgress = async () => {
      await sleep(20);
      failed += 1;
      throw new RangeError("mine");
    };
    const error = await rejects(ner.extract(longText(500_000), { onProgress }), "input");
    assert.ok(error.cause instanceof RangeError);
    // where the call has ended by then it stays as it is, and the process lives on
    const before = failed;
    assert.ok((await ner.extract(TEXT, { onProgress })).length > 0);
    while (failed === before) await sleep(20);
  });
});

describe("a signal", () => {
  test("that is aborted already stops everything before it begins", async () => {
    const signal = AbortSignal.abort(new Error("no need"));
    for (const call of [ner.extract(TEXT, { signal }), ner.extractBatch([TEXT], { signal }), loadOnCpu({ signal })]) {
      assert.equal((await rejects(call, "aborted")).cause.message, "no need");
    }
  });

  test("stops work at once", async () => {
    const controller = new AbortController();
    const call = ner.extract(longText(MAX_TEXT_LENGTH), { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    const begun = performance.now();
    await rejects(call, "aborted");
    assert.ok(performance.now() - begun < 500);
    assert.ok((await ner.extract(TEXT)).length > 0);
  });

  test("may be shared by many calls", async () => {
    const warnings = [];
    const warn = (/** @type {Error} */ warning) => warnings.push(warning.message);
    process.on("warning", warn);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 50 }, () => ner.extract(TEXT, { signal })));
    assert.equal(getEventListeners(signal, "abort").length, 0);

    const controller = new AbortController();
    const calls = Array.from({ length: 50 }, () => ner.extract(longText(9_000), { signal: controller.signal }));
    setImmediate(() => controller.abort());
    await Promise.all(calls.map((call) => rejects(call, "aborted")));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warn);
    assert.deepEqual(warnings, []);
  });

  test("stops a load", async () => {
    const controller = new AbortController();
    const call = loadOnCpu({ signal: controller.signal });
    controller.abort();
    await rejects(call, "aborted");
  });
});

describe("a recognizer that was disposed of", () => {
  test("refuses calls, and may be disposed of again", async () => {
    const own = await loadOnCpu();
    own.dispose();
    own.dispose();
    await rejects(own.extract(TEXT), "disposed");
    await rejects(own.extractBatch([TEXT]), "disposed");
    await rejects(
      own
        .extractBatch(
          (async function* () {
            yield TEXT;
          })(),
        )
        .next(),
      "disposed",
    );
    assert.ok(own.labels.length > 0);
  });

  test("rejects the calls that are under way", async () => {
    const own = await loadOnCpu();
    const calls = [own.extract(longText(500_000)), own.extract(longText(500_000)), own.extract(longText(9_000))];
    setImmediate(() => own.dispose());
    for (const call of calls) await rejects(call, "disposed");
  });

  test("cannot be made without loading", () => {
    assert.throws(() => new /** @type {any} */ (Recognizer)(), { code: "input" });
  });
});

describe("a model", () => {
  const weights = "model.safetensors";
  const damages = {
    "without a config": [(folder) => rmSync(join(folder, "config.json")), "config.json"],
    "without a tokenizer": [(folder) => rmSync(join(folder, "tokenizer.json")), "tokenizer.json"],
    "without weights": [(folder) => rmSync(join(folder, weights)), weights],
    "without weights of that precision": [(folder) => rmSync(join(folder, "model.q8.safetensors")), "q8", "q8"],
    "with an empty config": [(folder) => writeFileSync(join(folder, "config.json"), ""), "config.json"],
    "with a config that is no JSON": [(folder) => writeFileSync(join(folder, "config.json"), "<html>"), "config.json"],
    "with half of its weights": [
      (folder) => truncateSync(join(folder, weights), statSync(join(folder, weights)).size / 2),
      weights,
    ],
    "with weights that are noise": [(folder) => writeFileSync(join(folder, weights), "x".repeat(10_000)), weights],
    "with a tokenizer that is noise": [
      (folder) => writeFileSync(join(folder, "tokenizer.json"), "{}"),
      "tokenizer.json",
    ],
    "of a newer version": [
      (folder) => {
        const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
        config.innerspan.format_version = 99;
        writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      },
      "newer",
    ],
  };
  for (const [name, [damage, named, precision]] of Object.entries(damages)) {
    test(`${name} is refused by name`, async () => {
      const folder = mkdtempSync(join(scratch, "model-"));
      cpSync(MODEL, folder, { recursive: true, dereference: true });
      damage(folder);
      const error = await rejects(Recognizer.load(folder, { device: "cpu", precision }), "file");
      assert.match(error.message, new RegExp(named));
    });
  }

  test("that is not there is refused", async () => {
    assert.match((await rejects(Recognizer.load("/nowhere/at/all"), "file")).message, /no such folder/);
    await rejects(Recognizer.load(`${MODEL}/config.json`), "file");
  });

  test("that is no model is refused", async () => {
    for (const source of [undefined, null, 7, "", "a\0b", [], "hf:", "hf:../x", new URL("ftp://host/x"), "https://"]) {
      await rejects(Recognizer.load(/** @type {any} */ (source)), "input");
    }
    await rejects(Recognizer.load({}), "file");
    await rejects(Recognizer.load(/** @type {any} */ ({ "config.json": "{}" })), "input");
  });

  test("for which there is no room is refused", async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1 << 20);
      })(),
    );
    const server = createServer((request, response) => {
      if (request.url === "/config.json") return response.end("{}");
      if (request.url === "/endless/config.json") return void pipeline(endless, response, () => {});
      // 1 PB, of which nothing comes
      response.writeHead(200, { "content-length": 1e15 });
      response.flushHeaders();
    });
    await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    await rejects(Recognizer.load(`http://127.0.0.1:${port}`), "memory");
    await rejects(Recognizer.load(`http://127.0.0.1:${port}/endless`), "file");
    server.closeAllConnections();
    server.close();
  });
});

test("10,000 bad calls leave memory flat", { timeout: 600_000 }, async () => {
  const [empty, corrupt] = [mkdtempSync(join(scratch, "bad-")), mkdtempSync(join(scratch, "bad-"))];
  cpSync(MODEL, corrupt, { recursive: true });
  truncateSync(join(corrupt, "model.safetensors"), statSync(join(corrupt, "model.safetensors")).size / 2);
  const huge = "a".repeat(50 << 20);
  const onProgress = () => {
    throw new RangeError("mine");
  };
  async function* broken() {
    yield TEXT;
    yield null;
  }
  const all = async (/** @type {any} */ stream) => {
    for await (const _ of stream);
  };
  const controller = new AbortController();
  const disposed = await loadOnCpu();
  disposed.dispose();
  const bad = [
    () => rejects(ner.extract(7), "input"),
    () => rejects(ner.extract("\uD800"), "input"),
    () => rejects(ner.extract(huge), "too-long"),
    () => rejects(ner.extract(TEXT, { signal: AbortSignal.abort() }), "aborted"),
    () => rejects(ner.extractBatch([TEXT, null], { signal: controller.signal }), "input"),
    () => rejects(all(ner.extractBatch(broken())), "input"),
    () => rejects(ner.extract(TEXT, { onProgress }), "input"),
    () => rejects(disposed.extract(TEXT), "disposed"),
    () => rejects(Recognizer.load(empty, { device: "cpu" }), "file"),
    () => rejects(Recognizer.load(corrupt, { device: "cpu" }), "file"),
    () => rejects(Recognizer.load("hf:a/b/c", { device: "cpu" }), "input"),
    () => rejects(Recognizer.load({ "config.json": Buffer.from("{") }, { device: "cpu" }), "file"),
  ];
  const rounds = async (count) => {
    for (let round = 0; round < count; round += 1) await Promise.all(bad.map((call) => call()));
  };
  await rounds(300);
  const before = await residentMiB();
  await rounds(Math.ceil(10_000 / bad.length));
  const grown = (await residentMiB()) - before;
  assert.ok(grown < 24, `${grown.toFixed(1)} MiB more than before`);
});
