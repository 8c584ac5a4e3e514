// What the packages `innerspan` (browsers) and `innerspan-node` (Node.js) have in common. This file is the only
// declaration of it: each package copies it when it is built.

/** A recognised mention. Offsets count UTF-16 code units: `text.slice(entity.start, entity.end) === entity.text`. */
export interface Entity {
  /** Where it begins. */
  start: number;
  /** One past its end. */
  end: number;
  /** The characters themselves. */
  text: string;
  /** The entity type, one of `Recognizer.labels`. */
  label: string;
  /** The probability that the model gives it, in [0, 1]. */
  score: number;
}

/** Where to run: `auto` takes a real GPU where there is one, else the CPU. */
export type DeviceChoice = "auto" | "cpu" | "wgpu";

/** Which weights of a model folder to use: `model.safetensors` (f32), `model.f16.safetensors` or `model.q8.safetensors`. */
export type Precision = "f32" | "f16" | "q8";

/** The device that was chosen. */
export interface Device {
  kind: "cpu" | "wgpu";
  /** For people, such as `CPU (1 thread, SIMD)`. */
  name: string;
  /** Why this one, such as `no GPU was found`. */
  reason: string;
}

/** What long work reports. */
export type Progress =
  /** Files are read or downloaded; bytes over all files, `total` 0 while it is unknown. */
  | { stage: "load"; file: string; loaded: number; total: number }
  /** The files are there, the model is being built. */
  | { stage: "build" }
  /** Texts are being recognised, counted in windows of text. */
  | { stage: "extract"; done: number; total: number };

export interface LoadOptions {
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Default `f32`. */
  precision?: Precision;
  /** Hears of every step; what it throws rejects the load. */
  onProgress?: (progress: Progress) => void;
  /** Stops the load: it rejects with the code `aborted`. */
  signal?: AbortSignal;
}

export interface ExtractOptions {
  /** The probability that an entity exceeds, in [0, 1]; default: the model's own. */
  threshold?: number;
  /** Hears of every step; what it throws rejects the call. */
  onProgress?: (progress: Progress) => void;
  /** Stops the work: it rejects with the code `aborted`. */
  signal?: AbortSignal;
}

/**
 * Why a call failed:
 * - `input`: an argument is not what it should be (no string, a lone surrogate, a threshold that is no probability);
 * - `too-long`: a text of more than `MAX_TEXT_LENGTH` UTF-16 units; split it;
 * - `network`: a file could not be fetched (status, type or a connection that broke off);
 * - `io`: the system refused to read a file;
 * - `file`: a file of the model is missing, damaged, of a newer version or at odds with another;
 * - `device`: the device asked for cannot be used;
 * - `memory`: there is not enough memory;
 * - `disposed`: the recognizer was disposed of;
 * - `aborted`: the signal said so;
 * - `internal`: a fault of this package; please report it.
 */
export type ErrorCode =
  | "input"
  | "too-long"
  | "network"
  | "io"
  | "file"
  | "device"
  | "memory"
  | "disposed"
  | "aborted"
  | "internal";

/** What every promise of this package rejects with. Its message says what to do. */
export declare class InnerspanError extends Error {
  readonly name: "InnerspanError";
  readonly code: ErrorCode;
}

/** The longest text of one call, in UTF-16 units. */
export declare const MAX_TEXT_LENGTH: 1_000_000;

/** A loaded model. Calls may overlap; each promise settles on its own. */
export interface RecognizerBase {
  /** The entities of a text, by start, longer ones first; nested and overlapping ones included. */
  extract(text: string, options?: ExtractOptions): Promise<Entity[]>;
  /** The same for many texts at once, in their order. */
  extractBatch(texts: string[], options?: ExtractOptions): Promise<Entity[][]>;
  /** Where it runs. */
  readonly device: Device;
  /** The entity types. */
  readonly labels: readonly string[];
  /** Frees the model; calls after it, and calls under way, reject with the code `disposed`. Twice does no harm. */
  dispose(): void;
}
