/** @import { Build } from "./builds.js" */
/** @import { Stop } from "./stop.js" */
import { breathe } from "./breathe.js";
import { load } from "./builds.js";
import { InnerspanError, coreError } from "./errors.js";

/**
 * One WebAssembly instance with one model in it. A trap leaves it `dead`, and its memory goes when it is let go.
 */
export class Engine {
  /**
   * What `build/*.js` makes.
   * @type {any}
   */
  #exports;
  /** @type {any} */
  #model;
  #bell = new Bell();
  /** @type {InnerspanError | undefined} */
  #end;

  /**
   * @param {Build} build
   * @param {Stop} stop
   */
  static async start(build, stop) {
    const { create, program } = await stop.race(load(build));
    const engine = new Engine();
    const { instantiate, ...exports } = create((task) => queueMicrotask(() => engine.#task(task)));
    engine.#exports = exports;
    try {
      await instantiate({ module_or_path: program });
    } catch (error) {
      throw new InnerspanError("memory", `the program cannot be started (${error}); there is not enough memory`);
    }
    exports.onWake(() => engine.#bell.ring());
    return engine;
  }

  /**
   * Takes the files, which are let go one by one.
   * @param {Map<string, Uint8Array>} files
   * @param {string} precision
   * @param {string | undefined} adapter The name of the graphics adapter to run on, if any.
   * @param {Stop} stop
   */
  async load(files, precision, adapter, stop) {
    const { Files, load } = this.#exports;
    const given = this.#call(() => {
      const given = new Files();
      for (const [name, bytes] of files) {
        given.add(name, bytes);
        files.delete(name);
      }
      return given;
    });
    this.#model = await this.#finish(() => load(given, precision, adapter), stop);
  }

  /** @returns {string[]} */
  get labels() {
    return this.#call(() => this.#model.labels());
  }

  /** Whether it can no longer be used. */
  get dead() {
    return this.#end !== undefined;
  }

  /** Whether it ran on a GPU that is gone. */
  get lost() {
    return !this.dead && this.#call(() => this.#exports.deviceLost());
  }

  /**
   * @param {string[]} texts
   * @param {number | undefined} threshold
   * @param {Stop} stop
   * @param {(done: number, total: number) => void} onStep
   * @returns {Promise<{ start: number, end: number, label: string, score: number }[][]>}
   */
  extract(texts, threshold, stop, onStep) {
    return this.#finish(() => this.#model.extract(texts, threshold), stop, onStep);
  }

  /**
   * Drives a task to its end, breathing between its turns.
   * @param {() => any} start
   * @param {Stop} stop
   * @param {(done: number, total: number) => void} [onStep]
   */
  async #finish(start, stop, onStep) {
    const { Turn } = this.#exports;
    const task = this.#call(start);
    try {
      for (;;) {
        const rung = this.#bell.next();
        const turn = this.#call(() => task.turn());
        if (turn === Turn.Ready) return this.#call(() => task.value());
        if (turn === Turn.Paused) onStep?.(task.done, task.total);
        await stop.race(turn === Turn.Paused ? breathe() : rung);
        if (this.lost) throw new InnerspanError("device", "the GPU was lost; try again, or use the device cpu");
      }
    } finally {
      if (this.dead) task.__destroy_into_raw();
      else this.#call(() => task.free());
    }
  }

  /**
   * Calls into the instance. What it throws without meaning to leaves it in no state to go on.
   * @template T
   * @param {() => T} run
   * @returns {T}
   */
  #call(run) {
    if (this.#end) throw new EngineDead(this.#end);
    try {
      return run();
    } catch (thrown) {
      throw coreError(thrown) ?? this.#die(thrown);
    }
  }

  /**
   * What the instance queued for itself, as the one with WebGPU does.
   * @param {() => void} run
   */
  #task(run) {
    try {
      if (!this.dead) run();
    } catch (thrown) {
      this.#die(thrown);
    }
  }

  /** @param {unknown} thrown */
  #die(thrown) {
    this.#end = this.#fault(thrown);
    this.#model?.__destroy_into_raw();
    this.#bell.ring();
    return this.#end;
  }

  /** @param {unknown} thrown */
  #fault(thrown) {
    const ask = (/** @type {string} */ name) => {
      try {
        return this.#exports[name]();
      } catch {
        return undefined;
      }
    };
    const cause = { cause: thrown };
    const [refused, file, panic] = ["refusedBytes", "guardedFile", "panicMessage"].map(ask);
    if (refused > 0) {
      const size = Math.ceil(refused / 2 ** 20);
      return new InnerspanError(
        "memory",
        `there is not enough memory (${size} MiB more were needed); use a smaller model, q8, or shorter texts`,
        cause,
      );
    }
    if (file) {
      return new InnerspanError("file", `${file}: it makes its reader fail; the file is damaged, get it again`, cause);
    }
    const what = panic || String(thrown);
    return new InnerspanError("internal", `a fault of this package, please report it: ${what}`, cause);
  }
}

/** An engine that something else left dead; on a new one the call may well succeed. */
export class EngineDead extends InnerspanError {
  /** @param {InnerspanError} fault */
  constructor(fault) {
    super(fault.code, fault.message, { cause: fault });
  }
}

/** Wakes whoever waits for its next ring. */
class Bell {
  /** @type {() => void} */
  #ring = () => {};
  #next = this.#renew();

  /** @returns {Promise<void>} */
  #renew() {
    return new Promise((resolve) => (this.#ring = resolve));
  }

  next() {
    return this.#next;
  }

  ring() {
    this.#ring();
    this.#next = this.#renew();
  }
}
