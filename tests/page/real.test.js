// The page as it is shipped, with the package as it was built and the model of the demo.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ROOT, launch, serve } from "./chromium.js";
import { assertSmooth, watchTasks } from "./tasks.js";

const WWW = join(ROOT, "www");
const MODEL = join(WWW, "public/models/demo");
const missing = [join(ROOT, "wasm/dist/build/cpu.wasm"), join(MODEL, "config.json")].filter(
  (file) => !existsSync(file),
);
/** Without the package or the model there is nothing to test. */
const skip = missing.length > 0 && `${missing} is missing: build wasm/, and \`npm run models\` in www/`;

let browser, server, context, page, errors;

before(async () => {
  if (skip) return;
  const vite = createRequire(join(WWW, "package.json")).resolve("vite");
  const { build } = await import(pathToFileURL(vite).href);
  await build({ root: WWW, configFile: join(WWW, "vite.config.js"), logLevel: "error" });
  [browser, server] = await Promise.all([launch(), serve(join(WWW, "dist"))]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(async () => {
  if (skip) return;
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
});
afterEach(async () => {
  await context?.close();
  assert.deepEqual(errors ?? [], []);
});

/** Opens the page and waits until its example has been read; milliseconds to the first entity. */
async function open(device = "cpu") {
  const began = performance.now();
  await page.goto(`${server.url}/?device=${device}`);
  await page.waitForSelector("#view mark", { timeout: 120_000 });
  const took = performance.now() - began;
  await read();
  return took;
}
const read = () => page.waitForFunction(() => / read in /.test(document.querySelector("#time").textContent));
const marks = () => page.$$eval("#view mark", (all) => all.map((mark) => `${mark.dataset.label}=${mark.textContent}`));

test("it opens with the model of the demo and finds names inside names", { skip }, async (t) => {
  const cold = await open();
  const found = await marks();
  for (const expected of ["PERSON=Maren Tóth", "SHIP=Grey Petrel", "ORG=Lodsvik Class Register", "PLACE=Lodsvik"]) {
    assert.ok(found.includes(expected), `${expected} in ${found.join("; ")}`);
  }
  assert.ok((await page.$$("#view mark mark")).length > 3);
  assert.match(await page.textContent("#device"), /^CPU/);
  assert.match(await page.textContent("#loaded"), /^\d+(\.\d)? [kM]B loaded$/);
  await page.reload();
  const warm = await open();
  t.diagnostic(`first entity after ${cold.toFixed(0)} ms, at a second visit after ${warm.toFixed(0)} ms`);
});

const noGpu = skip || (!existsSync(join(ROOT, "wasm/dist/build/webgpu.wasm")) && "the build for WebGPU is missing");
test("WebGPU finds the same", { skip: noGpu }, async () => {
  await open("cpu");
  const expected = await marks();
  await open("wgpu");
  assert.match(await page.textContent("#device"), /WebGPU/);
  assert.deepEqual(await marks(), expected);
});

test("what is written is sent nowhere", { skip }, async () => {
  await open();
  await page.waitForTimeout(1000);
  const requests = [];
  context.on("request", (request) => requests.push(request.url()));
  await page.fill("#text", "Ingrid Ásvald closed the inner basin of Sankt Ülmen to all traffic at noon.");
  await page.waitForFunction(() => document.querySelector("#view mark")?.textContent.startsWith("Ingrid"));
  assert.deepEqual(requests, []);
  const refused = await page.evaluate(() => fetch("https://example.com/").catch((error) => error.name));
  assert.equal(refused, "TypeError", "the policy of the page forbids it");
  errors.length = 0;
});

test("a second visit works without a network", { skip }, async () => {
  await open();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.waitForFunction(async () => {
    const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)));
    const kept = (await Promise.all(caches.map((cache) => cache.keys()))).flat();
    return kept.some(({ url }) => url.endsWith(".wasm"));
  });
  await context.setOffline(true);
  await page.goto("about:blank");
  await open();
  assert.ok((await marks()).includes("SHIP=Grey Petrel"));
  await page.fill("#text", "The seal of the Grey Petrel broke.");
  await page.waitForFunction(() => /^1 sentence read/.test(document.querySelector("#time").textContent));
  assert.ok((await marks()).includes("SHIP=Grey Petrel"));
  errors = errors.filter((message) => !/ERR_INTERNET_DISCONNECTED/.test(message));
});

test("the same folder opened from the disk finds the same", { skip }, async () => {
  await open();
  // the page prefers the smallest weights, and a folder on the disk the best
  const precisions = await page.$$eval("#precision option", (all) => all.map(({ value }) => value));
  if (precisions.length > 1) {
    await page.selectOption("#precision", "f32");
    await page.waitForFunction(() => /ready/.test(document.querySelector("#status").textContent));
    await page.waitForTimeout(500);
  }
  const expected = await marks();
  await page.setInputFiles("#folder", MODEL);
  await page.getByText("demo is ready").waitFor();
  await read();
  assert.deepEqual(await marks(), expected);
});

test("a file that is no model is explained", { skip }, async () => {
  await open();
  await page.setInputFiles("#folder", join(ROOT, "tests/page/fake-model"));
  await page.getByText("This model cannot be used").waitFor();
  await page.selectOption("#model", "Harbour logs");
  await page.getByText("Harbour logs is ready").waitFor();
  assert.equal(await page.isVisible("#problem"), false);
});

test("a logbook of 50,000 characters is read while the page stays smooth", { skip }, (t) =>
  assertSmooth(t, async () => {
    await open();
    const stop = await watchTasks(browser);
    await page.getByRole("button", { name: "Whole logbook" }).click();
    await page.waitForFunction(() => document.querySelector("#text").value.length === 50_000);
    await page.locator("#text").press("Control+End");
    await page.locator("#text").pressSequentially(" Maren Tóth went home.", { delay: 60 });
    const done = () => / read in /.test(document.querySelector("#time").textContent);
    await page.waitForFunction(done, null, { timeout: 120_000 });
    t.diagnostic(`${await page.textContent("#summary")}, ${await page.textContent("#time")}`);
    return { read: await stop() };
  }),
);
