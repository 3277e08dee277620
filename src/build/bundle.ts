import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { build as esbuild, type Message, type Metafile } from "esbuild";
import { Gate } from "./gate.ts";
import { BINDINGS, BUILT_INS, GLOBAL_OBJECT, GLOBALS, nodeModules } from "./node-modules.ts";
import type { Problem } from "./problem.ts";
import { isInPackage, Resolver } from "./resolver.ts";
import type { Root } from "./root.ts";
import { FUNCTION, isOfPattern, NO_PATTERNS, plainPath, plainPaths, type Sources, sources } from "./sources.ts";
import { TsConfig } from "./tsconfig.ts";

export interface BundleRequest {
	/** Absolute path of the function's main module. */
	entry: string;
	/** All that the build may see of the file system. */
	root: Root;
	/** Whether `process.env.NODE_ENV` reads "development". */
	development: boolean;
	/** The folder to which paths in messages and source maps are relative. */
	cwd: string;
}

/** A function's source as one script, or why there is none. */
export type Bundle =
	| { ok: true; code: string; sourceMap: string; inputs: string[] }
	| { ok: false; problems: Problem[]; inputs: string[] };

/** A file that cannot be read belongs to the line that imports it. */
function toProblem({ text, notes, location: own }: Message): Problem {
	const location = own ?? notes.find((note) => note.location !== null)?.location ?? null;
	if (location === null) return { text };
	return {
		text,
		file: plainPath(location.file),
		line: location.line,
		column: location.column + 1,
		lineText: location.lineText,
	};
}

const ENTRY = "atoll-entry.js";

/** Whose exports are the function: a module that imports it and hands its namespace to the prelude. */
const ENTRY_MODULE = `import * as exports from "${FUNCTION}";\nglobalThis.__atoll_exports(exports);\n`;

/** What stands before a function: some of what it needs has to be there when its own modules are run. */
function entryModule({ globalObject, builtIns, serviceWorker }: Needs): string {
	const before = [
		...(builtIns === "" ? [] : [`${BUILT_INS}:${builtIns}`]),
		...(globalObject ? [GLOBAL_OBJECT] : []),
		// A function in the syntax of service workers has its variables and bindings as globals.
		...(serviceWorker ? [BINDINGS] : []),
	];
	return before.map((name) => `import "${name}";\n`).join("") + ENTRY_MODULE;
}

