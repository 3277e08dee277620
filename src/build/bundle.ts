import { readFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { build as esbuild, type Message, type Metafile, type Plugin } from "esbuild";
import { GLOBALS, nodeModules } from "./node-modules.ts";
import type { Problem } from "./problem.ts";
import { Root } from "./root.ts";

export interface BundleRequest {
	/** Absolute path of the function's main module. */
	entry: string;
	/** The folder that it may be bundled from; not bounded without one. */
	root?: string;
	/** Whether `process.env.NODE_ENV` reads "development". */
	development: boolean;
	/** The folder to which paths in messages and source maps are relative. */
	cwd: string;
}

/** A function's source as one script, or why there is none. */
export type Bundle =
	| { ok: true; code: string; sourceMap: string; inputs: string[] }
	| { ok: false; problems: Problem[]; inputs: string[] };

function toProblem({ text, location }: Message): Problem {
	if (location === null) return { text };
	return { text, file: location.file, line: location.line, column: location.column + 1, lineText: location.lineText };
}

/** `import module from "./x.wasm"` gives a WebAssembly.Module, as on other edge platforms. */
const webAssembly: Plugin = {
	name: "webassembly",
	setup(build) {
		build.onLoad({ filter: /\.wasm$/ }, async ({ path }) => {
			const bytes = await readFile(path);
			return {
				contents: `export default new WebAssembly.Module(Uint8Array.fromBase64("${bytes.toString("base64")}"));`,
				loader: "js",
			};
		});
	},
};

const ENTRY = "atoll-entry.js";

/** Whose exports are the function: a module that imports it and hands its namespace to the prelude. */
function entryModule(entry: string): string {
	return `import * as exports from ${JSON.stringify(entry)};\nglobalThis.__atoll_exports(exports);\n`;
}

/** What a bundle turns out to need, of which only bundling it tells. */
interface Needs {
	/** `async` functions are lowered to promises, whose continuations `node:async_hooks` can follow, and whose rejections the prelude. */
	lowered: boolean;
	/** The top level awaits, so that it has to run inside of an async function. */
	topLevelAwait: boolean;
	/** A global is named that the base snapshot does not hold. */
	globals: boolean;
}

const NAMES_GLOBAL = /\b(?:Buffer|HTMLRewriter|clearImmediate|importMetaEnv|process|setImmediate)\b/;

/** The events that tell of rejections, whose promises the prelude has to know. */
const NAMES_REJECTIONS = /\b(?:on)?(?:unhandledrejection|rejectionhandled)\b/;

const outside = (root: Root) => `lies outside of the function's root, ${root.path}`;

/** Each import by which a function leaves its root. */
function strays(root: Root, { inputs }: Metafile, cwd: string): Problem[] {
	const held = (file: string) => root.holds(resolve(cwd, file));
	const problems: Problem[] = [];
	for (const [file, { imports }] of Object.entries(inputs)) {
		if (file !== ENTRY && !held(file)) continue;
		for (const { path, original } of imports) {
			if (inputs[path] === undefined || path.startsWith("(disabled):") || held(path)) continue;
			problems.push(
				file === ENTRY
					? { file: path, text: `it ${outside(root)}` }
					: { file, text: `its import of "${original}" ${outside(root)}` },
			);
		}
	}
	return problems;
}

/** Bundles a function with all that it imports into one script. Never throws for what is wrong with the source. */
export async function bundle(request: BundleRequest): Promise<Bundle> {
	const needs: Needs = { lowered: false, topLevelAwait: false, globals: false };
	const root = request.root === undefined ? null : new Root(request.root);
	for (;;) {
		// Each try finds out what else is needed, until one finds nothing; what is needed once stays so.
		const before = { ...needs };
		const result = await tryBundle(request, root, needs);
		if (isDeepStrictEqual(before, needs)) return result;
	}
}

async function tryBundle({ entry, development, cwd }: BundleRequest, root: Root | null, needs: Needs): Promise<Bundle> {
	const { lowered, topLevelAwait, globals } = needs;
	const supported: Record<string, boolean> = lowered
		? { "async-await": false, "async-generator": false, "for-await": false }
		: {};
	try {
		const result = await esbuild({
			write: false,
			metafile: true,
			stdin: { contents: entryModule(entry), resolveDir: cwd, sourcefile: ENTRY, loader: "js" },
			absWorkingDir: cwd,
			bundle: true,
			// Nothing is written; the name only makes the source map's paths relative to the working directory.
			outfile: join(cwd, "function.js"),
			format: topLevelAwait ? "esm" : "iife",
			banner: { js: topLevelAwait ? "(async () => {" : "" },
			footer: { js: topLevelAwait ? "})().catch(globalThis.__atoll_failed);" : "" },
			platform: "browser",
			target: "es2024",
			supported,
			inject: globals ? [GLOBALS] : [],
			conditions: ["workerd", "worker", "edge-light", "import", "module", "browser"],
			mainFields: ["browser", "module", "main"],
			sourcemap: "external",
			sourcesContent: true,
			legalComments: "none",
			charset: "utf8",
			jsx: "automatic",
			define: {
				"process.env.NODE_ENV": development ? '"development"' : '"production"',
				global: "globalThis",
				"import.meta.env": "importMetaEnv",
			},
			loader: { ".txt": "text", ".html": "text", ".sql": "text", ".css": "text", ".svg": "text", ".bin": "binary" },
			plugins: [
				nodeModules((name) => {
					if (name === "async_hooks") needs.lowered = true;
				}),
				webAssembly,
			],
			logLevel: "silent",
		});
		const problems = root === null ? [] : strays(root, result.metafile, cwd);
		if (problems.length > 0) return { ok: false, problems, inputs: [relative(cwd, entry)] };
		const [output] = Object.values(result.metafile.outputs).filter(({ entryPoint }) => entryPoint !== undefined);
		// What stands in for the globals of Node is always looked at, and left out of most bundles.
		const inputs = Object.entries(output.inputs)
			.filter(([input, { bytesInOutput }]) => bytesInOutput > 0 && input !== ENTRY)
			.map(([input]) => input);
		const [map, code] = ["function.js.map", "function.js"].map(
			(path) => result.outputFiles.find((file) => file.path.endsWith(path))?.text ?? "",
		);
		if (NAMES_GLOBAL.test(code)) needs.globals = true;
		if (NAMES_REJECTIONS.test(code)) needs.lowered = true;
		return { ok: true, code, sourceMap: map, inputs };
	} catch (error) {
		const messages = (error as { errors?: Message[] }).errors;
		if (messages === undefined) throw error;
		if (!topLevelAwait && messages.every(({ text }) => text.startsWith("Top-level await"))) needs.topLevelAwait = true;
		const problems = messages.map((message) => {
			const problem = toProblem(message);
			const { file } = problem;
			// Its line would tell what is in there.
			if (root !== null && file !== undefined && file !== ENTRY && !root.holds(resolve(cwd, file)))
				return { file, text: `it ${outside(root)}` };
			if (file !== ENTRY) return problem;
			return { text: `${relative(cwd, entry) || basename(entry)}: ${message.text}` };
		});
		return { ok: false, problems, inputs: [relative(cwd, entry)] };
	}
}
