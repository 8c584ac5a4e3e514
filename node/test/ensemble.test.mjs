import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Recognizer } from "innerspan-node";

import { longText, MODEL, rejects, TEXT } from "./support.mjs";

const OTHER = fileURLToPath(new URL("../../tests/conformance/models/roberta", import.meta.url));
const TEXTS = [TEXT, "", "The oil leak at the shaft seal of the bow thruster was small.", longText(5000)];

let scratch = "";
before(() => {
  scratch = mkdtempSync(join(tmpdir(), "innerspan-ensemble-"));
});
after(() => rmSync(scratch, { recursive: true }));

/** @param {string} method */
function ensemble(method, members = ["member-1", "member-2"]) {
  const folder = mkdtempSync(join(scratch, "model-"));
  const { labels } = JSON.parse(readFileSync(join(MODEL, "config.json"), "utf8")).innerspan;
  const innerspan = { format_version: 1, labels, ensemble: { method, members } };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ innerspan }));
  for (const [index, model] of [MODEL, OTHER].entries()) {
    const member = join(folder, `member-${index + 1}`);
    mkdirSync(member);
    cpSync(model, member, { recursive: true, dereference: true });
  }
  return folder;
}

/** What a model finds in `TEXTS`, one after another: together they would go through it as they happen to arrive. */
async function found(source, options = {}) {
  const ner = await Recognizer.load(source, { device: "cpu", ...options });
  try {
    const lists = [];
    for (const text of TEXTS) lists.push(await ner.extract(text));
    return lists;
  } finally {
    ner.dispose();
  }
}

/** How far the scores of the same text may be apart. */
const ROUNDING = 1e-5;

const place = ({ start, end, label }) => `${start} ${end} ${label}`;

test("an ensemble finds what its members find, combined", async () => {
  const [one, two] = [await found(MODEL), await found(OTHER)];
  const [union, majority] = [await found(ensemble("union")), await found(ensemble("majority"))];
  for (const index of TEXTS.keys()) {
    const [a, b] = [one, two].map((lists) => new Map(lists[index].map((entity) => [place(entity), entity.score])));
    assert.deepEqual(new Set(union[index].map(place)), new Set([...a.keys(), ...b.keys()]));
    for (const entity of union[index]) {
      const best = Math.max(a.get(place(entity)) ?? 0, b.get(place(entity)) ?? 0);
      assert.ok(Math.abs(entity.score - best) < ROUNDING, `${entity.score}, not ${best}`);
    }
    const both = [...a.keys()].filter((entity) => b.has(entity));
    assert.deepEqual(new Set(majority[index].map(place)), new Set(both));
    for (const entity of majority[index]) {
      const mean = ((a.get(place(entity)) ?? 0) + (b.get(place(entity)) ?? 0)) / 2;
      assert.ok(Math.abs(entity.score - mean) < ROUNDING, `${entity.score}, not ${mean}`);
    }
  }
  assert.ok(union[0].length > 0 && majority.flat().length > 0);
});

test("an ensemble has the labels, options and progress of a model", async () => {
  const folder = ensemble("union");
  const ner = await Recognizer.load(folder, { device: "cpu", precision: "q8" });
  const single = await Recognizer.load(MODEL, { device: "cpu", precision: "q8" });
  assert.deepEqual(ner.labels, single.labels);
  assert.deepEqual(await ner.extract(TEXT, { threshold: 1 }), []);
  const steps = [];
  await ner.extract(longText(40_000), { onProgress: ({ done, total }) => steps.push([done, total]) });
  const [, total] = steps[0];
  assert.ok(steps.length > 2 && steps.every(([done, all], at) => all === total && done >= (steps[at - 1]?.[0] ?? 0)));
  assert.deepEqual(steps.at(-1), [total, total]);
  ner.dispose();
  single.dispose();
});

test("an ensemble loads from memory, its files by path", async () => {
  const folder = ensemble("majority");
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = new Map(names.map((name) => [name.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(name)]));
  assert.deepEqual(await found(files), await found(folder));
});

test("an ensemble loads from the web, and only from below its address", async () => {
  const folder = ensemble("union");
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    try {
      response.end(readFileSync(join(scratch, String(request.url))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const address = (folder) => `http://127.0.0.1:${port}/${basename(folder)}`;
  const steps = [];
  const onProgress = (step) => steps.push(step);
  assert.deepEqual(await found(address(folder), { onProgress }), await found(folder));
  const last = steps.filter(({ stage }) => stage === "load").at(-1);
  assert.equal(last.file, "member-2/model.safetensors");
  assert.equal(last.loaded, last.total);
  asked.length = 0;
  const outside = Recognizer.load(address(ensemble("union", ["member-1", "../member-2"])), { device: "cpu" });
  assert.match((await rejects(outside, "file")).message, /no name of a folder/);
  assert.ok(
    asked.every((url) => url.includes("/config.json") || url.includes("/member-1/")),
    asked.join(),
  );
  server.closeAllConnections();
  server.close();
});

test("an ensemble that is not whole is refused by name", async () => {
  const load = (source) => rejects(Recognizer.load(source, { device: "cpu" }), "file");
  const missing = ensemble("union");
  rmSync(join(missing, "member-2"), { recursive: true });
  assert.match((await load(missing)).message, /member-2: no such folder/);
  for (const name of ["../member-2", "..", "", "a/b"]) {
    assert.match((await load(ensemble("union", ["member-1", name]))).message, /no name of a folder/);
  }
  assert.match((await load(ensemble("union", ["member-1"]))).message, /1 members/);
  assert.match((await load(ensemble("meta"))).message, /without a classifier/);
  const nested = ensemble("union");
  cpSync(join(nested, "config.json"), join(nested, "member-1", "config.json"));
  assert.match((await load(nested)).message, /member-1.*an ensemble, where a single model is needed/);
});
