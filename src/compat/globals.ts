/**
 * Globals that are no part of the base snapshot. Each is bundled where a function names it; its module counts as free
 * of effects.
 */
export { Buffer } from "./buffer.ts";
export { HTMLRewriter } from "./html-rewriter.ts";
export { importMetaEnv } from "./import-meta-env.ts";
export { process } from "./process.ts";
export { clearImmediate, setImmediate } from "./timers.ts";
