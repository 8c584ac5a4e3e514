import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { MODEL, run, TEXT } from "./support.mjs";

const FILES = ["config.json", "tokenizer.json", "model.safetensors"];

const { labels } = JSON.parse(readFileSync(join(MODEL, "config.json"), "utf8")).innerspan;
/** The configuration of an ensemble of the model and itself. */
const ENSEMBLE = Buffer.from(
  JSON.stringify({
    innerspan: { format_version: 1, labels, ensemble: { method: "union", members: ["a", "b"] } },
  }),
);

/** @type {import("node:http").Server} */
let hub;
let home = "";
let requests = 0;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "innerspan-hub-"));
  hub = createServer((request, response) => {
    requests += 1;
    const [, model, path] = /^\/org\/(tiny|two)\/resolve\/main\/(.*)$/.exec(String(request.url)) ?? [];
    const name = model === "two" ? path.replace(/^[ab]\//, "") : path;
    if (name === undefined || !FILES.includes(name)) return response.writeHead(404).end();
    const content = path === name && model === "two" ? ENSEMBLE : readFileSync(join(MODEL, name));
    const [first, last] = String(request.headers.range).replace("bytes=", "").split("-");
    const start = Number(first);
    const piece = content.subarray(start, last === "" ? content.length : Number(last) + 1);
    response.writeHead(206, {
      "content-length": piece.length,
      "content-range": `bytes ${start}-${start + piece.length - 1}/${content.length}`,
      etag: `"etag-${path.replace("/", "-")}"`,
      "x-repo-commit": "0123456789abcdef0123456789abcdef01234567",
    });
    response.end(piece);
  });
  await new Promise((resolve) => hub.listen(0, () => resolve(undefined)));
});
after(() => {
  hub.closeAllConnections();
  hub.close();
  rmSync(home, { recursive: true });
});

/** Loads a model in a process that knows this hub; prints what came of it. */
async function load(name, env = {}) {
  const { port } = /** @type {import("node:net").AddressInfo} */ (hub.address());
  const program = `
    import { Recognizer } from "innerspan-node";
    const progress = [];
    const onProgress = (step) => progress.push(step);
    try {
      const ner = await Recognizer.load(${JSON.stringify(name)}, { device: "cpu", onProgress });
      console.log(JSON.stringify({ progress, entities: await ner.extract(${JSON.stringify(TEXT)}) }));
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }));
    }`;
  const variables = { HF_HOME: home, HF_ENDPOINT: `http://127.0.0.1:${port}`, ...env };
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", program], {
    env: variables,
  });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

test("a model is downloaded once and then found without a network", async () => {
  const { progress, entities, message } = await load("hf:org/tiny");
  assert.equal(message, undefined);
  assert.ok(entities.length > 0);
  const loads = progress.filter(({ stage }) => stage === "load");
  assert.deepEqual([...new Set(loads.map(({ file }) => file))].toSorted(), FILES.toSorted());
  assert.equal(loads.at(-1).loaded, loads.at(-1).total);

  const before = requests;
  const again = await load("hf:org/tiny", { HF_HUB_OFFLINE: "1", HF_ENDPOINT: "http://127.0.0.1:9" });
  assert.deepEqual(again.entities, entities);
  assert.equal(requests, before);
});

test("an ensemble is downloaded with all of its members", async () => {
  const { progress, entities, message } = await load("hf:org/two");
  assert.equal(message, undefined);
  assert.deepEqual(entities, (await load("hf:org/tiny")).entities);
  const loads = progress.filter(({ stage }) => stage === "load");
  const files = ["config.json", ...["a", "b"].flatMap((member) => FILES.map((file) => `${member}/${file}`))];
  for (const file of files)
    assert.ok(
      loads.some((step) => step.file === file),
      file,
    );
  const sizes = files.map((file) =>
    Math.max(...loads.filter((step) => step.file === file).map(({ loaded }) => loaded)),
  );
  assert.equal(loads.at(-1).loaded, Math.max(...sizes));
  assert.equal(loads.at(-1).loaded, loads.at(-1).total);
});

