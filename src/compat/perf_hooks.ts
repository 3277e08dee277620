/** `node:perf_hooks`: the global. */
import { globalScope } from "./global-scope.ts";

export const { performance } = globalScope;
export default { performance };
