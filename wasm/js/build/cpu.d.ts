/** A fresh instance, not yet instantiated, of what `wasm/src` exports. */
export declare function create(queueMicrotask: (task: () => void) => void): any;
