// Examples' HTTP service under mixed load for a long time: good and bad requests, clients that hang up.
//
//   node bench/soak.mjs MODEL [--seconds 1800] [--clients 8] [--every 60]
//
// Prints a line every so many seconds, and fails if there was an error that is not the client's or if memory grew.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "1800" },
    clients: { type: "string", default: "8" },
    every: { type: "string", default: "60" },
  },
});
const [MODEL] = positionals;
if (!MODEL) throw new Error("usage: node soak.mjs MODEL [--seconds N] [--clients N] [--every N]");

const SENTENCE = "The chief engineer of the MV Northern Star inspected the main engine cooling pump, 12 bar. ";
const SERVER = fileURLToPath(new URL("../examples/server.mjs", import.meta.url));

const server = spawn(process.execPath, [SERVER], {
  env: { ...process.env, MODEL, PORT: "0" },
  stdio: ["ignore", "pipe", "inherit"],
});
const [line] = await once(createInterface({ input: server.stdout }), "line");
const address = String(line).match(/http:\/\/[^,]+/)[0];

/** What clients do, how often of 100, and the statuses that are right. */
const KINDS = [
  { name: "short", share: 70, statuses: [200, 503], body: () => ({ text: SENTENCE.repeat(1 + Math.random() * 3) }) },
  { name: "long", share: 8, statuses: [200, 503], body: () => ({ text: SENTENCE.repeat(50 + Math.random() * 150) }) },
  { name: "no text", share: 4, statuses: [400], body: () => ({ txt: SENTENCE }) },
  { name: "surrogate", share: 4, statuses: [400, 503], body: () => ({ text: `${SENTENCE}\uD800` }) },
  { name: "too long", share: 2, statuses: [413, 503], body: () => ({ text: "a".repeat(1_000_001) }) },
  { name: "too large", share: 2, statuses: [413], body: () => ({ text: "a".repeat(5 << 20) }) },
  { name: "hangs up", share: 10, statuses: [], body: () => ({ text: SENTENCE.repeat(200 + Math.random() * 5_000) }) },
];

const end = performance.now() + Number(values.seconds) * 1000;
const faults = [];
let [latencies, count, hungUp] = [[], 0, 0];

async function client() {
  while (performance.now() < end) {
    let dice = Math.random() * 100;
    const kind = KINDS.find(({ share }) => (dice -= share) < 0) ?? KINDS[0];
    const controller = new AbortController();
    if (kind.name === "hangs up") setTimeout(() => controller.abort(), Math.random() * 200);
    const begun = performance.now();
    try {
      const response = await fetch(`${address}/extract`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(kind.body()),
        signal: controller.signal,
      });
      await response.text();
      if (kind.name === "short" && response.status === 200) latencies.push(performance.now() - begun);
      if (kind.statuses.length > 0 && !kind.statuses.includes(response.status)) {
        faults.push(`${kind.name}: HTTP ${response.status}`);
      }
    } catch (error) {
      // a server may close the connection before it has read all of a body that is too large
      const expected = controller.signal.aborted || kind.name === "too large";
      if (!expected) faults.push(`${kind.name}: ${error.cause?.message ?? error.message}`);
      hungUp += 1;
    }
    count += 1;
  }
}

/** Resident memory of the server in MiB. */
const resident = () => Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;

const memory = [];
const report = async () => {
  const every = Number(values.every) * 1000;
  for (let line = 1; performance.now() < end; line += 1) {
    await sleep(Math.min(every, Math.max(0, end - performance.now())));
    latencies.sort((a, b) => a - b);
    const percentile = (share) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0);
    memory.push(resident());
    console.log(
      `minute ${((line * every) / 60_000).toFixed(1)}: ${count} requests, ${hungUp} broken off, short ones p50 ${percentile(0.5)} ms p99 ` +
        `${percentile(0.99)} ms, ${memory.at(-1).toFixed(0)} MiB, ${faults.length} faults`,
    );
    [latencies, count, hungUp] = [[], 0, 0];
  }
};
await Promise.all([report(), ...Array.from({ length: Number(values.clients) }, client)]);

server.kill("SIGTERM");
const [code] = await once(server, "close");
const third = Math.max(1, Math.floor(memory.length / 3));
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const grown = mean(memory.slice(-third)) - mean(memory.slice(third, 2 * third + 1));
console.log(`server ended with ${code}; memory of the last third against the middle: ${grown.toFixed(1)} MiB`);
for (const fault of faults.slice(0, 10)) console.error(fault);
if (code !== 0 || faults.length > 0 || grown > 32) process.exitCode = 1;
