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
for (const [name, [run, ...given]] of Object.entries(runs)) {
  const { page, context } = await openPage(browser, `${server.origin}/page.html`);
  page.setDefaultTimeout(0);
  await page.evaluate(stopwatch, webgpu ? [1, 2, 0] : [3, 5, 3000]);
  const times = await page.evaluate(run, [SHAPES, ...given]);
  table[name] = Object.fromEntries(SHAPES.map((shape, index) => [shape.join(" × "), `${times[index].toFixed(1)} ms`]));
  console.log(name, table[name]);
  await context.close();
}
await browser.close();
await server.close();
console.table(table);
const [f32, , rival] = webgpu
  ? [...Object.values(table).slice(0, 1), undefined, Object.values(table)[1]]
  : Object.values(table);
for (const shape of Object.keys(f32)) {
  console.log(
    `${shape}: ours takes ${(parseFloat(f32[shape]) / parseFloat(rival[shape])).toFixed(2)} × theirs (${webgpu ? "WebGPU" : "CPU f32"})`,
  );
}

/** Puts `stopwatch(run)` into the page: the median time of `run` after it has warmed up. */
function stopwatch([warm, least, milliseconds]) {
  window.stopwatch = async (run) => {
    for (let count = 0; count < warm; count++) await run();
    const times = [];
    const end = performance.now() + milliseconds;
    while (times.length < least || performance.now() < end) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  };
}

async function ours([shapes, precision, device]) {
  const { Recognizer } = await import("/package/index.js");
  const ner = await Recognizer.load("/model", { precision, device });
  const times = [];
  for (const [batch, tokens] of shapes) {
    const text = "the ".repeat(tokens - 2);
    const texts = Array(batch).fill(text);
    times.push(await stopwatch(() => ner.extractBatch(texts)));
  }
  return times;
}

async function theirs([shapes, file, provider]) {
  const ort = await import(provider === "webgpu" ? "/ort/ort.webgpu.min.mjs" : "/ort/ort.wasm.min.mjs");
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(`/onnx/${file}`, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
  });
  const times = [];
  for (const shape of shapes) {
    const size = shape[0] * shape[1];
    const tensor = (value) => new ort.Tensor("int64", new BigInt64Array(size).fill(value), shape);
    const feeds = { input_ids: tensor(1996n), attention_mask: tensor(1n) };
    times.push(
      await stopwatch(async () => {
        const { last_hidden_state } = await session.run(feeds);
        await last_hidden_state.getData();
        last_hidden_state.dispose();
      }),
    );
  }
  return times;
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
