// A loaded model.

import { inOrder } from "./batch.js";
import { Call } from "./call.js";
import { checkExtractOptions, checkLoadOptions, checkText, kind } from "./check.js";
import { InnerspanError } from "./errors.js";
import { openSource } from "./source.js";

/** @typedef {import("./api.js").Entity} Entity */
/** @typedef {import("./api.js").ExtractOptions} ExtractOptions */

const LOADED = Symbol("loaded");

export class Recognizer {
  /** @type {import("./addon.d.ts").Model} */
  #model;
  #disposed = false;

  /**
   * @param {symbol} key
   * @param {import("./addon.d.ts").Model} model
   */
  constructor(key, model) {
    if (key !== LOADED) throw new InnerspanError("input", "a Recognizer is made by `await Recognizer.load(…)`");
    model.count();
    this.#model = model;
    this.device = Object.freeze(model.device);
    /** @type {readonly string[]} */
    this.labels = Object.freeze(model.labels);
  }

  /**
   * @param {string | URL | import("./index.js").ModelFiles} source
   * @param {import("./api.js").LoadOptions} [options]
   */
  static async load(source, options) {
    const { device, precision, ...rest } = checkLoadOptions(options);
    const call = new Call(rest);
    return call.run(async () => {
      const load = await openSource(source, String(precision), call);
      /** @type {import("./addon.d.ts").Model} */
      const model = await new Promise((resolve, reject) => {
        load(String(device), String(precision), call.stop, (event) => {
          switch (event.type) {
            case "Bytes":
              return call.report({ stage: "load", file: event.file, loaded: event.loaded, total: event.total });
            case "Build":
              return call.report({ stage: "build" });
            case "Loaded":
              return call.stop.stopped ? event.model.dispose() : resolve(event.model);
            case "Failed":
              return reject(new InnerspanError(event.code, event.message));
          }
        });
      });
      return new Recognizer(LOADED, model);
    });
  }

  /**
   * @param {string} text
   * @param {ExtractOptions} [options]
   */
  async extract(text, options) {
    const { threshold, ...rest } = checkExtractOptions(options);
    checkText(text, "text");
    const call = new Call(rest);
    return call.run(() =>
      this.#one(text, threshold, call, (done, total) => call.report({ stage: "extract", done, total })),
    );
  }

  /**
   * @param {readonly string[] | AsyncIterable<string>} texts
   * @param {ExtractOptions} [options]
   * @returns {any} a promise for an array, a generator for a stream
   */
  extractBatch(texts, options) {
    const isStream = typeof texts === "object" && texts !== null && Symbol.asyncIterator in texts;
    return isStream ? this.#stream(texts, options) : this.#array(texts, options);
  }

  /**
   * @param {readonly string[]} texts
   * @param {ExtractOptions} [options]
   */
  async #array(texts, options) {
    if (!Array.isArray(texts)) {
      throw new InnerspanError("input", `texts must be an array or an async iterable of strings, not ${kind(texts)}`);
    }
    /** @type {Entity[][]} */
    const lists = [];
    for await (const list of this.#stream(texts, options, texts.length)) lists.push(list);
    return lists;
  }

  /**
   * @param {Iterable<string> | AsyncIterable<string>} texts
   * @param {ExtractOptions} [options]
   * @param {number} [count] how many texts there are, where that is known
   * @returns {AsyncGenerator<Entity[], void, undefined>}
   */
  async *#stream(texts, options, count) {
    const { threshold, ...rest } = checkExtractOptions(options);
    const call = new Call(rest);
    try {
      yield* inOrder(texts, count, call, (text, onWindows) => this.#one(text, threshold, call, onWindows));
    } finally {
      call.end();
    }
  }

  /**
   * The entities of one checked text.
   * @param {string} text
   * @param {number | undefined} threshold
   * @param {Call} call
   * @param {(done: number, total: number) => void} onWindows
   * @returns {Promise<Entity[]>}
   */
  #one(text, threshold, call, onWindows) {
    return new Promise((resolve, reject) => {
      if (this.#disposed) throw new InnerspanError("disposed", "the recognizer was disposed of");
      this.#model.extract(text, threshold, call.stop, (event) => {
        if (event.type === "Windows") onWindows(event.done, event.total);
        else if (event.type === "Found") resolve(this.#entities(text, event.spans, event.scores));
        else if (event.type === "Failed") reject(new InnerspanError(event.code, event.message));
      });
    });
  }

  /**
   * @param {string} text
   * @param {Uint32Array} spans start, end and label of each
   * @param {Float32Array} scores
   */
  #entities(text, spans, scores) {
    return Array.from(scores, (score, index) => {
      const [start, end, label] = spans.subarray(3 * index, 3 * index + 3);
      return { start, end, text: text.slice(start, end), label: this.labels[label], score };
    });
  }

  dispose() {
    this.#disposed = true;
    this.#model.dispose();
  }
}
