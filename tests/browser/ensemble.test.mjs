import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TEXT, lab } from "./lab.mjs";
import { modelFolder } from "./models.mjs";

const at = lab();
const NAMES = ["config.json", "tokenizer.json", "model.safetensors"];

/** The files of an ensemble of both models, by path, as base64. */
function files(method, members = ["member-1", "member-2"]) {
  const { labels } = JSON.parse(readFileSync(join(modelFolder(), "config.json"), "utf8")).innerspan;
  const innerspan = { format_version: 1, labels, ensemble: { method, members } };
  const all = { "config.json": Buffer.from(JSON.stringify({ innerspan })).toString("base64") };
  for (const [index, model] of ["bert", "roberta"].entries()) {
    for (const name of NAMES) {
      all[`member-${index + 1}/${name}`] = readFileSync(join(modelFolder(model), name)).toString("base64");
    }
  }
  return all;
}

/** In the page: the places of what a model of such files finds, or the failure. */
async function load([files, text]) {
  const bytes = ([name, base64]) => [name, Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))];
  try {
    const source = new Map(Object.entries(files).map(bytes));
    const ner = await innerspan.Recognizer.load(source, { device: "cpu" });
    const entities = await ner.extract(text);
    ner.dispose();
    return entities.map(({ start, end, label }) => `${start} ${end} ${label}`);
  } catch ({ code, message }) {
    return { code, message };
  }
}

test("an ensemble finds what its members find, combined, or says which member is wrong", async () => {
  const { page, context } = await at.page();
  const single = (files, member) => Object.fromEntries(NAMES.map((name) => [name, files[`member-${member}/${name}`]]));
  const found = (files) => page.evaluate(load, [files, TEXT]);
  const union = files("union");
  const [one, two] = [await found(single(union, 1)), await found(single(union, 2))];
  assert.ok(one.length > 0 && two.length > 0);
  assert.deepEqual(new Set(await found(union)), new Set([...one, ...two]));
  const both = one.filter((entity) => two.includes(entity));
  assert.deepEqual(new Set(await found(files("majority"))), new Set(both));

  const { "member-2/tokenizer.json": _, ...missing } = union;
  const failure = await found(missing);
  assert.equal(failure.code, "file");
  assert.match(failure.message, /member-2\/tokenizer\.json/);
  const outside = await found(files("union", ["member-1", "../member-2"]));
  assert.equal(outside.code, "file");
  assert.match(outside.message, /no name of a folder/);
  await context.close();
});