test("what the hub has not, and a hub that is not there, are told apart", async () => {
  const absent = await load("hf:org/nothing");
  assert.equal(absent.code, "file");
  assert.match(absent.message, /hf:org\/nothing: there is no config.json at http/);
  assert.equal((await load("hf:org/other", { HF_ENDPOINT: "http://127.0.0.1:9" })).code, "network");
  assert.equal((await load("hf:org/other", { HF_HUB_OFFLINE: "1" })).code, "file");
  assert.equal((await load("hf:a/b/c")).code, "input");
});

test("a signal stops a download, which is taken up again where it was", async () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const ranges = [];
  let patient = false;
  /** @type {(bytes: number) => void} */
  let broken = () => {};
  const brokenOff = new Promise((resolve) => (broken = resolve));
  const slow = createServer((request, response) => {
    const name = String(request.url).split("/").at(-1) ?? "";
    if (!FILES.includes(name)) return response.writeHead(404).end();
    const content = readFileSync(join(MODEL, name));
    const [first, last] = String(request.headers.range).replace("bytes=", "").split("-").map(Number);
    const piece = content.subarray(first, last ? last + 1 : content.length);
    response.writeHead(206, {
      "content-length": piece.length,
      "content-range": `bytes ${first}-${first + piece.length - 1}/${content.length}`,
      etag: `"etag-${name}"`,
      "x-repo-commit": commit,
    });
    if (name !== "model.safetensors" || patient || piece.length < 1_000) return response.end(piece);
    // 1 KB every 20 ms would take 7 seconds
    let at = 0;
    const drip = setInterval(() => response.write(piece.subarray(at, (at += 1_000))), 20);
    response.on("close", () => {
      clearInterval(drip);
      broken(at);
    });
  });
  slow.on("request", ({ url, headers }) => url?.endsWith("model.safetensors") && ranges.push(headers.range));
  await new Promise((resolve) => slow.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (slow.address());
  const endpoint = { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HOME: join(home, "slow") };

  const program = `
    import { Recognizer } from "innerspan-node";
    const gone = new AbortController();
    const { signal } = gone;
    const onProgress = ({ file, loaded, total }) => {
      if (file === "model.safetensors" && loaded > 0) setTimeout(() => gone.abort(), 500);
    };
    await Recognizer.load("hf:org/slow", { device: "cpu", signal, onProgress }).catch(({ code }) => console.log(code));
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, ...endpoint },
  });
  const [code] = await once(child.stdout, "data");
  assert.equal(String(code), "aborted\n");
  const size = statSync(join(MODEL, "model.safetensors")).size;
  assert.ok((await brokenOff) < size / 2, "the download went on");
  child.kill();

  patient = true;
  const { entities, message } = await load("hf:org/slow", endpoint);
  assert.equal(message, undefined);
  assert.ok(entities.length > 0);
  const [start] = String(ranges.at(-1)).match(/\d+/) ?? [];
  assert.ok(Number(start) >= 1_000, `taken up again at ${ranges.at(-1)}`);
  slow.closeAllConnections();
  slow.close();
});

test("a hub that does not answer keeps no process whose signal has aborted", async () => {
  const silent = createServer(() => {});
  await new Promise((resolve) => silent.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (silent.address());
  const program = `
    import { Recognizer } from "innerspan-node";
    const signal = AbortSignal.timeout(300);
    await Recognizer.load("hf:org/silent", { device: "cpu", signal }).catch((error) => console.log(error.code));`;
  const env = { HF_HOME: join(home, "silent"), HF_ENDPOINT: `http://127.0.0.1:${port}` };
  // it would wait for as long as the hub is open
  const { code, stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { env });
  assert.deepEqual([code, stdout], [0, "aborted\n"]);
  silent.closeAllConnections();
  silent.close();
});
