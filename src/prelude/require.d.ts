/**
 * Loads a module of the prelude when it is called: esbuild bundles such a module as a function that has not run yet,
 * so that the base snapshot holds its source and nothing else.
 */
declare const require: (path: string) => unknown;

/** Loads the isolate's sides of bindings, by their types; made from the registry when the prelude is bundled. */
declare module "bindings:stubs" {
	export const STUBS: Record<string, () => unknown>;
}
