/** `node:module`, as far as it says what there is. What is bundled is found when a function is built. */
import { builtinModules } from "unenv/node/module";

interface Require {
	(name: string): never;
	resolve(name: string): never;
	readonly cache: Record<string, never>;
}

/** A `require` that finds nothing: nobody has bundled what it is asked for. */
export function createRequire(_from: string | URL): Require {
	const require = (name: string): never => {
		const advice = "what createRequire() loads is not bundled. Use instead: an import, or a require() by its name";
		throw Object.assign(new Error(`Cannot find module '${name}': ${advice}`), { code: "MODULE_NOT_FOUND" });
	};
	return Object.assign(require, { resolve: require, cache: {} });
}

export const isBuiltin = (name: string): boolean => builtinModules.includes(name.replace(/^node:/, ""));
export { builtinModules };
export default { builtinModules, createRequire, isBuiltin };
