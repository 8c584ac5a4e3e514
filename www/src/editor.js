// The text on the one side and its entities on the other, which follow each other.

import { carry } from "./carry.js";

/** @typedef {import("innerspan").Entity} Entity */

/**
 * @param {HTMLTextAreaElement} area
 * @param {import("innerspan/innerspan-text").InnerspanText} view
 * @param {HTMLElement} scroller what the view scrolls in
 * @param {() => void} onChange
 */
export function createEditor(area, view, scroller, onChange) {
  const changed = () => {
    const text = area.value;
    view.entities = carry(view.entities, view.text, text);
    view.text = text;
    onChange();
  };

  area.addEventListener("input", async () => {
    changed();
    await view.updateComplete;
    keepInSight(blockAt(view, area.selectionEnd), scroller);
  });

  view.addEventListener("entityselect", (event) => {
    // on a phone this would bring up the keyboard
    if (matchMedia("(pointer: coarse)").matches) return;
    const { start, end } = /** @type {CustomEvent<{ entity: Entity }>} */ (event).detail.entity;
    area.setSelectionRange(start, end);
    // browsers scroll to the selection of what gets the focus
    area.blur();
    area.focus();
  });

  return {
    get text() {
      return area.value;
    },
    /** @param {string} text */
    replace(text) {
      area.value = text;
      area.scrollTop = scroller.scrollTop = 0;
      changed();
    },
  };
}

/** The block of the view that holds a place of the text. @param {HTMLElement} view @param {number} at */
function blockAt(view, at) {
  let end = 0;
  for (const block of view.children) {
    end += block.textContent?.length ?? 0;
    if (at <= end) return block;
  }
  return view.lastElementChild;
}

/** @param {Element | null} block @param {HTMLElement} scroller */
function keepInSight(block, scroller) {
  if (!block || scroller.scrollHeight <= scroller.clientHeight) return;
  const { top, bottom } = scroller.getBoundingClientRect();
  const box = block.getBoundingClientRect();
  if (box.bottom > bottom) scroller.scrollTop += Math.min(box.bottom - bottom, box.top - top);
  else if (box.top < top) scroller.scrollTop += Math.max(box.top - top, box.bottom - bottom);
}
