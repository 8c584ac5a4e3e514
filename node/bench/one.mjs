// One measurement of compare.mjs: an engine in a scene, printed as JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const [engine, scene, model, exported, seconds, threads] = process.argv.slice(2);
const texts = readFileSync(join(exported, "texts.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** How many texts of about one length ONNX Runtime gets at once in bulk. */
const BATCH = 32;

const run = engine.startsWith("ort ") ? await onnxRuntime(engine.slice(4)) : await innerspan(engine.split(" ")[1]);
await run.one(texts[0]);

const latencies = [];
const computed = process.cpuUsage();
const begun = performance.now();
const enough = () => performance.now() - begun > Number(seconds) * 1000;
let count = 0;
if (scene === "bulk") {
  while (!enough()) {
    await run.all(texts);
    count += texts.length;
  }
} else {
  const callers = Number.parseInt(scene, 10);
  const caller = async () => {
    while (!enough()) {
      const text = texts[count % texts.length];
      count += 1;
      const start = performance.now();
      await run.one(text);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
const elapsed = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(computed);
latencies.sort((a, b) => a - b);
const percentile = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
const peak = process.resourceUsage().maxRSS / 1024;
const cpu = (user + system) / 1000 / count;
console.log(JSON.stringify({ rate: count / elapsed, p50: percentile(0.5), p99: percentile(0.99), cpu, peak }));
process.exit(0);

async function innerspan(precision) {
  const { Recognizer } = await import("../js/index.js");
  const ner = await Recognizer.load(model, { device: "cpu", precision });
  return {
    one: ({ text }) => ner.extract(text),
    all: (rows) => ner.extractBatch(rows.map(({ text }) => text)),
  };
}

async function onnxRuntime(name) {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)("onnxruntime-node");
  const session = await InferenceSession.create(join(exported, `${name}.onnx`), {
    intraOpNumThreads: Number(threads),
  });
  const pass = async (rows) => {
    const tokens = Math.max(...rows.map(({ ids }) => ids.length));
    const ids = new BigInt64Array(rows.length * tokens);
    const mask = new BigInt64Array(rows.length * tokens);
    rows.forEach((row, at) => {
      row.ids.forEach((id, position) => {
        ids[at * tokens + position] = BigInt(id);
        mask[at * tokens + position] = 1n;
      });
    });
    const shape = [rows.length, tokens];
    return session.run({
      input_ids: new Tensor("int64", ids, shape),
      attention_mask: new Tensor("int64", mask, shape),
    });
  };
  return {
    one: (row) => pass([row]),
    all: async (rows) => {
      const sorted = rows.toSorted((a, b) => a.ids.length - b.ids.length);
      for (let at = 0; at < sorted.length; at += BATCH) await pass(sorted.slice(at, at + BATCH));
    },
  };
}
