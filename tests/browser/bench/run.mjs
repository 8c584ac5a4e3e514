// `npm run bench [-- --webgpu] [MODEL]`: one Chromium runs the same encoder (MiniLM) by this package and by onnxruntime-web
// on one thread. Ours is timed from text to entities, theirs from ids to hidden states. With --webgpu on SwiftShader.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
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
const webgpu = process.argv.includes("--webgpu");
const model = resolve(
  process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? process.env.INNERSPAN_BENCH_MODEL ?? "",
);
if (!existsSync(join(model, "config.json"))) {
  console.error(
    "usage: npm run bench [-- --webgpu] MODEL, the folder of a model on MiniLM that `innerspan train` wrote",
  );
  process.exit(2);
}
if (!existsSync(join(model, "model.q8.safetensors"))) {
  console.error(`first: innerspan quantize --model ${model} --precision q8`);
  process.exit(2);
}
const onnx = exportOnnx(model);

const server = await serve({
  "/package/": join(root, "wasm", "dist"),
  "/model/": model,
  "/onnx/": onnx,
  "/ort/": join(here, "node_modules", "onnxruntime-web", "dist"),
});
const browser = await launchChromium({ webgpu });
const runs = webgpu
  ? { "ours, WebGPU": [ours, "f32", "wgpu"], "onnxruntime-web, WebGPU": [theirs, "encoder.onnx", "webgpu"] }
  : {
      "ours, CPU f32": [ours, "f32", "cpu"],
      "ours, CPU q8": [ours, "q8", "cpu"],
      "onnxruntime-web, CPU f32": [theirs, "encoder.onnx", "wasm"],
      "onnxruntime-web, CPU q8": [theirs, "encoder.q8.onnx", "wasm"],
    };
const table = {};
for (const [name, [prepare, ...given]] of Object.entries(runs)) {
  const { page, context } = await openPage(browser, `${server.origin}/page.html`);
  page.setDefaultTimeout(0);
  await page.evaluate(prepare, given);
  table[name] = {};
  for (const shape of SHAPES) table[name][shape.join(" × ")] = await time(page, shape);
  console.log(name, table[name]);
  await context.close();
}
await browser.close();
await server.close();

const [ours_, ...others] = Object.entries(table);
for (const [name, times] of others) {
  const ratios = Object.entries(times).map(([shape, ms]) => `${shape}: ${(ours_[1][shape] / ms).toFixed(2)}`);
  console.log(`${ours_[0]} / ${name}: ${ratios.join(", ")}`);
}

/**
 * Milliseconds of a forward pass: on the CPU the time that the page's thread computes, which other programs on the
 * machine do not lengthen; on WebGPU the median by the clock.
 */
async function time(page, shape) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const computed = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "ThreadTime").value;
  };
  const run = (count) => page.evaluate(repeat, [shape, count]);
  const [first] = await run(1);
  const count = webgpu ? 3 : Math.ceil(3000 / first);
  if (!webgpu) await run(4); // by then the browser has optimised the program
  const before = await computed();
  const times = await run(count);
  const milliseconds = webgpu ? times.sort((a, b) => a - b)[count >> 1] : ((await computed()) - before) / count;
  return Number(milliseconds.toFixed(1));
}

async function repeat([shape, count]) {
  const times = [];
  for (; times.length < count;) {
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
    const { last_hidden_state } = await session.run({ input_ids: tensor(1996n), attention_mask: tensor(1n) });
    await last_hidden_state.getData();
    last_hidden_state.dispose();
  };
}

/** The encoder as ONNX, written by a Python environment of its own. */
function exportOnnx(model) {
  const out = join(here, ".models", "onnx");
  if (existsSync(join(out, "encoder.q8.onnx"))) return out;
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
