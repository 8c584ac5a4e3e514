// The worker's side of `worker.js`: one recognizer, driven by messages `{ id, what, given, heard }` and
// `{ id, stop }`, answered by `{ id, value }`, `{ id, error }` and `{ id, progress }`.

import { asInnerspanError } from "./errors.js";
import { Recognizer } from "./recognizer.js";

/** @type {Recognizer | undefined} */
let recognizer;
/** @type {Map<number, AbortController>} */
const running = new Map();

/** @type {Record<string, (given: any, calls: any) => Promise<unknown>>} */
const can = {
  async load([source, options], calls) {
    recognizer = await Recognizer.load(source, { ...options, ...calls });
    return { device: recognizer.device, labels: [...recognizer.labels] };
  },
  async extractBatch([texts, options], calls) {
    const lists = await recognizer?.extractBatch(texts, { ...options, ...calls });
    return { lists, device: recognizer?.device };
  },
};

addEventListener("message", async ({ data: { id, what, given, heard, stop } }) => {
  if (stop) return running.get(id)?.abort();
  const controller = new AbortController();
  running.set(id, controller);
  const onProgress = heard ? (/** @type {unknown} */ progress) => postMessage({ id, progress }) : undefined;
  try {
    postMessage({ id, value: await can[what](given, { signal: controller.signal, onProgress }) });
  } catch (thrown) {
    const { code, message } = asInnerspanError(thrown);
    postMessage({ id, error: { code, message } });
  } finally {
    running.delete(id);
  }
});
