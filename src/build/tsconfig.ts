import { dirname, join, resolve } from "node:path";
import { parse } from "jsonc-parser";
import type { Gate } from "./gate.ts";
import type { Resolver } from "./resolver.ts";

/** What a tsconfig.json may say that a bundle depends on. */
const OPTIONS: Record<string, "string" | "boolean"> = {
	alwaysStrict: "boolean",
	experimentalDecorators: "boolean",
	importsNotUsedAsValues: "string",
	jsx: "string",
	jsxFactory: "string",
	jsxFragmentFactory: "string",
	jsxImportSource: "string",
	preserveValueImports: "boolean",
	strict: "boolean",
	target: "string",
	useDefineForClassFields: "boolean",
	verbatimModuleSyntax: "boolean",
};
/** So many files may each build on the next. */
const MAX_DEPTH = 20;

type Json = Record<string, unknown>;

const objectOf = (value: unknown): Json =>
	typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const stringsOf = (value: unknown): string[] =>
	(Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === "string");

/**
 * The tsconfig.json that a function goes by: the first one in its main module's folder or above, with all that it
 * extends.
 */
export class TsConfig {
	readonly #gate: Gate;
	readonly #resolver: Resolver;
	readonly compilerOptions: Json = {};
	/** The folder that `paths` start from, and what they say. */
	#base: string | null = null;
	#paths: Json = {};
	#pathsFrom = "";

	constructor(gate: Gate, resolver: Resolver, entry: string) {
		this.#gate = gate;
		this.#resolver = resolver;
		for (let folder = dirname(entry); ; folder = dirname(folder)) {
			if (this.#read(join(folder, "tsconfig.json"), 0) || dirname(folder) === folder) break;
		}
	}

	#read(path: string, depth: number): boolean {
		const text = depth > MAX_DEPTH ? null : this.#gate.readSettings(path);
		if (text === null) return false;
		const config = objectOf(parse(text, [], { allowTrailingComma: true }));
		const folder = dirname(path);
		for (const base of stringsOf(config.extends)) this.#extend(folder, base, depth);
		const options = objectOf(config.compilerOptions);
		for (const [name, type] of Object.entries(OPTIONS))
			if (typeof options[name] === type) this.compilerOptions[name] = options[name];
		if (typeof options.baseUrl === "string") this.#base = resolve(folder, options.baseUrl);
		if (options.paths !== undefined) {
			this.#paths = objectOf(options.paths);
			this.#pathsFrom = folder;
		}
		return true;
	}

	#extend(folder: string, base: string, depth: number): void {
		if (/^\.|^\//.test(base)) {
			const path = resolve(folder, base);
			if (!this.#read(path, depth + 1)) this.#read(`${path}.json`, depth + 1);
			return;
		}
		for (const specifier of [base, `${base}.json`, `${base}/tsconfig.json`]) {
			const found = this.#resolver.resolve({ specifier, folder, required: true });
			if (found.kind === "file" && found.path.endsWith(".json")) {
				this.#read(found.path, depth + 1);
				return;
			}
		}
	}

	/** Where a specifier may lead by `paths` and `baseUrl`, first choice first. */
	candidates(specifier: string): string[] {
		const found = bestMatch(Object.keys(this.#paths), specifier);
		const from = this.#base ?? this.#pathsFrom;
		const mapped =
			found === null
				? []
				: stringsOf(this.#paths[found.pattern]).map((target) =>
						resolve(
							from,
							target.replace("*", () => found.star),
						),
					);
		return this.#base === null ? mapped : [...mapped, resolve(this.#base, specifier)];
	}
}

/** The pattern that fits exactly, or else the one with the longest beginning. */
function bestMatch(patterns: string[], specifier: string): { pattern: string; star: string } | null {
	let best: { pattern: string; star: string } | null = null;
	let longest = -1;
	for (const pattern of patterns) {
		if (pattern === specifier) return { pattern, star: "" };
		const [before, after, ...more] = pattern.split("*");
		if (after === undefined || more.length > 0 || before.length <= longest) continue;
		if (specifier.length < before.length + after.length) continue;
		if (!specifier.startsWith(before) || !specifier.endsWith(after)) continue;
		longest = before.length;
		best = { pattern, star: specifier.slice(before.length, specifier.length - after.length) };
	}
	return best;
}
