// One call of a user: what stops it, and who hears of its progress.

import { InnerspanError } from "./errors.js";
import { native } from "./native.js";

/** A call that its signal, or a callback that throws, ends early. */
export class Call {
  /** Turned when the call ends early; the native half looks at it. */
  stop = new (native().Stop)();
  /** Rejects when the call ends early, and never resolves. */
  interrupted;
  #signal;
  #onProgress;
  /** @type {(error: InnerspanError) => void} */
  #interrupt;

  /** @param {{ signal?: AbortSignal, onProgress?: (progress: import("./api.js").Progress) => void }} options */
  constructor({ signal, onProgress }) {
    /** @type {PromiseWithResolvers<never>["reject"]} */
    let reject;
    this.interrupted = /** @type {Promise<never>} */ (new Promise((_, no) => (reject = no)));
    this.interrupted.catch(() => {});
    this.#interrupt = (error) => {
      this.stop.stop();
      reject(error);
    };
    this.#signal = signal;
    this.#onProgress = onProgress;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener("abort", this.#abort);
  }

  /** Whether anyone wants to hear of progress. */
  get hasListener() {
    return this.#onProgress !== undefined;
  }

  /**
   * Reports progress, unless the call is over.
   * @param {import("./api.js").Progress} progress
   */
  report(progress) {
    if (this.stop.stopped) return;
    try {
      this.#onProgress?.(progress);
    } catch (error) {
      const message = `onProgress threw: ${error instanceof Error ? error.message : String(error)}`;
      this.#interrupt(new InnerspanError("input", message, { cause: error }));
    }
  }

  /**
   * What `work` resolves with, unless the call ends early.
   * @template T
   * @param {() => Promise<T>} work
   */
  async run(work) {
    try {
      if (this.stop.stopped) return await this.interrupted;
      return await Promise.race([this.interrupted, work()]);
    } finally {
      this.end();
    }
  }

  /** Stops what is still under way, and lets go of the signal. */
  end() {
    this.stop.stop();
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  #abort = () =>
    this.#interrupt(new InnerspanError("aborted", "the signal aborted it", { cause: this.#signal?.reason }));
}
