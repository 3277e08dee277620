/** The modules that a function asks for by `process.getBuiltinModule`: those that its script names are put here. */
export const builtIns = new Map<string, unknown>();
