/** @typedef {import("../api.js").Entity} Entity */

/**
 * The entities that are drawn. One without a score is always sure enough.
 *
 * @param {readonly Entity[]} entities
 * @param {import("../highlight.js").HighlightOptions} options
 */
export function shown(entities, { threshold = 0, hidden = [] }) {
  const unseen = new Set(hidden);
  return entities.filter(({ label, score }) => (score ?? 1) >= threshold && !unseen.has(label));
}
