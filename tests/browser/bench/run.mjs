// `npm run bench -- [--cpu | --webgpu] MODEL`: one Chromium runs the same network (MiniLM with Global Pointer) by this
// package, from text to entities, and by onnxruntime-web, from ids to the scores of all spans; on the CPU with one thread
// and on WebGPU in software, or on one of them.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join, resolve } from "node:path";
import { launchChromium, openPage } from "../browsers.mjs";
import { here, root } from "../models.mjs";
import { serve } from "../server.mjs";

/** Batch × tokens, the special ones included. */
const SHAPES = [
  [1, 32],
  [1, 128],
  [8, 64],
];
/** How often everything is measured in turn; the best counts, which is the one that other programs disturbed least. */
const ROUNDS = 3;

const model = resolve(
  process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? process.env.INNERSPAN_BENCH_MODEL ?? "",
);
if (!existsSync(join(model, "config.json"))) {
  console.error(
    "usage: npm run bench -- [--cpu | --webgpu] MODEL, a folder that `innerspan train --encoder MINILM --head global-pointer` wrote",
  );
  process.exit(2);
}
if (!existsSync(join(model, "model.q8.safetensors"))) {
  console.error(`first: innerspan quantize --model ${model} --precision q8`);
  process.exit(2);
}

const server = await serve({
  "/package/": join(root, "wasm", "dist"),
  "/model/": model,
  "/onnx/": exportOnnx(model),
  "/ort/": join(here, "node_modules", "onnxruntime-web", "dist"),
});
const browser = await launchChromium({ webgpu: true });
console.log(`Chromium ${browser.version()}, ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)} of ${cpus().length}`);

if (!process.argv.includes("--webgpu")) {
  await compare("CPU, one thread: milliseconds of computing", computing, {
    "ours, f32": [ours, "f32", "cpu"],
    "ours, q8": [ours, "q8", "cpu"],
    "onnxruntime-web, f32": [theirs, "model.onnx", "wasm"],
    "onnxruntime-web, int8": [theirs, "model.q8.onnx", "wasm"],
  });
}
if (!process.argv.includes("--cpu")) {
  await compare("WebGPU on SwiftShader: milliseconds of computing in all processes", computingOfAll, {
    "ours, f32": [ours, "f32", "wgpu"],
    "onnxruntime-web, f32": [theirs, "model.onnx", "webgpu"],
  });
}
await browser.close();
await server.close();

/** Prints the times of all runs, and those of each of ours as ratios of each of theirs. */
async function compare(title, measure, runs) {
  const times = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [prepare, ...given]] of Object.entries(runs)) {
      const { page, context } = await openPage(browser, `${server.origin}/page.html`);
      page.setDefaultTimeout(0);
      await page.evaluate(prepare, given);
      times[name] ??= {};
      for (const shape of SHAPES) {
        const key = shape.join(" × ");
        times[name][key] = Math.min(times[name][key] ?? Infinity, await measure(page, shape));
      }
      await context.close();
    }
  }
  console.log(`\n${title} (load ${loadavg()[0].toFixed(1)})`);
  console.table(times);
  const names = Object.keys(times);
  const ratios = {};
  for (const own of names.filter((name) => name.startsWith("ours"))) {
    for (const other of names.filter((name) => !name.startsWith("ours"))) {
      const ratio = (shape) => Number((times[own][shape] / times[other][shape]).toFixed(2));
      ratios[`${own} / ${other}`] = Object.fromEntries(Object.keys(times[own]).map((shape) => [shape, ratio(shape)]));
    }
  }
  console.table(ratios);
}

/** What the page's thread computes for a pass, which other programs on the machine do not lengthen. */
async function computing(page, shape) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const computed = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "ThreadTime").value;
  };
  await page.evaluate(repeat, [shape, 5]); // by then the browser has optimised the program
  const [pass] = await page.evaluate(repeat, [shape, 1]);
  const count = Math.ceil(1000 / pass);
  const before = await computed();
  await page.evaluate(repeat, [shape, count]);
  return Number((((await computed()) - before) / count).toFixed(1));
}

/** What all processes of the browser compute for a pass: the GPU is simulated, so this is its time too. */
async function computingOfAll(page, shape) {
  const session = await browser.newBrowserCDPSession();
  const computed = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return new Map(processInfo.map(({ id, cpuTime }) => [id, 1000 * cpuTime]));
  };
  await page.evaluate(repeat, [shape, 1]); // in which shaders are compiled
  const before = await computed();
  await page.evaluate(repeat, [shape, 2]);
  const spent = [...(await computed())].map(([id, time]) => time - (before.get(id) ?? 0));
  await session.detach();
  return Number((spent.reduce((sum, time) => sum + time, 0) / 2).toFixed(0));
}

async function repeat([shape, count]) {
  const times = [];
  while (times.length < count) {
    const start = performance.now();
    await window.forward(...shape);
    times.push(performance.now() - start);
  }
  return times;
}

async function ours([precision, device]) {
  const { Recognizer } = await import("/package/index.js");
  const ner = await Recognizer.load("/model", { precision, device });
  window.forward = (batch, tokens) => ner.extractBatch(Array(batch).fill("the ".repeat(tokens - 2)));
}

async function theirs([file, provider]) {
  const ort = await import(provider === "webgpu" ? "/ort/ort.webgpu.min.mjs" : "/ort/ort.wasm.min.mjs");
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = 1;
  const options = { executionProviders: [provider], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(`/onnx/${file}`, options);
  window.forward = async (batch, tokens) => {
    const tensor = (value) => new ort.Tensor("int64", new BigInt64Array(batch * tokens).fill(value), [batch, tokens]);
    const { scores } = await session.run({ input_ids: tensor(1996n), attention_mask: tensor(1n) });
    await scores.getData();
    scores.dispose();
  };
}

/** The network as ONNX, written by a Python environment of its own. */
function exportOnnx(model) {
  const out = join(here, ".models", "onnx");
  const environment = join(here, ".models", "venv");
  const python = join(environment, "bin", "python");
  const run = (command, ...given) => execFileSync(command, given, { stdio: "inherit" });
  mkdirSync(dirname(environment), { recursive: true });
  if (!existsSync(python)) {
    run("python3", "-m", "venv", environment);
    run(python, "-m", "pip", "install", "--quiet", "onnx", "onnxruntime", "numpy", "safetensors");
  }
  run(python, join(here, "bench", "export.py"), model, out);
  return out;
}
