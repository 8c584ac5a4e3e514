// Signals that many calls share. Each gets one listener, because Node.js warns of a leak where there are more than ten.

/** @type {WeakMap<AbortSignal, { reactions: Set<() => void>, listener: () => void }>} */
const shared = new WeakMap();

/**
 * Calls `react` when a signal aborts.
 * @param {AbortSignal} signal
 * @param {() => void} react
 */
export function onAbort(signal, react) {
  let entry = shared.get(signal);
  if (entry === undefined) {
    /** @type {Set<() => void>} */
    const reactions = new Set();
    entry = { reactions, listener: () => [...reactions].forEach((react) => react()) };
    shared.set(signal, entry);
    signal.addEventListener("abort", entry.listener);
  }
  entry.reactions.add(react);
}

/**
 * Forgets what `onAbort` was told. A signal that nobody waits for keeps no listener, which would keep it alive.
 * @param {AbortSignal} signal
 * @param {() => void} react
 */
export function offAbort(signal, react) {
  const entry = shared.get(signal);
  if (entry === undefined) return;
  entry.reactions.delete(react);
  if (entry.reactions.size > 0) return;
  shared.delete(signal);
  signal.removeEventListener("abort", entry.listener);
}
