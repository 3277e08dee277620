import { BINDINGS } from "./registry.ts";

const own = new Map(BINDINGS.map((name) => [name, new URL(`./${name}/`, import.meta.url)]));
const added = new Map<string, URL>();

/** Where the parts of each binding are. */
export function bindingFolders(): ReadonlyMap<string, URL> {
	return new Map([...own, ...added]);
}

/** Of those, what was added to atoll's own. */
export function addedFolders(): ReadonlyMap<string, URL> {
	return added;
}

/**
 * Adds a binding that lies elsewhere, for all runtimes that this process makes later. Only in a checkout: its isolate's
 * side becomes a part of the prelude, which is bundled anew.
 */
export function addBinding(name: string, folder: URL): void {
	added.set(name, folder);
}
