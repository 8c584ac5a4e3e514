// One call of a user: what stops it, and who hears of its progress.

import { InnerspanError } from "./errors.js";
import { native } from "./native.js";
import { offAbort, onAbort } from "./signal.js";

/** A call that its signal, or a callback that throws, interrupts. */
export class Call {
  /** Turned when the call is over; the native half looks at it. */
  stop = new (native().Stop)();
  /** Called when the call is over, whichever way it went. */
  onEnd = () => {};
  #signal;
  #onProgress;
  /** @type {InnerspanError | undefined} why it was interrupted */
  #interruption;
  /** @type {(error: InnerspanError) => void} */
  #reject = () => {};

  /** @param {{ signal?: AbortSignal, onProgress?: (progress: import("./api.js").Progress) => void }} options */
  constructor({ signal, onProgress }) {
    this.#signal = signal;
    this.#onProgress = onProgress;
    if (signal?.aborted) this.#abort();
    else if (signal) onAbort(signal, this.#abort);
  }

  /**
   * Reports progress, unless the call is over. A callback may be asynchronous; nobody waits for it, but its failure
   * counts as one that is thrown.
   * @param {import("./api.js").Progress} progress
   */
  report(progress) {
    if (this.stop.stopped) return;
    const threw = (/** @type {unknown} */ error) => {
      const message = `onProgress threw: ${error instanceof Error ? error.message : String(error)}`;
      this.#interrupt(new InnerspanError("input", message, { cause: error }));
    };
    try {
      const returned = /** @type {unknown} */ (this.#onProgress?.(progress));
      if (returned instanceof Promise) returned.catch(threw);
    } catch (error) {
      threw(error);
    }
  }

  /** Throws if the call was interrupted. */
  check() {
    if (this.#interruption) throw this.#interruption;
  }

  /**
   * What a promise resolves with, unless the call is interrupted first. One promise is waited for at a time; racing
   * each against one that stays pending would pile up on that one.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  wait(promise) {
    return new Promise((resolve, reject) => {
      this.check();
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }

  /**
   * The whole of a call.
   * @template T
   * @param {() => Promise<T>} work
   */
  async run(work) {
    try {
      this.check();
      return await this.wait(work());
    } finally {
      this.end();
    }
  }

  /** Stops what is still under way, and lets go of the signal. */
  end() {
    this.stop.stop();
    if (this.#signal) offAbort(this.#signal, this.#abort);
    this.onEnd();
  }

  /** @param {InnerspanError} error */
  #interrupt(error) {
    this.stop.stop();
    this.#interruption ??= error;
    this.#reject(this.#interruption);
  }

  #abort = () =>
    this.#interrupt(new InnerspanError("aborted", "the signal aborted it", { cause: this.#signal?.reason }));
}
