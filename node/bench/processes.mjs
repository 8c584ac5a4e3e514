// What several processes with the same model take together (Linux): memory that they share is counted once.
//
//   node bench/processes.mjs MODEL [COUNT]

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

const [model, count = "10"] = process.argv.slice(2);
const program = `
  import { Recognizer } from "innerspan-node";
  const ner = await Recognizer.load(${JSON.stringify(model)}, { device: "cpu" });
  await ner.extract("IL-2 gene expression and NF-kappa B activation in human T cells");
  process.stdout.write("ready");
  setInterval(() => {}, 1_000);`;
const children = Array.from({ length: Number(count) }, () =>
  spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] }),
);
await Promise.all(children.map((child) => once(child.stdout, "data")));

/** The sum over all processes in MiB; Rss counts shared memory for each process, Pss in equal parts. */
const sum = (field) =>
  children
    .map(({ pid }) => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))
    .reduce((total, text) => total + Number(text.match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))[1]) / 1024, 0);
console.log(
  `${count} processes: ${sum("Pss").toFixed(0)} MiB together (Rss of each added up: ${sum("Rss").toFixed(0)} MiB)`,
);
for (const child of children) child.kill();
