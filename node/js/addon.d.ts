// What ../src declares to JavaScript.

import type { Device, ErrorCode } from "./api.js";

export type Event =
  | { type: "Bytes"; file: string; loaded: number; total: number }
  | { type: "Build" }
  | { type: "Loaded"; model: Model }
  | { type: "Windows"; done: number; total: number }
  | { type: "Found"; spans: Uint32Array; scores: Float32Array }
  | { type: "Failed"; code: ErrorCode; message: string };

export type Listener = (event: Event) => void;

export interface Stop {
  stop(): void;
  readonly stopped: boolean;
}

export interface Files {
  begin(name: string, bytes: number): void;
  append(name: string, piece: Uint8Array): void;
}

export interface Model {
  readonly labels: string[];
  readonly device: Device;
  count(): void;
  extract(text: string, threshold: number | undefined, stop: Stop, listener: Listener): void;
  dispose(): void;
}

/** Starts loading; the listener hears at last of `Loaded` or `Failed`. */
export type Load = (device: string, precision: string, stop: Stop, listener: Listener) => void;

export interface Native {
  Stop: new () => Stop;
  Files: new () => Files;
  load(name: string, device: string, precision: string, stop: Stop, listener: Listener): void;
  loadFiles(files: Files, device: string, precision: string, stop: Stop, listener: Listener): void;
}
