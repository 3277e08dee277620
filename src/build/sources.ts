import { isAbsolute, relative } from "node:path";
import type { ImportKind, Message, OnLoadResult, OnResolveResult, PartialMessage, Plugin } from "esbuild";
import { type Gate, Refusal } from "./gate.ts";
import { withOwnMap } from "./input-map.ts";
import { isInPackage, isName, type Resolution, type Resolver } from "./resolver.ts";
import type { TsConfig } from "./tsconfig.ts";

/**
 * Behind the path of a file whose package makes it a module of JavaScript: esbuild reads no package.json here, and
 * goes by the name. It decides on what the default import of a CommonJS module is.
 */
const MODULE = "?.mjs";
const LOADERS = { js: "js", jsx: "jsx", ts: "ts", tsx: "tsx" } as const;
/** Whose comments may name a source map. */
const MAPPED = /\.(?:[cm]?[jt]s|[jt]sx|module\.css)$/;

/** A path as esbuild has it, as a person would write it. */
export const plainPath = (path: string) => path.replace(MODULE, "");
/** The same for all the sources that a source map names. */
export function plainPaths(sourceMap: string): string {
	// Of most bundles none has anything to change, and what a map holds of their texts is long.
	if (!/[?%]/.test(sourceMap.slice(0, sourceMap.indexOf('"sourcesContent"')))) return sourceMap;
	const map = JSON.parse(sourceMap) as { sources: string[] };
	return JSON.stringify({ ...map, sources: map.sources.map((source) => plainPath(decoded(source))) });
}

/** esbuild has the paths of a source map as URLs. */
function decoded(source: string): string {
	try {
		return decodeURIComponent(source);
	} catch {
		return source; // A path with a percent sign of its own.
	}
}

/** On whatever is resolved here. What else esbuild wants to load it has found by itself. */
export const RESOLVED = Symbol("resolved");

/**
 * For an import by a pattern esbuild looks around in folders itself. Whatever it finds, or does not find, the answer
 * is this.
 */
export const NO_PATTERNS = "an import by a pattern is not bundled: import each file by its name";
const PATTERN = /^(?:(?:Could not resolve|The glob pattern) (?:import|require)\("[^*]*\*|Cannot read directory )/;

/** Whether a message tells of what a pattern leads to. */
export const isOfPattern = ({ text }: Message) => PATTERN.test(text) || text === NO_PATTERNS;

/** How the module that stands before a function names it, wherever it lies. */
export const FUNCTION = "atoll:function";

export interface Sources {
	/** Absolute path of the function's main module. */
	entry: string;
	gate: Gate;
	resolver: Resolver;
	tsConfig: TsConfig;
}

const refused = (text: string): { errors: PartialMessage[] } => ({ errors: [{ text }] });

/** Finds and reads all that is bundled, so that esbuild itself opens no file. */
export function sources({ entry, gate, resolver, tsConfig }: Sources): Plugin {
	const find = (specifier: string, folder: string, kind: ImportKind): Resolution => {
		const required = kind === "require-call" || kind === "require-resolve";
		for (const path of isName(specifier) && !isInPackage(folder) ? tsConfig.candidates(specifier) : []) {
			const found = resolver.resolve({ specifier: path, folder, required });
			if (found.kind === "file") return found;
		}
		return resolver.resolve({ specifier, folder, required });
	};
	return {
		name: "sources",
		setup(build) {
			build.onResolve({ filter: /.*/ }, ({ path: named, resolveDir, kind, with: attributes }): OnResolveResult => {
				const specifier = resolveDir === "" && named === FUNCTION ? entry : named;
				if (specifier.startsWith("data:")) return { path: specifier, namespace: "data" };
				if (/^(?:https?:)?\/\//.test(specifier)) return { path: specifier, external: true };
				if (resolveDir === "" && !isAbsolute(specifier)) return refused(`Could not resolve "${specifier}"`);
				const found = find(specifier, resolveDir || "/", kind);
				switch (found.kind) {
					case "file": {
						const { path, sideEffects, isModule } = found;
						return {
							path: isModule && attributes.type === undefined ? path + MODULE : path,
							sideEffects,
							pluginData: RESOLVED,
						};
					}
					case "disabled":
						return { path: found.specifier, namespace: "disabled", sideEffects: false };
					case "refused":
						return refused(`${resolveDir === "" ? "it" : `its import of "${specifier}"`} ${found.why}`);
					case "missing":
						return isOptional(specifier, resolveDir, kind)
							? { path: specifier, namespace: "missing" }
							: refused(`Could not resolve "${specifier}"`);
				}
			});
			build.onLoad({ filter: /.*/, namespace: "file" }, ({ path, with: attributes, pluginData }) => {
				if (pluginData !== RESOLVED) return refused(NO_PATTERNS);
				try {
					return load(gate, plainPath(path), attributes.type === undefined);
				} catch (error) {
					if (!(error instanceof Refusal)) throw error;
					return refused(`${relative(build.initialOptions.absWorkingDir ?? "/", plainPath(path))} ${error.message}`);
				}
			});
			build.onLoad({ filter: /.*/, namespace: "data" }, ({ path }) => loadData(gate, path));
			build.onLoad({ filter: /.*/, namespace: "disabled" }, () => ({ contents: "module.exports = {};" }));
			build.onLoad({ filter: /.*/, namespace: "missing" }, ({ path }) => ({
				contents: `throw Object.assign(new Error(${JSON.stringify(`Cannot find module '${path}'`)}), { code: "MODULE_NOT_FOUND" });`,
			}));
		},
	};
}

/**
 * Whether an import may be one that is tried, and done without where it fails. Then it fails when it is reached, as
 * in Node.
 */
function isOptional(specifier: string, folder: string, kind: ImportKind): boolean {
	const byPackage = isInPackage(folder);
	return kind === "require-call" ? byPackage || isName(specifier) : kind === "dynamic-import" && byPackage;
}

/** Reads a file that was resolved. Throws Refusal where it must not, or cannot, be read. */
function load(gate: Gate, path: string, byName: boolean): OnLoadResult {
	const contents = gate.read(path);
	if (!byName) return { contents, loader: "default" };
	if (path.endsWith(".wasm")) return { contents: webAssembly(contents), loader: "js" };
	const extension = /\.([jt]sx?)$/.exec(path)?.[1] as keyof typeof LOADERS | undefined;
	return {
		contents: MAPPED.test(path) ? withOwnMap(gate, path, contents) : contents,
		loader: extension === undefined ? "default" : LOADERS[extension],
	};
}

/** `import module from "./x.wasm"` gives a WebAssembly.Module, as on other edge platforms. */
const webAssembly = (bytes: Buffer) =>
	`export default new WebAssembly.Module(Uint8Array.fromBase64("${bytes.toString("base64")}"));`;

/** What a `data:` URL may hold, by its media type. */
const DATA_LOADERS: Record<string, "js" | "json" | "text"> = {
	"text/javascript": "js",
	"application/json": "json",
	"text/css": "text",
	"text/plain": "text",
};

async function loadData(gate: Gate, url: string): Promise<OnLoadResult> {
	try {
		const response = await fetch(url);
		const contents = Buffer.from(await response.arrayBuffer());
		const loader = DATA_LOADERS[response.headers.get("content-type")?.split(";")[0].trim() ?? ""];
		if (loader === undefined) return refused("this type of data: URL cannot be imported");
		return { contents: loader === "js" ? withOwnMap(gate, "/", contents) : contents, loader };
	} catch {
		return refused("its data: URL is none");
	}
}
