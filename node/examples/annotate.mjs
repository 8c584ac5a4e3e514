// Annotates JSONL from standard input to standard output, at constant memory:
//
//   node annotate.mjs MODEL < texts.jsonl > entities.jsonl
//
// Every line is an object with a "text"; it comes out with its "entities".

import { once } from "node:events";
import { createInterface } from "node:readline";

import { Recognizer } from "innerspan-node";

const [model] = process.argv.slice(2);
if (!model) {
  console.error("usage: node annotate.mjs MODEL < texts.jsonl > entities.jsonl");
  process.exit(2);
}

/** The objects whose texts are under way, in order. */
const waiting = [];

async function* texts() {
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === "") continue;
    waiting.push(parse(line, number));
    yield waiting.at(-1).text;
  }
}

function parse(line, number) {
  try {
    const object = JSON.parse(line);
    if (typeof object?.text === "string") return object;
  } catch {
    // told below
  }
  throw new Error(`line ${number}: not a JSON object with a "text"`);
}

process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));
try {
  const ner = await Recognizer.load(model);
  for await (const entities of ner.extractBatch(texts())) {
    const line = JSON.stringify({ ...waiting.shift(), entities }) + "\n";
    if (!process.stdout.write(line)) await once(process.stdout, "drain");
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
