import { STUBS } from "bindings:stubs";

/** What a binding's `isolate.ts` exports, where it is one that stands in `env`. */
interface Stub {
	/** What stands there, for the binding of this number. */
	create(binding: number): object;
}

/**
 * Puts the function's bindings into its `env`, each a name and a type; calls of one go by its number, its place and
 * one more.
 */
export function bind(env: Record<string, unknown>, bindings: [name: string, type: string][]): void {
	for (let i = 0; i < bindings.length; i++) {
		const [name, type] = bindings[i];
		env[name] = (STUBS[type]() as Stub).create(i + 1);
	}
}
