// A model whose files are already in memory.

import { setImmediate } from "node:timers/promises";

import { kind } from "./check.js";
import { InnerspanError } from "./errors.js";
import { native } from "./native.js";

/** Bytes that are copied before other work of this thread gets its turn. */
const PIECE = 4 << 20;

/**
 * @param {Map<unknown, unknown>} given bytes by name
 * @param {import("./call.js").Call} call
 * @returns {Promise<import("./addon.d.ts").Load>}
 */
export async function fromMemory(given, call) {
  const contents = [...given].map(([name, bytes]) => {
    if (typeof name === "string" && bytes instanceof Uint8Array) return { name, bytes };
    throw new InnerspanError("input", `the file ${kind(name)} must be a Uint8Array, not ${kind(bytes)}`);
  });
  const total = contents.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const files = new (native().Files)();
  let loaded = 0;
  for (const { name, bytes } of contents) {
    files.begin(name, bytes.length);
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      files.append(name, piece);
      loaded += piece.length;
      call.report({ stage: "load", file: name, loaded, total });
      await setImmediate();
      call.check();
    }
  }
  return (...rest) => native().loadFiles(files, ...rest);
}
