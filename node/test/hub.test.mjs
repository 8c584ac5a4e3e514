import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { MODEL, run, TEXT } from "./support.mjs";

const FILES = ["config.json", "tokenizer.json", "model.safetensors"];

/** @type {import("node:http").Server} */
let hub;
let home = "";
let requests = 0;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "innerspan-hub-"));
  hub = createServer((request, response) => {
    requests += 1;
    const name = String(request.url).split("/").at(-1) ?? "";
    if (!request.url?.startsWith("/org/tiny/resolve/main/") || !FILES.includes(name)) {
      return response.writeHead(404).end();
    }
    const content = readFileSync(join(MODEL, name));
    const [first, last] = String(request.headers.range).replace("bytes=", "").split("-");
    const start = Number(first);
    const piece = content.subarray(start, last === "" ? content.length : Number(last) + 1);
    response.writeHead(206, {
      "content-length": piece.length,
      "content-range": `bytes ${start}-${start + piece.length - 1}/${content.length}`,
      etag: `"etag-${name}"`,
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

test("what the hub has not, and a hub that is not there, are told apart", async () => {
  const absent = await load("hf:org/nothing");
  assert.equal(absent.code, "file");
  assert.match(absent.message, /hf:org\/nothing: there is no config.json at http/);
  assert.equal((await load("hf:org/other", { HF_ENDPOINT: "http://127.0.0.1:9" })).code, "network");
  assert.equal((await load("hf:org/other", { HF_HUB_OFFLINE: "1" })).code, "file");
  assert.equal((await load("hf:a/b/c")).code, "input");
});
