import type { Entity } from "./api.js";

/**
 * `<innerspan-text>`, defined when this module is imported: a text with its entities, redrawn when they change.
 * It draws into itself (no shadow tree) and works in slices, so that an article never blocks the page.
 *
 * Events: `entityselect` (`event.detail.entity`) when an entity is clicked or Enter is pressed on it;
 * `rendered` when everything is drawn.
 */
export declare class InnerspanText extends HTMLElement {
  /** Default: the attribute `text`, or else the text between the tags. */
  text: string;
  /** Default none; the attribute `entities` holds them as JSON. */
  entities: readonly Entity[];
  /** All types in the order in which they get their colours; mirrored by the attribute `labels` as JSON. */
  labels: readonly string[];
  /** Entities below this score are not drawn; default 0; mirrored by the attribute `threshold`. */
  threshold: number;
  /** Types that are not drawn; mirrored by the attribute `hidden-labels` as JSON. (`hidden` hides the element.) */
  get hiddenLabels(): string[];
  set hiddenLabels(labels: Iterable<string>);
  /** Fulfilled when everything that was set is drawn. */
  readonly updateComplete: Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    "innerspan-text": InnerspanText;
  }
}
