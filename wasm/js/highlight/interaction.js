// Reaching entities by pointer and keyboard: one stop of the tab key for a whole text, arrow keys inside.

import { ENTITY } from "./markup.js";
import { hideTooltip, showTooltip } from "./tooltip.js";

/** @typedef {import("../api.js").Entity} Entity */

/** Milliseconds that the pointer rests on an entity before its tooltip appears, and that the tooltip outlives it. */
const REST = 90;

/** Every part of an entity that is drawn in parts, but only its first as a place to go to. */
const STOP = `.${ENTITY}:not([data-continued])`;

/** @type {WeakMap<Element, Entity>} what each element shows */
const entities = new WeakMap();

/** @type {WeakSet<Element>} */
const attached = new WeakSet();

/** Remembers what an element shows. @param {Element} element @param {Entity} entity */
export function setEntity(element, entity) {
  entities.set(element, entity);
}

/** The entity that an element shows. @param {Element | null | undefined} element */
export function entityOf(element) {
  return element ? entities.get(element) : undefined;
}

/** Gives the first entity inside `root` a stop of the tab key, unless another has it. @param {Element} root */
export function ensureTabStop(root) {
  if (root.querySelector(`.${ENTITY}[tabindex="0"]`)) return;
  const first = root.querySelector(STOP);
  if (first instanceof HTMLElement) first.tabIndex = 0;
}

/** Moves the tab stop, and the focus too if asked. */
export function moveTabStop(
  /** @type {Element} */ root,
  /** @type {HTMLElement} */ element,
  /** @type {boolean} */ focus,
) {
  for (const stop of root.querySelectorAll(`.${ENTITY}[tabindex="0"]`)) {
    if (stop !== element && stop instanceof HTMLElement) stop.tabIndex = -1;
  }
  element.tabIndex = 0;
  if (focus) element.focus();
}

/** Listens to pointer and keyboard on everything that is or will be drawn inside `root`. @param {HTMLElement} root */
export function attach(root) {
  if (attached.has(root)) return;
  attached.add(root);

  /** @type {HTMLElement[]} the parts of the entity that is looked at */
  let active = [];
  /** @type {HTMLElement | undefined} */
  let tooltip;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const leave = () => {
    clearTimeout(timer);
    for (const part of active) delete part.dataset.active;
    active = [];
    if (tooltip) hideTooltip(tooltip);
  };

  /** @param {HTMLElement} element @param {number} [y] */
  const look = (element, y) => {
    leave();
    const around = [];
    for (let outer = entityElement(element, root); outer; outer = entityElement(outer.parentElement, root)) {
      const entity = entities.get(outer);
      if (entity) around.push(entity);
    }
    if (around.length === 0) return;
    active = parts(element, root);
    for (const part of active) part.dataset.active = "";
    tooltip = showTooltip(element, around, y);
    // who moves the pointer onto the tooltip wants to read it
    tooltip.onpointerenter = () => clearTimeout(timer);
    tooltip.onpointerleave = rest;
  };

  /** Goes back to what has the focus, if anything has. */
  const rest = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const focused = focusedIn(root);
      if (focused?.matches(":focus-visible")) look(focused);
      else leave();
    }, REST);
  };

  root.addEventListener("pointerover", (event) => {
    const element = entityElement(event.target, root);
    if (!element || event.pointerType === "touch") return;
    clearTimeout(timer);
    timer = setTimeout(() => element.isConnected && look(element, event.clientY), REST);
  });
  root.addEventListener("pointerout", (event) => {
    if (entityElement(event.target, root) && !entityElement(event.relatedTarget, root)) rest();
  });
  root.addEventListener("focusin", (event) => {
    const element = entityElement(event.target, root);
    if (!element) return;
    moveTabStop(root, element, false);
    look(element);
  });
  root.addEventListener("focusout", leave);
  root.addEventListener("click", (event) => {
    const element = entityElement(event.target, root);
    if (element && root.ownerDocument.getSelection()?.isCollapsed !== false) select(element);
  });
  root.addEventListener("keydown", (event) => {
    const element = entityElement(event.target, root);
    if (!element || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" || event.key === " ") select(element);
    else {
      const goal = reached(event.key, element, root);
      if (goal === undefined) return;
      if (goal) moveTabStop(root, goal, true);
    }
    event.preventDefault();
  });
}

/**
 * Where a key leads: left and right to the entity before and after, up to the one around, down to the first inside,
 * Home and End to the first and last. Null where there is none, undefined for other keys.
 *
 * @param {string} key
 * @param {HTMLElement} element
 * @param {HTMLElement} root
 * @returns {HTMLElement | null | undefined}
 */
function reached(key, element, root) {
  if (key === "ArrowUp") return entityElement(element.parentElement, root);
  if (key === "ArrowDown") return /** @type {HTMLElement | null} */ (element.querySelector(STOP));
  const stops = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(STOP)]);
  if (key === "Home") return stops[0];
  if (key === "End") return stops[stops.length - 1];
  if (key !== "ArrowLeft" && key !== "ArrowRight") return undefined;
  const onwards = (key === "ArrowRight") === (getComputedStyle(element).direction === "ltr");
  const here = stops.indexOf(parts(element, root)[0]);
  return stops[here + (onwards ? 1 : -1)] ?? null;
}

/** Tells the page that an entity was chosen. @param {HTMLElement} element */
function select(element) {
  const entity = entities.get(element);
  element.dispatchEvent(new CustomEvent("entityselect", { bubbles: true, composed: true, detail: { entity } }));
}

/** All elements of the entity of which `element` shows a part. @param {HTMLElement} element @param {Element} root */
function parts(element, root) {
  const { continues, continued } = element.dataset;
  if (continues === undefined && continued === undefined) return [element];
  const cut = root.querySelectorAll(`.${ENTITY}[data-continues], .${ENTITY}[data-continued]`);
  const same = [...cut].filter((part) => entities.get(part) === entities.get(element));
  return /** @type {HTMLElement[]} */ (same);
}

/** The innermost entity that a node inside `root` lies in. @param {EventTarget | null} node @param {Element} root */
export function entityElement(node, root) {
  const element = node instanceof Element ? node.closest(`.${ENTITY}`) : null;
  return element instanceof HTMLElement && root.contains(element) ? element : null;
}

/** The entity inside `root` that has the focus. @param {Element} root */
export function focusedIn(root) {
  const tree = /** @type {Document | ShadowRoot} */ (root.getRootNode());
  return "activeElement" in tree ? entityElement(tree.activeElement, root) : null;
}
