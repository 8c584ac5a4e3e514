import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { longText, MODEL, run, TEXT } from "./support.mjs";

const example = (name) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

describe("annotate.mjs", () => {
  const annotate = (input, args = [MODEL]) => run(process.execPath, [example("annotate.mjs"), ...args], { input });

  test("annotates lines in their order and keeps what else they hold", async () => {
    const lines = Array.from({ length: 500 }, (_, id) => ({ id, text: id % 2 ? TEXT : "" }));
    const { code, stdout } = await annotate(lines.map((line) => JSON.stringify(line)).join("\n"));
    assert.equal(code, 0);
    const results = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      results.map(({ id }) => id),
      lines.map(({ id }) => id),
    );
    for (const { id, text, entities } of results) {
      assert.equal(entities.length > 0, id % 2 === 1);
      for (const entity of entities) assert.equal(text.slice(entity.start, entity.end), entity.text);
    }
  });

  test("names the line that it cannot read", async () => {
    const { code, stderr } = await annotate(`{"text":"a"}\n\n{"txt":"b"}\n`);
    assert.deepEqual([code, stderr], [1, 'error: line 3: not a JSON object with a "text"\n']);
    assert.match((await run(process.execPath, [example("annotate.mjs"), "/nowhere"])).stderr, /no such folder/);
  });

  test("holds little of a stream at once", { timeout: 600_000 }, async () => {
    // 6,000 lines of 20 KB are 120 MB, twice what the process may hold
    const child = spawn(process.execPath, ["--max-old-space-size=64", example("annotate.mjs"), MODEL]);
    child.stdout.resume();
    const closed = once(child, "close");
    for (let index = 0; index < 6_000; index += 1) {
      const line = JSON.stringify({ text: TEXT, filler: "x".repeat(20_000) }) + "\n";
      if (!child.stdin.write(line)) await Promise.race([once(child.stdin, "drain"), closed]);
    }
    child.stdin.end();
    assert.deepEqual(await closed, [0, null]);
  });
});

test("render.mjs writes a page with the entities", async () => {
  const { code, stdout, stderr } = await run(process.execPath, [example("render.mjs"), MODEL], {
    input: `${TEXT} <script>alert(1)</script>`,
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /SHIP/);
  assert.match(stdout, /&lt;script/);
  assert.doesNotMatch(stdout, /<script/);
});

// Windows has no SIGTERM that a process could hear
describe("server.mjs", { skip: process.platform === "win32" }, () => {
  async function serve(env = {}) {
    const child = spawn(process.execPath, [example("server.mjs")], {
      env: { ...process.env, MODEL, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const [address] = String(line).match(/http:\/\/[^,]+/) ?? [];
    const post = (body, init) =>
      fetch(`${address}/extract`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
      });
    return { child, address, post };
  }

  test("answers, refuses what is wrong, and stops gracefully", async () => {
    const { child, address, post } = await serve();
    const health = await (await fetch(`${address}/health`)).json();
    assert.equal(health.status, "ok");

    const { entities } = await (await post({ text: TEXT })).json();
    assert.ok(entities.length > 0);
    const bad = {
      400: ["{", { txt: "a" }, { text: 7 }, { text: TEXT, threshold: 2 }, { text: "\uD800" }],
      413: [{ text: "a".repeat(1_000_001) }],
    };
    for (const [status, bodies] of Object.entries(bad)) {
      for (const body of bodies)
        assert.equal((await post(body)).status, Number(status), JSON.stringify(body).slice(0, 50));
    }

    const last = post({ text: longText(300_000) });
    await sleep(50);
    child.kill("SIGTERM");
    assert.equal((await last).status, 200);
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  test("sends away more requests than it takes at once", async () => {
    const { child, post } = await serve({ QUEUE: "2" });
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await post({ text: longText(300_000) })).status),
    );
    assert.deepEqual([...new Set(statuses)].toSorted(), [200, 503]);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  test("stops the work of a client that hangs up", async () => {
    const { child, address } = await serve();
    const { hostname, port } = new URL(String(address));
    const body = JSON.stringify({ text: longText(900_000) });
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /extract HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    const underWay = async () => (await (await fetch(`${address}/health`)).json()).underWay;
    while ((await underWay()) === 0) await sleep(20);
    socket.destroy();
    for (let patience = 0; (await underWay()) > 0; patience += 1) {
      assert.ok(patience < 50, "the work goes on");
      await sleep(100);
    }
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });
});
