/** @import { ErrorCode } from "./api.js" */

/** See `api.d.ts`. */
export class InnerspanError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    /** @type {"InnerspanError"} */
    this.name = "InnerspanError";
    /** @readonly */
    this.code = code;
  }
}

/**
 * What core calls its errors, in this package's terms.
 * @type {Record<string, ErrorCode>}
 */
const FROM_CORE = {
  io: "io",
  file: "file",
  device: "device",
  setting: "input",
  corpus: "input",
  interrupted: "aborted",
};

/**
 * The error that core returned on purpose, or nothing where something else was thrown.
 * @param {any} thrown
 */
export function coreError(thrown) {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "string") return undefined;
  return new InnerspanError(FROM_CORE[thrown.code] ?? "internal", thrown.message);
}

/**
 * Any failure as an `InnerspanError`.
 * @param {unknown} thrown
 */
export function asInnerspanError(thrown) {
  if (thrown instanceof InnerspanError) return thrown;
  const cause = { cause: thrown };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof RangeError && /alloc|memory/i.test(message)) {
    return new InnerspanError("memory", `there is not enough memory (${message}); use a smaller model or q8`, cause);
  }
  return new InnerspanError("internal", `a fault of this package, please report it: ${message}`, cause);
}

/** @param {AbortSignal} [signal] */
export function aborted(signal) {
  return new InnerspanError("aborted", "stopped on request", { cause: signal?.reason });
}

export function disposed() {
  return new InnerspanError("disposed", "the recognizer was disposed of; load it again");
}
