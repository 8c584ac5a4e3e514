// <innerspan-text>: a text with its entities, redrawn when they change, without ever blocking the page for long.
// Its content is ordinary (light) DOM: it can be selected, searched, styled and rendered on a server.

import { blocks } from "./highlight/blocks.js";
import { draw } from "./highlight/draw.js";
import { attach, ensureTabStop } from "./highlight/interaction.js";
import { palette } from "./highlight/palette.js";
import { shown } from "./highlight/shown.js";
import { adoptStyle } from "./highlight/style.js";

/** @typedef {import("./api.js").Entity} Entity */
/** @typedef {import("./highlight/blocks.js").Block} Block */

/** Milliseconds of work before the page gets its turn. */
const SLICE = 8;
/** UTF-16 units from which blocks out of sight are not laid out. */
const LONG_TEXT = 5000;
/** Changed blocks that are drawn in full at once; of more, only the text is. */
const AT_ONCE = 3;

const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class InnerspanText extends Base {
  static observedAttributes = ["text", "entities", "labels", "threshold", "hidden-labels"];

  /** @type {string | undefined} */
  #text;
  /** @type {readonly Entity[]} */
  #entities = [];
  /** @type {readonly string[]} */
  #labels = [];
  #threshold = 0;
  /** @type {Set<string>} */
  #hidden = new Set();

  #slot = palette();
  /** @type {{ element: HTMLElement, text: string }[]} */
  #blocks = [];
  /** @type {Promise<void> | undefined} */
  #update;
  #version = 0;

  get text() {
    return this.#text ?? this.getAttribute("text") ?? this.textContent ?? "";
  }
  set text(text) {
    this.#text = String(text);
    this.#changed();
  }

  get entities() {
    return this.#entities;
  }
  set entities(entities) {
    this.#entities = entities ?? [];
    this.#changed();
  }

  get labels() {
    return this.#labels;
  }
  set labels(labels) {
    this.#labels = [...(labels ?? [])];
    this.#slot = palette(this.#labels);
    this.#mirror("labels", this.#labels.length > 0 ? JSON.stringify(this.#labels) : null);
    this.#changed();
  }

  get threshold() {
    return this.#threshold;
  }
  set threshold(threshold) {
    this.#threshold = Number(threshold) || 0;
    this.#mirror("threshold", this.#threshold > 0 ? String(this.#threshold) : null);
    this.#changed();
  }

  get hiddenLabels() {
    return [...this.#hidden];
  }
  set hiddenLabels(labels) {
    this.#hidden = new Set(labels ?? []);
    this.#mirror("hidden-labels", this.#hidden.size > 0 ? JSON.stringify([...this.#hidden]) : null);
    this.#changed();
  }

  /** Fulfilled when everything that was set is drawn. */
  get updateComplete() {
    return this.#update ?? Promise.resolve();
  }

  connectedCallback() {
    for (const name of ["text", "entities", "labels", "threshold", "hiddenLabels"]) this.#takeOver(name);
    attach(this);
    this.addEventListener("copy", copyText);
    this.#text ??= this.text;
    this.#changed();
  }

  disconnectedCallback() {
    this.removeEventListener("copy", copyText);
  }

  /** @param {string} name @param {string | null} before @param {string | null} value */
  attributeChangedCallback(name, before, value) {
    if (before === value || name === this.#mirroring) return;
    if (name === "text") this.text = value ?? "";
    else if (name === "entities") this.entities = /** @type {Entity[]} */ (list(value));
    else if (name === "labels") this.labels = /** @type {string[]} */ (list(value));
    else if (name === "threshold") this.threshold = Number(value ?? 0);
    else this.hiddenLabels = /** @type {string[]} */ (list(value));
  }

  /** @type {string | undefined} the attribute that is being set because a property was */
  #mirroring;

  /** @param {string} attribute @param {string | null} value */
  #mirror(attribute, value) {
    if (this.getAttribute(attribute) === value) return;
    this.#mirroring = attribute;
    if (value === null) this.removeAttribute(attribute);
    else this.setAttribute(attribute, value);
    this.#mirroring = undefined;
  }

  /** A property that was set before the element was defined hides the accessor. @param {string} name */
  #takeOver(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = Reflect.get(this, name);
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }

  /** Draws once for all that is set in one go. */
  #changed() {
    if (!this.isConnected || this.#text === undefined) return;
    const version = ++this.#version;
    const update = Promise.resolve().then(() => (version === this.#version ? this.#render(version) : this.#update));
    this.#update = update;
  }

  /** @param {number} version */
  async #render(version) {
    adoptStyle(this, new Set(this.#entities.map(({ label }) => label)));
    const list = blocks(this.text, this.#entities);
    const options = { threshold: this.#threshold, hidden: this.#hidden };
    for (const block of list) block.entities = shown(block.entities, options);
    const isLong = this.text.length > LONG_TEXT;
    this.toggleAttribute("data-long", isLong);
    const begin = this.#fit(list) ?? this.#firstVisible();
    // the text itself is painted first
    if (isLong) await turn();
    if (version !== this.#version) return this.#update;

    const order = [...list.keys()];
    let until = performance.now() + SLICE;
    for (const at of [...order.slice(begin), ...order.slice(0, begin)]) {
      if (performance.now() > until) {
        await turn();
        if (version !== this.#version) return this.#update;
        until = performance.now() + SLICE;
      }
      this.#draw(this.#blocks[at].element, list[at]);
    }
    ensureTabStop(this);
    this.dispatchEvent(new CustomEvent("rendered"));
  }

  /**
   * Makes the text right at once: one element for each block, those before and after the change untouched. Gives the
   * first block that has changed, if any has.
   */
  #fit(/** @type {Block[]} */ list) {
    const before = this.#standing();
    const most = Math.min(before.length, list.length);
    let same = 0;
    while (same < most && before[same].text === list[same].text) same++;
    let tail = 0;
    while (tail < most - same && before[before.length - 1 - tail].text === list[list.length - 1 - tail].text) tail++;

    const changed = list.slice(same, list.length - tail);
    const reused = before.slice(same, before.length - tail);
    const behind = tail > 0 ? before[before.length - tail].element : null;
    const fresh = changed.map((block, at) => {
      const element = reused[at]?.element ?? this.ownerDocument.createElement("div");
      element.className = "innerspan-block";
      this.#draw(element, changed.length > AT_ONCE ? { ...block, entities: [] } : block);
      if (!reused[at]) this.insertBefore(element, behind);
      return { element, text: block.text };
    });
    for (const { element } of reused.slice(changed.length)) element.remove();
    this.#blocks = [...before.slice(0, same), ...fresh, ...before.slice(before.length - tail)];
    return changed.length > 0 ? same : undefined;
  }

  /** The blocks that are there; none if something else has been put into the element. */
  #standing() {
    const intact =
      this.childNodes.length === this.#blocks.length &&
      this.#blocks.every(({ element }) => element.parentNode === this);
    if (!intact) {
      this.replaceChildren();
      this.#blocks = [];
    }
    return this.#blocks;
  }

  #draw(/** @type {HTMLElement} */ element, /** @type {Block} */ { start, text, entities }) {
    const inBlock = entities.map((entity) => ({ ...entity, start: entity.start - start, end: entity.end - start }));
    draw(element, text, inBlock, this.#slot, { root: this, originals: entities });
  }

  /** The block at the top of the window: what is drawn first. */
  #firstVisible() {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle].element.getBoundingClientRect().bottom < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A task of its own, so that input and painting come first. */
function turn() {
  const { scheduler } = /** @type {{ scheduler?: { yield?: () => Promise<void> } }} */ (globalThis);
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}

/** What an attribute lists as JSON, or nothing. @param {string | null} value @returns {unknown[]} */
function list(value) {
  if (!value) return [];
  const parsed = JSON.parse(value);
  return Array.isArray(parsed) ? parsed : [];
}

/** Copies the very characters of the text: blocks would bring line ends of their own. */
function copyText(/** @type {ClipboardEvent} */ event) {
  const element = /** @type {HTMLElement} */ (event.currentTarget);
  const selection = element.ownerDocument.getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.commonAncestorContainer)) return;
  event.clipboardData?.setData("text/plain", range.toString());
  event.preventDefault();
}

globalThis.customElements?.define("innerspan-text", InnerspanText);
