// The types of entities with how many there are: buttons that show and hide them.

import { COLOURS } from "innerspan/highlight";

/**
 * @param {HTMLElement} root
 * @param {(hidden: Set<string>) => void} onChange
 */
export function createLegend(root, onChange) {
  /** @type {Map<string, HTMLButtonElement>} */
  const buttons = new Map();
  /** @type {Set<string>} */
  const hidden = new Set();

  /** @param {string} label @param {number} slot */
  const add = (label, slot) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "innerspan-type";
    button.dataset.slot = String(slot);
    button.setAttribute("aria-pressed", String(!hidden.has(label)));
    const count = document.createElement("span");
    button.append(label, count);
    button.addEventListener("click", () => {
      const off = hidden.delete(label) ? false : Boolean(hidden.add(label));
      button.setAttribute("aria-pressed", String(!off));
      onChange(hidden);
    });
    buttons.set(label, button);
    return button;
  };

  return {
    hidden,

    /** The types of another model. @param {readonly string[]} labels */
    setLabels(labels) {
      hidden.clear();
      buttons.clear();
      root.replaceChildren(...labels.map((label, at) => add(label, at % COLOURS)));
    },

    /** @param {Map<string, number>} counts */
    setCounts(counts) {
      for (const [label, button] of buttons) {
        const count = counts.get(label) ?? 0;
        /** @type {HTMLElement} */ (button.lastElementChild).textContent = String(count);
        button.classList.toggle("none", count === 0);
      }
    },
  };
}
