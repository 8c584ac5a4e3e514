// Reads a text with a model, sentence by sentence; what it has read before it knows.

import { sentences } from "./sentences.js";

/** @typedef {import("innerspan").Entity} Entity */
/** @typedef {import("innerspan").RecognizerBase} Recognizer */

/** Lower than any threshold on the page: one reading serves them all. */
export const LEAST = 0.05;
/** Sentences that are read in one go, so that first results come soon and work can stop. */
const BATCH = 12;
/** Milliseconds between two tellings of what was found so far. */
const TELL = 150;
/** Sentences that are remembered. */
const REMEMBERED = 5000;

/**
 * @typedef {object} Reading
 * @property {Entity[]} entities of all sentences read so far
 * @property {number} done sentences that were read
 * @property {number} total sentences that there are
 * @property {number} fresh sentences that the model had to read now
 */

export class Reader {
  #recognizer;
  /** @type {Map<string, Entity[]>} by sentence, those not seen for the longest time first */
  #known = new Map();

  /** @param {Recognizer} recognizer */
  constructor(recognizer) {
    this.#recognizer = recognizer;
  }

  /**
   * Reads a text and tells of its progress, beginning with what is known already and ending with everything.
   *
   * @param {string} text
   * @param {AbortSignal} signal
   * @param {(reading: Reading) => void} tell
   */
  async read(text, signal, tell) {
    const all = sentences(text);
    const unknown = [...new Set(all.map((sentence) => sentence.text))].filter((sentence) => !this.#known.has(sentence));
    const step = (/** @type {number} */ done) => {
      const known = all.filter((sentence) => this.#known.has(sentence.text));
      const entities = known.flatMap((sentence) => this.#entitiesOf(sentence, text));
      tell({ entities, done: known.length, total: all.length, fresh: done });
    };
    step(0);
    let told = performance.now();
    for (let at = 0; at < unknown.length; at += BATCH) {
      const batch = unknown.slice(at, at + BATCH);
      const lists = await this.#recognizer.extractBatch(batch, { threshold: LEAST, signal });
      signal.throwIfAborted();
      batch.forEach((sentence, index) => this.#known.set(sentence, lists[index]));
      const done = at + batch.length;
      if (done < unknown.length && performance.now() - told < TELL) continue;
      step(done);
      told = performance.now();
    }
    this.#forget(all);
  }

  /** @param {import("./sentences.js").Sentence} sentence @param {string} text */
  #entitiesOf(sentence, text) {
    return (this.#known.get(sentence.text) ?? []).map((entity) => {
      const start = sentence.start + entity.start;
      const end = sentence.start + entity.end;
      return { ...entity, start, end, text: text.slice(start, end) };
    });
  }

  /** Keeps what was just read, and of the rest what was read last. @param {import("./sentences.js").Sentence[]} used */
  #forget(used) {
    for (const { text } of used) {
      const entities = this.#known.get(text);
      this.#known.delete(text);
      if (entities) this.#known.set(text, entities);
    }
    for (const sentence of this.#known.keys()) {
      if (this.#known.size <= Math.max(REMEMBERED, used.length)) break;
      this.#known.delete(sentence);
    }
  }
}