const LISTENS = /\baddEventListener\b/;
const ON_GLOBAL_OBJECT = /\bglobalThis(?:\.|\[\s*["'])(?:Buffer|clearImmediate|global|process|setImmediate)\b/;
const GET_BUILT_IN = /\bgetBuiltinModule\w*\(\s*["'`](?:node:)?([a-z_]+(?:\/[a-z]+)?)["'`]/g;

/** Whether a function's main module, as it was bundled, has no exports. */
function exportsNothing({ inputs }: Metafile, code: string): boolean {
	const main = inputs[ENTRY].imports.find(({ original }) => original === FUNCTION)?.path ?? "";
	const { format } = inputs[main];
	// One that neither imports nor exports anything is taken for CommonJS all the same, but not said to be.
	if (format !== "esm") return format === undefined;
	const namespace = /[\w$]+/.exec(code.slice(code.lastIndexOf("__atoll_exports(") + "__atoll_exports(".length))?.[0];
	return !code.includes(`__export(${namespace},`) && !code.includes(`__reExport(${namespace},`);
}

/** What a bundle turns out to need, of which only bundling it tells. */
interface Needs {
	/**
	 * `async` functions are lowered to promises, whose continuations `node:async_hooks` can follow, and whose
	 * rejections the prelude.
	 */
	lowered: boolean;
	/** The top level awaits, so that it has to run inside of an async function. */
	topLevelAwait: boolean;
	/** A package imports of a module of Node's what there is none of, and may never use it. */
	lenient: boolean;
	/** A global is named that the base snapshot does not hold. */
	globals: boolean;
	/** It looks for globals of Node on the global object. */
	globalObject: boolean;
	/** The modules of Node's that it names to `process.getBuiltinModule`, with commas between. */
	builtIns: string;
	/** It exports nothing and listens. */
	serviceWorker: boolean;
}

const NAMES_GLOBAL = /\b(?:Buffer|HTMLRewriter|clearImmediate|importMetaEnv|process|setImmediate)\b/;

/** The events that tell of rejections, whose promises the prelude has to know. */
const NAMES_REJECTIONS = /\b(?:on)?(?:unhandledrejection|rejectionhandled)\b/;

/** An import that leads nowhere, and whose name is a package's; the package is its first part, or two of a scope's. */
const MISSING_PACKAGE = /^Could not resolve "((?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*)(?:\/[^"]*)?"/;

/** Bundles a function with all that it imports into one script. Never throws for what is wrong with the source. */
export async function bundle(request: BundleRequest): Promise<Bundle> {
	const needs: Needs = {
		lowered: false,
		topLevelAwait: false,
		lenient: false,
		globals: false,
		globalObject: false,
		builtIns: "",
		serviceWorker: false,
	};
	const gate = new Gate(request.root);
	const resolver = new Resolver(gate);
	const tsConfig = new TsConfig(gate, resolver, request.entry);
	for (;;) {
		// Each try finds out what else is needed, until one finds nothing; what is needed once stays so.
		const before = { ...needs };
		const result = await tryBundle(request, { entry: request.entry, gate, resolver, tsConfig }, needs);
		if (isDeepStrictEqual(before, needs)) return result;
	}
}

async function tryBundle({ entry, development, cwd }: BundleRequest, from: Sources, needs: Needs): Promise<Bundle> {
	const { lowered, topLevelAwait, lenient, globals } = needs;
	const failed = (messages: Message[]): Bundle => {
		const problems = messages.map((message): Problem => {
			const problem = toProblem(message);
			const missing = MISSING_PACKAGE.exec(message.text)?.[1];
			if (missing !== undefined) problem.text = `${message.text}: is the package installed? npm install ${missing}`;
			if (isOfPattern(message)) return { ...problem, file: problem.file ?? relative(cwd, entry), text: NO_PATTERNS };
			if (problem.file !== ENTRY) return problem;
			return { text: message.text, file: relative(cwd, entry) };
		});
		// An import by a pattern has several: those that name its line are kept.
		const placed = problems.filter(({ text, line }) => text !== NO_PATTERNS || line !== undefined);
		const different = new Map((placed.length > 0 ? placed : problems).map((one) => [JSON.stringify(one), one]));
		return { ok: false, problems: [...different.values()], inputs: [relative(cwd, entry)] };
	};
	const supported: Record<string, boolean> = lowered
		? { "async-await": false, "async-generator": false, "for-await": false }
		: {};
	try {
		const result = await esbuild({
			write: false,
			metafile: true,
			stdin: { contents: entryModule(needs), sourcefile: ENTRY, loader: "js" },
			absWorkingDir: cwd,
			bundle: true,
			// Nothing is written; the name only makes the source map's paths relative to that folder.
			outfile: join(cwd, "function.js"),
			format: topLevelAwait ? "esm" : "iife",
			banner: { js: topLevelAwait ? "(async () => {" : "" },
			footer: { js: topLevelAwait ? "})().catch(globalThis.__atoll_failed);" : "" },
			platform: "browser",
			target: "es2024",
			supported,
			inject: globals ? [GLOBALS] : [],
			sourcemap: "external",
			sourcesContent: true,
			legalComments: "none",
			charset: "utf8",
			jsx: "automatic",
			// Given, so that none is looked for.
			tsconfigRaw: { compilerOptions: from.tsConfig.compilerOptions },
			define: {
				"process.env.NODE_ENV": development ? '"development"' : '"production"',
				global: "globalThis",
				"import.meta.env": "importMetaEnv",
			},
			loader: { ".txt": "text", ".html": "text", ".sql": "text", ".css": "text", ".svg": "text", ".bin": "binary" },
			plugins: [
				nodeModules({
					gate: from.gate,
					lenient,
					onUse: (name) => {
						if (name === "async_hooks") needs.lowered = true;
					},
				}),
				sources(from),
			],
			logLevel: "silent",
		});
		const patterns = result.warnings.filter(isOfPattern);
		if (patterns.length > 0) return failed(patterns);
		const [output] = Object.values(result.metafile.outputs).filter(({ entryPoint }) => entryPoint !== undefined);
		// What stands in for the globals of Node is always looked at, and left out of most bundles.
		const inputs = Object.entries(output.inputs)
			.filter(([input, { bytesInOutput }]) => bytesInOutput > 0 && input !== ENTRY)
			.map(([input]) => plainPath(input));
		const [map, code] = ["function.js.map", "function.js"].map(
			(path) => result.outputFiles.find((file) => file.path.endsWith(path))?.text ?? "",
		);
		if (NAMES_GLOBAL.test(code)) needs.globals = true;
		if (from.gate.root.nodeGlobals && ON_GLOBAL_OBJECT.test(code)) needs.globalObject = true;
		const named = [...code.matchAll(GET_BUILT_IN)].map(([, name]) => name);
		needs.builtIns = [...new Set([...needs.builtIns.split(",").filter(Boolean), ...named])].sort().join();
		if (LISTENS.test(code) && exportsNothing(result.metafile, code)) needs.serviceWorker = true;
		if (NAMES_REJECTIONS.test(code)) needs.lowered = true;
		return { ok: true, code, sourceMap: plainPaths(map), inputs };
	} catch (error) {
		const messages = (error as { errors?: Message[] }).errors;
		if (messages === undefined) throw error;
		if (!topLevelAwait && messages.every(({ text }) => text.startsWith("Top-level await"))) needs.topLevelAwait = true;
		if (messages.some((message) => isOfMissingExport(message, from.gate))) needs.lenient = true;
		return failed(messages);
	}
}

/** Whether a message tells of a package's import that a module of ours does not export. */
const isOfMissingExport = ({ text, location }: Message, { root }: Gate) =>
	text.startsWith("No matching export in ") && (root.bundled || isInPackage(location?.file ?? ""));
