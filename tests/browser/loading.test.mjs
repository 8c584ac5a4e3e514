import assert from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { TEXT, lab } from "./lab.mjs";
import { modelFolder } from "./models.mjs";
import { serve } from "./server.mjs";

const at = lab();
afterEach(() => at.server.faults.clear());
const NAMES = ["config.json", "tokenizer.json", "model.safetensors"];

test("progress counts the bytes of all files, and then the model is built", async () => {
  const { page, context } = await at.page();
  const steps = await page.evaluate(async () => {
    const steps = [];
    await innerspan.Recognizer.load("model", { device: "cpu", onProgress: (step) => steps.push(step) });
    return steps;
  });
  const size = NAMES.reduce((sum, name) => sum + statSync(join(modelFolder(), name)).size, 0);
  const loads = steps.filter(({ stage }) => stage === "load");
  assert.ok(loads.length >= NAMES.length); // how many more depends on how the network cuts them
  assert.ok(loads.every(({ total }) => total === size));
  assert.ok(loads.every(({ loaded }, index) => index === 0 || loaded > loads[index - 1].loaded));
  assert.equal(loads.at(-1).loaded, size);
  assert.deepEqual(new Set(loads.map(({ file }) => file)), new Set(NAMES));
  assert.deepEqual(steps.at(-1), { stage: "build" });
  await context.close();
});

test("q8 downloads about a quarter of f32", async () => {
  const { page, context } = await at.page();
  const [f32, q8] = await page.evaluate(async () => {
    const weights = async (precision) => {
      const bytes = {};
      let before = 0;
      const onProgress = ({ file, loaded }) => {
        if (!file) return;
        bytes[file] = (bytes[file] ?? 0) + loaded - before;
        before = loaded;
      };
      await innerspan.Recognizer.load("model", { device: "cpu", precision, onProgress });
      return bytes[precision === "f32" ? "model.safetensors" : `model.${precision}.safetensors`];
    };
    return [await weights("f32"), await weights("q8")];
  });
  assert.ok(q8 / f32 > 0.24 && q8 / f32 < 0.3, `${q8} of ${f32}`);
  await context.close();
});

test("a second visit asks only whether files have changed, and works without a network", async () => {
  const { page, context } = await at.page();
  const load = () =>
    page.evaluate(
      (text) => innerspan.Recognizer.load("model", { device: "cpu" }).then((ner) => ner.extract(text)),
      TEXT,
    );
  const first = await load();
  at.server.requests.length = 0;
  assert.deepEqual(await load(), first);
  const second = at.server.requests.filter((line) => line.includes("/model/"));
  assert.deepEqual(second.sort(), NAMES.map((name) => `HEAD /model/${name} 200`).sort());
  for (const name of NAMES) at.server.faults.set(name, 503);
  assert.deepEqual(await load(), first, "with a server in trouble");
  await context.setOffline(true);
  assert.deepEqual(await load(), first, "offline");
  const gone = await page.evaluate(() =>
    outcome(innerspan.clearCache().then(() => innerspan.Recognizer.load("model", { device: "cpu" }))),
  );
  assert.equal(gone.code, "network");
  await context.close();
});

test("a file that has changed is downloaded anew", async () => {
  const { page, context } = await at.page();
  const load = () => page.evaluate(() => innerspan.Recognizer.load("model", { device: "cpu" }).then(() => 1));
  await load();
  const path = join(modelFolder(), "tokenizer.json");
  utimesSync(path, new Date(), new Date(Date.now() - 1000 * Math.ceil(Math.random() * 1e6)));
  at.server.requests.length = 0;
  await load();
  const gets = at.server.requests.filter((line) => line.startsWith("GET /model/"));
  assert.deepEqual(gets, ["GET /model/tokenizer.json 200"]);
  await context.close();
});

test("a download that broke off is not kept", async () => {
  const { page, context } = await at.page();
  const load = () => page.evaluate(() => outcome(innerspan.Recognizer.load("model", { device: "cpu" }).then(() => 1)));
  at.server.faults.set("model.safetensors", "broken");
  assert.equal((await load()).code, "network");
  at.server.faults.clear();
  assert.equal((await load()).value, 1);
  await context.close();
});

