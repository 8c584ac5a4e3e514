// Which colour an entity type has. The style sheet knows the colours as `data-slot`.

/** How many colours there are; further types begin again at the first. */
export const COLOURS = 10;

/**
 * Gives out colours: to the given labels in their order, to others as they come.
 *
 * @param {Iterable<string>} [labels]
 * @returns {(label: string) => number} the slot of a label, in 0..COLOURS
 */
export function palette(labels = []) {
  /** @type {Map<string, number>} */
  const slots = new Map();
  /** @param {string} label */
  const slot = (label) => {
    const known = slots.get(label) ?? slots.size % COLOURS;
    slots.set(label, known);
    return known;
  };
  for (const label of labels) slot(label);
  return slot;
}
