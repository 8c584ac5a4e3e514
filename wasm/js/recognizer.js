/** @import { Device, Entity, ExtractOptions, LoadOptions, Progress, RecognizerBase } from "./api.js" */
/** @import { Source } from "./index.js" */
/** @import { Folder } from "./source.js" */
import { breathe } from "./breathe.js";
import { checkTexts, extractOptions, loadOptions } from "./check.js";
import { chooseDevice, cpu } from "./device.js";
import { Engine, EngineDead } from "./engine.js";
import { InnerspanError, asInnerspanError, disposed } from "./errors.js";
import { readModel } from "./files.js";
import { openSource } from "./source.js";
import { Stop } from "./stop.js";

/** @typedef {(progress: Progress) => void} Report */

/**
 * A model in this thread. See `api.d.ts`.
 * @implements {RecognizerBase}
 */
export class Recognizer {
  #folder;
  #options;
  /** @type {Promise<Engine> | undefined} */
  #engine;
  #device = cpu("");
  /** @type {readonly string[]} */
  #labels = [];
  #disposed = false;
  #lost = 0;
  /** @type {Set<Stop>} */
  #running = new Set();

  /**
   * Use `load`.
   * @param {Folder} folder
   * @param {ReturnType<typeof loadOptions>} options
   */
  constructor(folder, options) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * @param {Source} source
   * @param {LoadOptions} [options]
   */
  static async load(source, options) {
    const checked = loadOptions(options);
    const recognizer = new Recognizer(openSource(source), checked);
    await recognizer.#call(checked.signal, (stop) => {
      recognizer.#engine = recognizer.#build(stop, reportTo(checked.onProgress));
      return recognizer.#engine;
    });
    return recognizer;
  }

  get device() {
    return this.#device;
  }

  get labels() {
    return this.#labels;
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
    if (this.#disposed) throw disposed();
    const given = checkTexts(texts);
    const { threshold, signal, onProgress } = extractOptions(options);
    const report = reportTo(onProgress);
    const onStep = (/** @type {number} */ done, /** @type {number} */ total) =>
      report({ stage: "extract", done, total });
    const lists = await this.#call(signal, (stop) =>
      this.#run(stop, (engine) => engine.extract(given, threshold, stop, onStep)),
    );
    const entity = (/** @type {string} */ text) => (/** @type {Omit<Entity, "text">} */ found) => {
      const { start, end, label, score } = found;
      return { start, end, text: text.slice(start, end), label, score };
    };
    return lists.map((found, index) => found.map(entity(given[index])));
  }

  dispose() {
    this.#disposed = true;
    for (const stop of this.#running) stop.now(disposed());
    this.#engine = undefined;
  }

  /**
   * Runs something that `dispose` and a signal can end.
   * @template T
   * @param {AbortSignal | undefined} signal
   * @param {(stop: Stop) => Promise<T>} run
   */
  async #call(signal, run) {
    const stop = new Stop(signal);
    this.#running.add(stop);
    try {
      stop.check();
      return await run(stop);
    } catch (error) {
      throw error instanceof FromCallback ? error.cause : asInnerspanError(error);
    } finally {
      this.#running.delete(stop);
      stop.done();
    }
  }

  /**
   * Runs on a live engine, and once more on a new one where the first was lost through no fault of this call.
   * @template T
   * @param {Stop} stop
   * @param {(engine: Engine) => Promise<T>} run
   */
  async #run(stop, run) {
    const engine = await this.#alive(stop);
    try {
      return await run(engine);
    } catch (error) {
      if (stop.signal.aborted || !(error instanceof EngineDead || engine.lost)) throw error;
    }
    return run(await this.#alive(stop));
  }

  /**
   * The engine, built anew where the last one has gone.
   * @param {Stop} stop
   */
  async #alive(stop) {
    const last = this.#engine;
    const engine = await last?.catch(() => undefined);
    stop.check();
    if (engine && !engine.dead && !engine.lost) return engine;
    if (this.#engine === last) {
      if (engine?.lost) this.#lost += 1;
      // others may come to wait for it, so this call's signal does not stop it
      this.#engine = this.#call(undefined, (stop) => this.#build(stop, () => {}));
      this.#engine.catch(() => {});
    }
    return stop.race(/** @type {Promise<Engine>} */ (this.#engine));
  }

  /**
   * @param {Stop} stop
   * @param {Report} report
   */
  async #build(stop, report) {
    const { device: choice } = this.#options;
    if (choice === "auto" && this.#lost > 1) return this.#start(cpu("the GPU was lost again and again"), stop, report);
    const device = await stop.race(chooseDevice(choice));
    try {
      return await this.#start(device, stop, report);
    } catch (error) {
      const refused = error instanceof InnerspanError && error.code === "device" && device.kind === "wgpu";
      if (!refused || choice !== "auto") throw error;
      return this.#start(cpu(error.message), stop, report);
    }
  }

  /**
   * @param {Device} device
   * @param {Stop} stop
   * @param {Report} report
   */
  async #start(device, stop, report) {
    const { precision } = this.#options;
    const both = new Stop(stop.signal);
    const gpu = device.kind === "wgpu";
    try {
      const [engine, files] = await Promise.all([
        Engine.start(gpu ? "webgpu" : "cpu", both),
        readModel(this.#folder, precision, report, both.signal),
      ]);
      report({ stage: "build" });
      await stop.race(breathe());
      await engine.load(files, precision, gpu ? device.name : undefined, stop);
      this.#labels = Object.freeze(engine.labels);
      this.#device = device;
      return engine;
    } catch (error) {
      both.now(error); // the one that did not fail need not go on
      throw error;
    } finally {
      both.done();
    }
  }
}

/** What a caller's own function threw, which is handed back as it is. */
class FromCallback extends Error {}

/**
 * @param {Report} [onProgress]
 * @returns {Report}
 */
function reportTo(onProgress) {
  return (progress) => {
    try {
      onProgress?.(progress);
    } catch (cause) {
      throw new FromCallback("", { cause });
    }
  };
}
