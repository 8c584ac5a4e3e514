// Folders and texts that are dragged onto the page, wherever they are dropped.

import { dropped } from "./folder.js";

/**
 * @param {HTMLElement} sign what shows that something may be dropped
 * @param {(what: Awaited<ReturnType<typeof dropped>>) => void} onDrop
 * @param {(error: unknown) => void} onProblem
 */
export function takeDrops(sign, onDrop, onProblem) {
  // text that is dragged within the page is the browser's business
  const ofFiles =
    (/** @type {(data: DataTransfer, event: DragEvent) => void} */ act) => (/** @type {DragEvent} */ event) => {
      if (event.dataTransfer?.types.includes("Files")) act(event.dataTransfer, event);
    };
  addEventListener(
    "dragenter",
    ofFiles(() => (sign.hidden = false)),
  );
  addEventListener(
    "dragover",
    ofFiles((_, event) => event.preventDefault()),
  );
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) sign.hidden = true;
  });
  addEventListener(
    "drop",
    ofFiles(async (data, event) => {
      event.preventDefault();
      sign.hidden = true;
      try {
        onDrop(await dropped(data));
      } catch (error) {
        onProblem(error);
      }
    }),
  );
}
