import type { Entity, ExtractOptions, LoadOptions, RecognizerBase } from "./api.js";

export * from "./api.js";

/** The files of a model folder by name: `config.json`, `tokenizer.json` and the weights. They are copied. */
export type ModelFiles = Readonly<Record<string, Uint8Array>> | ReadonlyMap<string, Uint8Array>;

/** A loaded model. It has a thread of its own; calls that wait for it go through it together. */
export declare class Recognizer implements RecognizerBase {
  private constructor();

  /**
   * Loads a model: from a folder (a path or a `file:` URL), from a web address (`https:`), from the Hugging Face hub
   * (`hf:ORG/NAME`, `hf:ORG/NAME@REVISION`; kept in the cache that Hugging Face's own tools use) or from memory.
   */
  static load(source: string | URL | ModelFiles, options?: LoadOptions): Promise<Recognizer>;

  extract(text: string, options?: ExtractOptions): Promise<Entity[]>;

  extractBatch(texts: readonly string[], options?: ExtractOptions): Promise<Entity[][]>;
  /**
   * The entities of each text of a stream, in order. It reads ahead as far as keeps the model busy, and no further
   * than its reader asks for; leaving the loop ends the work.
   */
  extractBatch(texts: AsyncIterable<string>, options?: ExtractOptions): AsyncGenerator<Entity[], void, undefined>;

  readonly device: RecognizerBase["device"];
  readonly labels: readonly string[];
  dispose(): void;
}
