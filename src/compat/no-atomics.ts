/**
 * `node-inspect-extracted` lists what `Atomics` holds as it is loaded. An isolate has no Atomics, so it gets an empty
 * one until then.
 */
Object.defineProperty(globalThis, "Atomics", { value: {}, configurable: true });
