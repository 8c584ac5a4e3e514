import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { conform } from "./conformance.mjs";
import { TEXT, prepare } from "./lab.mjs";
import { modelFolder, root } from "./models.mjs";
import { serve } from "./server.mjs";

const executablePath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const skip = existsSync(executablePath) ? false : `no Firefox at ${executablePath}`;
let server;
let browser;

before(async () => {
  if (skip) return;
  const models = { "/model/": modelFolder(), "/bert/": modelFolder(), "/roberta/": modelFolder("roberta") };
  server = await serve({ "/package/": join(root, "wasm", "dist"), ...models });
  browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test(
  "Firefox agrees with the reference on the CPU, in the page and in a worker, and again without a network",
  { skip },
  async () => {
    const page = await browser.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(`${server.origin}/page.html`);
    await prepare(page);
    for (const precision of ["f32", "f16", "q8"]) await conform(page, { precision });
    await conform(page, { model: "roberta" });
    const { own, theirs, refused } = await page.evaluate(async (text) => {
      const load = ({ Recognizer }) => Recognizer.load("model", { device: "cpu", precision: "q8" });
      const [one, other] = [await load(innerspan), await load(worker)];
      const refused = await outcome(one.extract("\uD800"));
      return { own: await one.extract(text), theirs: await other.extract(text), refused };
    }, TEXT);
    assert.ok(own.length > 0);
    for (const { start, end, text } of own) assert.equal(TEXT.slice(start, end), text);
    assert.deepEqual(theirs, own);
    assert.equal(refused.code, "input");
    for (const name of ["config.json", "tokenizer.json", "model.q8.safetensors"]) server.faults.set(name, 503);
    const kept = await page.evaluate(async (text) => {
      const ner = await innerspan.Recognizer.load("model", { device: "auto", precision: "q8" });
      return { device: ner.device, entities: await ner.extract(text) };
    }, TEXT);
    assert.deepEqual(kept.entities, own);
    assert.ok(kept.device.reason);
    assert.deepEqual(problems, []);
  },
);
