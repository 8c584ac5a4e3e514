// What tests share.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

import { InnerspanError, Recognizer } from "innerspan-node";

// without a desktop, graphics drivers complain on stderr at every use unless they find this
process.env.XDG_RUNTIME_DIR ??= tmpdir();

/** A small trained model. */
export const MODEL = fileURLToPath(new URL("../../tests/conformance/models/bert", import.meta.url));

/** A text in which that model finds entities, nested ones among them. */
export const TEXT = "The harbour master of Port Alder inspected the starboard engine of the Grey Petrel.";

/** @param {object} [options] */
export const loadOnCpu = (options) => Recognizer.load(MODEL, { device: "cpu", ...options });

/**
 * Fails unless the promise rejects with this code; returns the error.
 * @param {Promise<unknown>} promise
 * @param {string} code
 */
export async function rejects(promise, code) {
  const error = await promise.then(
    () => assert.fail(`resolved, but was to fail with ${code}`),
    (error) => error,
  );
  assert.ok(error instanceof InnerspanError, `not an InnerspanError: ${error?.stack}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** A text of about `units` UTF-16 units. */
export const longText = (units) => `${TEXT} `.repeat(Math.ceil(units / (TEXT.length + 1))).slice(0, units);

/** Resident memory in MiB after garbage collection. */
export async function residentMiB() {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage.rss() / 2 ** 20;
}

/**
 * Runs a module in a process of its own.
 * @param {string} source
 * @param {string[]} [flags] of node
 */
export function runModule(source, flags = []) {
  return run(process.execPath, [...flags, "--input-type=module", "--eval", source]);
}

/**
 * Runs npm, which on Windows is a script of its shell.
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string }} [options]
 */
export const npm = (args, options) => run("npm", args, { ...options, shell: process.platform === "win32" });

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ input?: string, env?: Record<string, string>, cwd?: string, shell?: boolean }} [options]
 */
export async function run(
  program,
  args,
  { input = "", env = {}, cwd = fileURLToPath(new URL("..", import.meta.url)), shell = false } = {},
) {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, shell });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (piece) => (stdout += piece));
  child.stderr.on("data", (piece) => (stderr += piece));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code, signal] = await once(child, "close");
  return { code, signal, stdout, stderr };
}
