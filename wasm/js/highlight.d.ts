import type { Entity } from "./api.js";

export interface HighlightOptions {
  /** Entities below this score are not drawn; default 0. */
  threshold?: number;
  /** Types that are not drawn. */
  hidden?: Iterable<string>;
  /** All types in the order in which they get their colours; default: in order of appearance. */
  labels?: readonly string[];
}

/** An element of a page; nothing is one where there are no pages, as in Node.js without TypeScript's library `dom`. */
export type PageElement = typeof globalThis extends { Element: { prototype: infer Element } } ? Element : never;

/**
 * Draws the entities of an element's text inside each other, each with a chip that names its type. `text` is the
 * element's `textContent` unless given. Crossing entities are drawn in parts. Markup in the text stays text.
 */
export declare function highlight(
  element: PageElement,
  entities: readonly Entity[],
  options?: HighlightOptions & { text?: string },
): void;

/** The same as a string of HTML, for servers. It needs the style sheet `highlight.css` beside it, or `highlightCss`. */
export declare function highlightHtml(
  text: string,
  entities: readonly Entity[],
  options?: HighlightOptions,
): string;

/** The style sheet of both, themeable by the custom properties that it lists at its top. */
export declare const highlightCss: string;

/**
 * How many colours there are. The type at place n of `labels` has colour n % COLOURS, which an element of a page (a
 * legend, say) takes by the class `innerspan-type` and `data-slot`.
 */
export declare const COLOURS: number;
