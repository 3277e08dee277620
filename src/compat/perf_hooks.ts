/** `node:perf_hooks`: the global. */
export const { performance } = globalThis;
export default { performance };
