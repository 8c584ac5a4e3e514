// Read by tsc only: what users may write, and what they may not.

import { readFile } from "node:fs/promises";

import { InnerspanError, MAX_TEXT_LENGTH, Recognizer } from "innerspan-node";
import type { Device, Entity, ErrorCode, ExtractOptions, LoadOptions, Progress } from "innerspan-node";
import { highlightCss, highlightHtml } from "innerspan-node/highlight";

const options: LoadOptions = { device: "auto", precision: "q8", signal: AbortSignal.timeout(1_000) };
const onProgress = (progress: Progress) => {
  if (progress.stage === "load") console.log(progress.file, progress.loaded / progress.total);
  if (progress.stage === "extract") console.log(progress.done);
};
const ner: Recognizer = await Recognizer.load("/models/genia", { ...options, onProgress });
await Recognizer.load(new URL("file:///models/genia"));
await Recognizer.load({ "config.json": await readFile("config.json") });
await Recognizer.load(new Map([["config.json", new Uint8Array(2)]]));

const device: Device = ner.device;
const labels: readonly string[] = ner.labels;
const entities: Entity[] = await ner.extract("text", { threshold: 0.5 } satisfies ExtractOptions);
for (const list of await ner.extractBatch(["a", "b"] as const)) console.log(list[0]?.text.length, list[0]?.score);

async function* lines(): AsyncGenerator<string> {
  yield "a".repeat(MAX_TEXT_LENGTH);
}
for await (const list of ner.extractBatch(lines(), { onProgress })) console.log(list.map(({ label }) => label));

try {
  ner.dispose();
} catch (error) {
  if (error instanceof InnerspanError) {
    const code: ErrorCode = error.code;
    console.log(code, error.cause);
  }
}
const html: string = highlightHtml("text", entities, { labels, threshold: 0.5 }) + highlightCss + device.kind;
console.log(html);

// @ts-expect-error a recognizer is loaded, not constructed
new Recognizer();
// @ts-expect-error no such device
await Recognizer.load("x", { device: "cuda" });
// @ts-expect-error a text is a string
await ner.extract(7);
// @ts-expect-error the results of a stream are no promise
await ner.extractBatch(lines()).then();
// @ts-expect-error they cannot be changed
ner.labels.push("X");