test("a signal stops a download at once", async () => {
  const { page, context, problems } = await at.page();
  at.server.faults.set("model.safetensors", "stalled");
  for (const variant of ["innerspan", "worker"]) {
    const result = await page.evaluate(async (variant) => {
      const controller = new AbortController();
      const onProgress = ({ file }) => file === "model.safetensors" && controller.abort();
      return outcome(
        window[variant].Recognizer.load("model", { device: "cpu", onProgress, signal: controller.signal }),
      );
    }, variant);
    assert.equal(result.code, "aborted", JSON.stringify(result));
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test("sources: absolute, relative and foreign addresses, files, buffers and views", async () => {
  const { page, context, problems } = await at.page();
  const other = await serve({ "/somewhere/else/": modelFolder() });
  const counts = await page.evaluate(
    async ([text, foreign, names]) => {
      const buffers = await Promise.all(names.map(async (name) => (await fetch(`model/${name}`)).arrayBuffer()));
      const files = names.map((name, index) => new File([buffers[index]], name));
      const entries = names.map((name, index) => [name, buffers[index]]);
      const sources = {
        relative: "model/",
        "without a slash": "./model",
        absolute: `${location.origin}/model`,
        "a URL": new URL("/model", location.href),
        foreign,
        files,
        "files with others": [...files, new File(["x"], "README.md")],
        buffers: Object.fromEntries(entries),
        "a map of views": new Map(entries.map(([name, buffer]) => [name, new Uint8Array(buffer)])),
        blobs: Object.fromEntries(entries.map(([name, buffer]) => [name, new Blob([buffer])])),
      };
      const counts = {};
      for (const [name, source] of Object.entries(sources)) {
        const ner = await innerspan.Recognizer.load(source, { device: "cpu" });
        counts[name] = (await ner.extract(text)).length;
        ner.dispose();
      }
      return counts;
    },
    [TEXT, `${other.origin}/somewhere/else`, NAMES],
  );
  const [first, ...rest] = Object.values(counts);
  assert.ok(first > 0);
  assert.ok(
    rest.every((count) => count === first),
    JSON.stringify(counts),
  );
  assert.deepEqual(problems, []);
  await other.close();
  await context.close();
});

test("a Hugging Face repository is read by its page's address, and by hf:", async () => {
  const { page, context } = await at.page();
  const asked = [];
  await page.route("https://huggingface.co/**", async (route) => {
    asked.push(new URL(route.request().url()).pathname);
    const name = route.request().url().split("/").at(-1);
    const response = await page.request.get(`${at.server.origin}/model/${name}`);
    await route.fulfill({ response, headers: { ...response.headers(), "access-control-allow-origin": "*" } });
  });
  for (const [source, folder] of [
    ["https://huggingface.co/someone/genia-ner", "/someone/genia-ner/resolve/main/"],
    ["https://huggingface.co/someone/genia-ner/tree/v2", "/someone/genia-ner/resolve/v2/"],
    ["hf:someone/genia-ner@v3", "/someone/genia-ner/resolve/v3/"],
  ]) {
    asked.length = 0;
    const labels = await page.evaluate(
      (source) => innerspan.Recognizer.load(source, { device: "cpu" }).then((ner) => ner.labels),
      source,
    );
    assert.ok(labels.length > 0);
    assert.deepEqual(new Set(asked), new Set(NAMES.map((name) => folder + name)));
  }
  await context.close();
});

test("a model that was given as files and lost one says which are there", async () => {
  const { page, context } = await at.page();
  const result = await page.evaluate(async () => {
    const config = await (await fetch("model/config.json")).blob();
    return outcome(innerspan.Recognizer.load([new File([config], "config.json")], { device: "cpu" }));
  });
  assert.equal(result.code, "file");
  assert.match(result.message, /not among the files given \(config\.json\)/);
  await context.close();
});
