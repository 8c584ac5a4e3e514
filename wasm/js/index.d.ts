import type { LoadOptions, RecognizerBase } from "./api.js";

export * from "./api.js";

/** The content of a file. */
export type FileContent = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** Files of a model by name: `config.json`, `tokenizer.json` and the weights. */
export type ModelFiles = Record<string, FileContent> | Map<string, FileContent>;

/**
 * A model folder: its address (relative to the page, absolute, or of a Hugging Face repository, as a URL or as
 * `hf:ORG/NAME`), the files of a file dialogue or a dropped folder, or files by name.
 */
export type Source = string | URL | FileList | readonly File[] | ModelFiles;

/** A loaded model, in the thread that loaded it. `innerspan/worker` has the same in a thread of its own. */
export declare class Recognizer implements RecognizerBase {
  /**
   * Loads a model. Files from the network are kept for later visits, and asked for anew only when they have changed.
   * Rejects with an `InnerspanError`.
   */
  static load(source: Source, options?: LoadOptions): Promise<Recognizer>;
  private constructor();
  extract: RecognizerBase["extract"];
  extractBatch: RecognizerBase["extractBatch"];
  readonly device: RecognizerBase["device"];
  readonly labels: RecognizerBase["labels"];
  dispose(): void;
}

/** Removes the files of all models that are kept for later visits. */
export declare function clearCache(): Promise<void>;
