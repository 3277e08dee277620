import { dirname, join, matchesGlob, relative } from "node:path";
import type { Gate } from "./gate.ts";

/** What a package.json says, as far as it can be read. */
export type Manifest = Record<string, unknown>;

/** Reads a package.json; `null` where there is none, or none that makes sense. */
export function readManifest(gate: Gate, path: string): Manifest | null {
	const text = gate.readSettings(path);
	if (text === null) return null;
	try {
		const value = JSON.parse(text) as unknown;
		return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Manifest) : null;
	} catch {
		return null;
	}
}

/** The package.json that a module belongs to. */
export function manifestOf(gate: Gate, path: string): { manifest: Manifest; folder: string } | null {
	for (let folder = dirname(path); ; folder = dirname(folder)) {
		const manifest = readManifest(gate, join(folder, "package.json"));
		if (manifest !== null) return { manifest, folder };
		if (folder.endsWith("node_modules") || dirname(folder) === folder) return null;
	}
}

/**
 * Whether a module that nobody takes anything from may be left out, by what its package says:
 * https://webpack.js.org/guides/tree-shaking/
 */
export function hasSideEffects({ manifest, folder }: { manifest: Manifest; folder: string }, path: string): boolean {
	const { sideEffects } = manifest;
	if (!Array.isArray(sideEffects)) return sideEffects !== false;
	const name = relative(folder, path);
	return sideEffects.some((glob) => {
		if (typeof glob !== "string") return false;
		const pattern = glob.replace(/^\.\//, "");
		return matchesGlob(name, pattern.includes("/") ? pattern : `**/${pattern}`);
	});
}
