// innerspan-node beside onnxruntime-node: the same model, the same texts, in turns, each in a process of its own.
//
//   python3 bench/export.py MODEL TEXTS OUT     (see there)
//   (cd bench && npm ci --ignore-scripts)     (its install script would download CUDA)
//   node bench/compare.mjs MODEL OUT [--rounds 3] [--seconds 5] [--threads N]
//
// ONNX Runtime gets word pieces and returns raw scores; ours gets texts and returns entities. Where other programs crowd
// the processor, "CPU ms" tells more than the rate: the processor time of all threads for a sentence. Threads that wait
// for each other by spinning count, so it is best read with --threads 1.

import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    threads: { type: "string", default: "0" },
  },
});
const [model, exported] = positionals;
if (!model || !exported) throw new Error("usage: node compare.mjs MODEL OUT [--rounds N] [--seconds N] [--threads N]");

const ENGINES = ["innerspan f32", "innerspan q8", "ort encoder", "ort encoder.q8", "ort model", "ort model.q8"];
const SCENES = ["1 caller", "16 callers", "bulk"];

/** @type {Map<string, any[]>} results by engine and scene */
const results = new Map();
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const engine of ENGINES) {
    for (const scene of SCENES) {
      const one = fileURLToPath(new URL("one.mjs", import.meta.url));
      const { seconds, threads } = values;
      const output = execFileSync(process.execPath, [one, engine, scene, model, exported, seconds, threads], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, RAYON_NUM_THREADS: threads },
      });
      const key = `${engine}|${scene}`;
      results.set(key, [...(results.get(key) ?? []), JSON.parse(output)]);
    }
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
console.log(
  `${cpus()[0].model}, ${Number(values.threads) || cpus().length} threads, Node.js ${process.version}, ` +
    `medians of ${values.rounds} rounds\n`,
);
console.log("| | scene | sentences/s | p50 ms | p99 ms | CPU ms | peak MiB |\n|---|---|---:|---:|---:|---:|---:|");
for (const scene of SCENES) {
  for (const engine of ENGINES) {
    const runs = results.get(`${engine}|${scene}`) ?? [];
    const of = (name, digits) => median(runs.map((run) => run[name])).toFixed(digits);
    const latency = scene === "bulk" ? "– | –" : `${of("p50", 1)} | ${of("p99", 1)}`;
    console.log(`| ${engine} | ${scene} | ${of("rate", 1)} | ${latency} | ${of("cpu", 2)} | ${of("peak", 0)} |`);
  }
}
