/** @typedef {import("innerspan").Entity} Entity */

/**
 * The entities of a text after it was edited at one place, until the model has read it again: those before stay,
 * those behind move, those that the edit touches go.
 *
 * @param {readonly Entity[]} entities
 * @param {string} before
 * @param {string} after
 * @returns {Entity[]}
 */
export function carry(entities, before, after) {
  const most = Math.min(before.length, after.length);
  let same = 0;
  while (same < most && before[same] === after[same]) same++;
  let tail = 0;
  while (tail < most - same && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const behind = before.length - tail;
  const moved = after.length - before.length;
  return entities.flatMap((entity) => {
    if (entity.end <= same) return [entity];
    if (entity.start >= behind) return [{ ...entity, start: entity.start + moved, end: entity.end + moved }];
    return [];
  });
}
