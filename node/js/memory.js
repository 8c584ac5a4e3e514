// Files that are in memory, on their way to the native half.

import { setImmediate } from "node:timers/promises";
import { types } from "node:util";

import { kind } from "./check.js";
import { InnerspanError } from "./errors.js";
import { native } from "./native.js";

/** Bytes that are copied before other work of this thread gets its turn. */
const PIECE = 4 << 20;

/** Files that arrive piece by piece. */
export class Arriving {
  #files = new (native().Files)();
  #call;
  #total;
  #loaded = 0;

  /**
   * @param {import("./call.js").Call} call which hears of the progress
   * @param {number} total bytes of all files, 0 where that is unknown
   */
  constructor(call, total) {
    this.#call = call;
    this.#total = total;
  }

  /**
   * @param {string} file
   * @param {number} bytes how many it will have, 0 where that is unknown
   */
  begin(file, bytes) {
    room(() => this.#files.begin(file, bytes));
  }

  /**
   * @param {string} file
   * @param {Uint8Array} piece
   */
  append(file, piece) {
    room(() => this.#files.append(file, piece));
    this.#loaded += piece.length;
    this.#call.report({ stage: "load", file, loaded: this.#loaded, total: this.#total });
  }

  /** @returns {import("./addon.d.ts").Load} */
  end() {
    return (...rest) => native().loadFiles(this.#files, ...rest);
  }
}

/** @param {() => void} work which fails when there is no room */
function room(work) {
  try {
    work();
  } catch (cause) {
    throw new InnerspanError("memory", `there is no room for the model's files`, { cause });
  }
}

/**
 * A model whose files are all in memory.
 * @param {Map<unknown, unknown>} given bytes by name
 * @param {import("./call.js").Call} call
 * @returns {Promise<import("./addon.d.ts").Load>}
 */
export async function fromMemory(given, call) {
  const contents = [...given].map(([name, bytes]) => {
    if (typeof name === "string" && types.isUint8Array(bytes)) return { name, bytes };
    throw new InnerspanError("input", `the file ${kind(name)} must be a Uint8Array, not ${kind(bytes)}`);
  });
  const files = new Arriving(
    call,
    contents.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  for (const { name, bytes } of contents) {
    files.begin(name, bytes.length);
    for (let at = 0; at < bytes.length; at += PIECE) {
      files.append(name, bytes.subarray(at, at + PIECE));
      await setImmediate();
      call.check();
    }
  }
  return files.end();
}
