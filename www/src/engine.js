// One model at a time, and of every text only the latest: what is no longer wanted is stopped.

import { Recognizer } from "innerspan/worker";
import { Reader } from "./reader.js";

/** @typedef {import("innerspan").Device} Device */
/** @typedef {import("innerspan").DeviceChoice} DeviceChoice */
/** @typedef {import("innerspan").Precision} Precision */
/** @typedef {import("innerspan").Progress} Progress */
/** @typedef {import("./models.js").Model} Model */

export class Engine {
  /** @type {Recognizer | undefined} */
  #recognizer;
  /** @type {Reader | undefined} */
  #reader;
  #loading = new AbortController();
  #reading = new AbortController();

  /** Whether a model is on its way. */
  loading = false;

  /** Whether there is a model to read with. */
  get ready() {
    return this.#reader !== undefined;
  }

  /**
   * Takes another model in place of the one there was, which serves until the other is ready.
   *
   * @param {Model} model
   * @param {Precision} precision
   * @param {DeviceChoice} device
   * @param {(progress: Progress) => void} onProgress
   * @returns {Promise<{ device: Device, labels: readonly string[] }>}
   */
  async load({ source }, precision, device, onProgress) {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const tell = (/** @type {Progress} */ progress) => signal.aborted || onProgress(progress);
    this.loading = true;
    let recognizer;
    try {
      recognizer = await Recognizer.load(source, { precision, device, signal, onProgress: tell });
    } finally {
      if (!signal.aborted) this.loading = false;
    }
    if (signal.aborted) recognizer.dispose();
    signal.throwIfAborted();
    this.stop();
    this.#recognizer?.dispose();
    this.#recognizer = recognizer;
    this.#reader = new Reader(recognizer);
    return { device: recognizer.device, labels: recognizer.labels };
  }

  /** Where the model runs now: a device may be lost and another taken. */
  get device() {
    return this.#recognizer?.device;
  }

  /**
   * Reads a text in place of the one that is being read.
   *
   * @param {string} text
   * @param {(reading: import("./reader.js").Reading) => void} tell
   */
  async read(text, tell) {
    this.stop();
    const { signal } = this.#reading;
    await this.#reader?.read(text, signal, (reading) => signal.aborted || tell(reading));
  }

  /** What is being read is no longer wanted. */
  stop() {
    this.#reading.abort();
    this.#reading = new AbortController();
  }
}
