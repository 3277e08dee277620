import type { ImportKind } from "esbuild";
import type { Gate } from "./gate.ts";

/** How an import fails whose module a function does not have. */
export type Absence =
	/** The function is not built. */
	| "build"
	/** As it is reached: `require` throws, and `import()` rejects. */
	| "load"
	/** When something of the module is called. */
	| "use";

export interface AbsentImport {
	gate: Gate;
	/** The file that imports, or requires. */
	importer: string;
	specifier: string;
	kind: ImportKind;
	/** Whether that file is a package's. */
	byPackage: boolean;
}

/**
 * When an import of an absent module fails. Of authors' own modules an `import` is a mistake, while a `require` may
 * stand where it is never reached. Packages are written for many platforms: what they load at their top level most
 * functions never use, and where they try to load a module they have another way without it.
 */
export function absence({ gate, importer, specifier, kind, byPackage }: AbsentImport): Absence {
	if (kind === "require-call" && !byPackage) return "load";
	if (!byPackage) return "build";
	if (kind === "dynamic-import") return "load";
	return kind === "require-call" && isTried(gate.read(importer).toString(), specifier) ? "load" : "use";
}

/** How far before a `require` its `try` is looked for, in characters. */
const NEAR = 1000;

/** Whether a module requires another inside a `try`. The bundler knows it, and keeps it to itself. */
function isTried(source: string, specifier: string): boolean {
	const call = new RegExp(`\\brequire\\(\\s*["'\`]${specifier.replace(/\W/g, "\\$&")}["'\`]`, "g");
	return [...source.matchAll(call)].some(({ index }) => isInTry(source.slice(Math.max(0, index - NEAR), index)));
}

/** Whether text ends within a `try`, of the same function. Braces in strings count as any. */
function isInTry(before: string): boolean {
	let closed = 0;
	for (let at = before.length - 1; at >= 0; at--) {
		if (before[at] === "}") closed += 1;
		if (before[at] !== "{") continue;
		if (closed > 0) {
			closed -= 1;
			continue;
		}
		const head = before.slice(Math.max(0, at - 200), at);
		if (/\btry\s*$/.test(head)) return true;
		if (/(?:=>|\bfunction\b[^{}]*\))\s*$/.test(head)) return false;
	}
	return false;
}
