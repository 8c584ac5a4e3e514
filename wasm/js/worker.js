/** @import { Device, Entity, ExtractOptions, LoadOptions, RecognizerBase } from "./api.js" */
/** @import { Source } from "./index.js" */
import { checkTexts, extractOptions, loadOptions } from "./check.js";
import { InnerspanError, aborted, asInnerspanError, disposed } from "./errors.js";
import { openSource } from "./source.js";
import { startWorker } from "./worker-start.js";

export { clearCache } from "./cache.js";
export { MAX_TEXT_LENGTH } from "./check.js";
export { InnerspanError } from "./errors.js";

/**
 * A model in a thread of its own. See `api.d.ts`.
 * @implements {RecognizerBase}
 */
export class Recognizer {
  #source;
  #options;
  #thread = new Thread();
  /** @type {{ device: Device, labels: readonly string[] }} */
  #loaded = { device: { kind: "cpu", name: "", reason: "" }, labels: [] };
  /** @type {Promise<void> | undefined} */
  #reloading;

  /**
   * Use `load`.
   * @param {Source} source
   * @param {ReturnType<typeof loadOptions>} options
   */
  constructor(source, options) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * @param {Source} source
   * @param {LoadOptions} [options]
   */
  static async load(source, options) {
    const checked = loadOptions(options);
    openSource(source); // refuses what is none
    const recognizer = new Recognizer(portable(source), checked);
    try {
      await recognizer.#load(checked);
    } catch (error) {
      recognizer.dispose();
      throw error;
    }
    return recognizer;
  }

  get device() {
    return this.#loaded.device;
  }

  get labels() {
    return this.#loaded.labels;
  }

  /**
   * @param {string} text
   * @param {ExtractOptions} [options]
   */
  async extract(text, options) {
    const [entities] = await this.extractBatch([text], options);
    return entities;
  }

  /**
   * @param {string[]} texts
   * @param {ExtractOptions} [options]
   * @returns {Promise<Entity[][]>}
   */
  async extractBatch(texts, options) {
    if (this.#thread.closed) throw disposed();
    const given = checkTexts(texts);
    const { threshold, ...calls } = extractOptions(options);
    if (this.#thread.fallen) await this.#revive();
    const { lists, device } = await this.#thread.ask("extractBatch", [given, { threshold }], calls);
    this.#loaded.device = device;
    return lists;
  }

  dispose() {
    this.#thread.close();
  }

  /** @param {Pick<LoadOptions, "onProgress" | "signal">} calls */
  async #load(calls) {
    const { device, precision } = this.#options;
    const loaded = await this.#thread.ask("load", [this.#source, { device, precision }], calls);
    this.#loaded = { device: loaded.device, labels: Object.freeze(loaded.labels) };
  }

  /** Puts a new thread in the place of one that fell. */
  #revive() {
    this.#reloading ??= this.#load({}).finally(() => (this.#reloading = undefined));
    return this.#reloading;
  }
}

/**
 * The source as a worker can read it: addresses in it are relative to the page.
 * @param {any} source
 */
function portable(source) {
  if (typeof source === "string" && !source.startsWith("hf:")) {
    return new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  }
  if (source instanceof URL) return source.href;
  return typeof source === "object" && Symbol.iterator in source ? [...source] : source;
}

/** A worker, started when it is first asked something. */
class Thread {
  closed = false;
  /** Whether it has ended by itself. */
  fallen = false;
  /** @type {Worker | undefined} */
  #worker;
  #last = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: unknown) => void, onProgress?: (progress: any) => void }>} */
  #asked = new Map();

  /**
   * @param {string} what
   * @param {unknown[]} given
   * @param {Pick<LoadOptions, "onProgress" | "signal">} calls
   * @returns {Promise<any>}
   */
  async ask(what, given, { onProgress, signal }) {
    if (this.closed) throw disposed();
    if (signal?.aborted) throw aborted(signal);
    const worker = (this.#worker ??= this.#start());
    this.fallen = false;
    const id = ++this.#last;
    const stop = () => {
      worker.postMessage({ id, stop: true });
      this.#settle(id, ({ reject }) => reject(aborted(signal)));
    };
    signal?.addEventListener("abort", stop);
    try {
      return await new Promise((resolve, reject) => {
        this.#asked.set(id, { resolve, reject, onProgress });
        worker.postMessage({ id, what, given, heard: Boolean(onProgress) });
      });
    } catch (error) {
      this.#asked.delete(id);
      throw error instanceof DOMException ? asInnerspanError(error) : error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  close() {
    this.closed = true;
    this.#end(disposed());
  }

  #start() {
    const worker = startWorker();
    worker.onmessage = ({ data }) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fall(event.message || "its script cannot be loaded");
    };
    return worker;
  }

  /** @param {string} reason */
  #fall(reason) {
    this.fallen = true;
    this.#end(new InnerspanError("internal", `the worker ended (${reason}); the next call starts another`));
  }

  /** @param {InnerspanError} error */
  #end(error) {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  /** @param {{ id: number, value?: any, error?: any, progress?: any }} answer */
  #hear({ id, value, error, progress }) {
    if (progress) this.#progress(id, progress);
    else if (error) this.#settle(id, ({ reject }) => reject(new InnerspanError(error.code, error.message)));
    else this.#settle(id, ({ resolve }) => resolve(value));
  }

  /**
   * @param {number} id
   * @param {any} progress
   */
  #progress(id, progress) {
    const asked = this.#asked.get(id);
    try {
      asked?.onProgress?.(progress);
    } catch (thrown) {
      this.#worker?.postMessage({ id, stop: true });
      this.#settle(id, ({ reject }) => reject(thrown));
    }
  }

  /**
   * @param {number} id
   * @param {(asked: { resolve: (value: any) => void, reject: (error: unknown) => void }) => void} how
   */
  #settle(id, how) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked) how(asked);
  }
}
