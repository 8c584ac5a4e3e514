// Many texts, in order, as many at once as keep the model busy.

import { checkText } from "./check.js";

/** How many texts are under way at once, and how long they are together in UTF-16 units. */
const MOST_TEXTS = 256;
const MOST_UNITS = 1 << 18;

/** @typedef {import("./api.js").Entity} Entity */

/**
 * The entities of each text. Texts are read while there is room and the reader waits.
 * @param {Iterable<string> | AsyncIterable<string>} texts
 * @param {number | undefined} count how many there are, where that is known
 * @param {import("./call.js").Call} call
 * @param {(text: string, onWindows: (done: number, total: number) => void) => Promise<Entity[]>} extract
 * @returns {AsyncGenerator<Entity[], void, undefined>}
 */
export async function* inOrder(texts, count, call, extract) {
  const iterator = Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]();
  const tally = new Tally(count, call);
  /** @type {{ entities: Promise<Entity[]>, units: number }[]} */
  const underWay = [];
  let units = 0;
  let read = 0;
  /** @type {Promise<IteratorResult<string>> | undefined} */
  let reading;
  let ended = false;
  try {
    for (;;) {
      call.check();
      const room = underWay.length === 0 || (underWay.length < MOST_TEXTS && units < MOST_UNITS);
      if (room && !ended) reading ??= Promise.resolve(iterator.next());
      if (underWay.length === 0 && ended) return;
      const awaited = [];
      if (room && reading) awaited.push(reading.then((result) => ({ result })));
      if (underWay.length > 0) awaited.push(underWay[0].entities.then((entities) => ({ entities })));
      const next = await call.wait(Promise.race(awaited));
      if ("entities" in next) {
        units -= /** @type {{ units: number }} */ (underWay.shift()).units;
        yield next.entities;
        continue;
      }
      reading = undefined;
      if (next.result.done) {
        ended = true;
        continue;
      }
      const text = next.result.value;
      checkText(text, `texts[${read}]`);
      const entities = extract(text, tally.next());
      // it is waited for when its turn comes
      entities.catch(() => {});
      underWay.push({ entities, units: text.length });
      units += text.length;
      read += 1;
    }
  } finally {
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** Adds up the windows of many texts. A text that was not reached yet counts as one. */
class Tally {
  #done = 0;
  #total;
  #known;
  #call;

  /**
   * @param {number | undefined} count
   * @param {import("./call.js").Call} call
   */
  constructor(count, call) {
    this.#known = count !== undefined;
    this.#total = count ?? 0;
    this.#call = call;
  }

  /** What hears of the next text's windows. */
  next() {
    let [before, expected] = [0, 1];
    if (!this.#known) this.#total += 1;
    return (/** @type {number} */ done, /** @type {number} */ total) => {
      this.#done += done - before;
      this.#total += total - expected;
      [before, expected] = [done, total];
      this.#call.report({ stage: "extract", done: this.#done, total: this.#total });
    };
  }
}
