import { aborted } from "./errors.js";

/**
 * What ends a call early: its signal, or the recognizer's end.
 */
export class Stop {
  #controller = new AbortController();
  /** @type {() => void} */
  #forget = () => {};

  /** @param {AbortSignal} [signal] */
  constructor(signal) {
    if (!signal) return;
    const stop = () => this.now(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
    this.#forget = () => signal.removeEventListener("abort", stop);
  }

  /** For `fetch`; its reason is the error that the call rejects with. */
  get signal() {
    return this.#controller.signal;
  }

  /** @param {unknown} error */
  now(error) {
    this.#controller.abort(error);
  }

  /** Throws once it is over. */
  check() {
    this.signal.throwIfAborted();
  }

  /**
   * What the promise gives, unless it is over before.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  async race(promise) {
    this.check();
    /** @type {() => void} */
    let forget = () => {};
    const end = new Promise((_, reject) => {
      const stop = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", stop);
      forget = () => this.signal.removeEventListener("abort", stop);
    });
    try {
      return /** @type {T} */ (await Promise.race([promise, end]));
    } finally {
      forget();
    }
  }

  /** Lets go of the signal. */
  done() {
    this.#forget();
  }
}
