// What hovering and focus show: the type and score of an entity, and of those around it.

import { percent } from "./markup.js";

/** @typedef {import("../api.js").Entity} Entity */

/** Free pixels between the tooltip and the entity, and the edges of the window. */
const GAP = 8;

/** @type {WeakMap<Node, HTMLElement>} one for each document or shadow tree */
const tooltips = new WeakMap();

/** The tooltip for elements beside `node`; screen readers hear the same from the entity itself. @param {Element} node */
function tooltipFor(node) {
  const root = node.getRootNode();
  const home = root instanceof ShadowRoot ? root : node.ownerDocument.body;
  let tooltip = tooltips.get(home);
  if (!tooltip) {
    tooltip = node.ownerDocument.createElement("div");
    tooltip.className = "innerspan-tooltip";
    tooltip.setAttribute("aria-hidden", "true");
    // the top layer, where nothing cuts it off; a browser without popovers shows it in place
    if ("popover" in tooltip) tooltip.popover = "manual";
    tooltips.set(home, tooltip);
  }
  if (!tooltip.isConnected) home.append(tooltip);
  return tooltip;
}

/**
 * Shows the tooltip of an entity.
 *
 * @param {HTMLElement} element
 * @param {Entity[]} entities the entity and those around it, inner first
 * @param {number} [y] where the pointer is, for entities on more than one line
 * @returns {HTMLElement}
 */
export function showTooltip(element, entities, y) {
  const tooltip = tooltipFor(element);
  const document = element.ownerDocument;
  tooltip.replaceChildren(
    ...entities.map((entity, depth) => {
      const row = document.createElement("div");
      const label = document.createElement(depth === 0 ? "b" : "span");
      label.textContent = depth === 0 ? entity.label : `in ${entity.label}`;
      const score = document.createElement("span");
      score.textContent = percent(entity.score);
      row.append(label, score);
      return row;
    }),
  );
  tooltip.style.colorScheme = getComputedStyle(element).colorScheme;
  tooltip.hidden = false;
  tooltip.showPopover?.();
  place(tooltip, element, y);
  return tooltip;
}

/** @param {HTMLElement} tooltip */
export function hideTooltip(tooltip) {
  if (tooltip.hidden) return;
  if (tooltip.isConnected) tooltip.hidePopover?.();
  tooltip.hidden = true;
}

/** Above the line of the entity that the pointer is on, or below where there is no room. */
function place(/** @type {HTMLElement} */ tooltip, /** @type {HTMLElement} */ element, /** @type {number=} */ y) {
  const lines = [...element.getClientRects()];
  const line = lines.find(({ top, bottom }) => y !== undefined && top <= y && y <= bottom) ?? lines[0];
  if (!line) return;
  const { innerWidth } = element.ownerDocument.defaultView ?? window;
  const { width, height } = tooltip.getBoundingClientRect();
  const left = Math.min(Math.max(GAP, line.left + line.width / 2 - width / 2), innerWidth - width - GAP);
  const above = line.top - height - GAP;
  tooltip.style.left = `${left}px`;
  tooltip.style.top = `${above >= GAP ? above : line.bottom + GAP}px`;
}
