import { readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { build as esbuild, type Message, type Plugin } from "esbuild";
import { nodeBuiltins } from "./node-builtins.ts";
import type { Problem } from "./problem.ts";

export interface BundleRequest {
	/** Absolute path of the function's main module. */
	entry: string;
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

/** Whose exports are the function: a module that imports it and hands its namespace to the prelude. */
function entryModule(entry: string): string {
	return `import * as exports from ${JSON.stringify(entry)};\nglobalThis.__atoll_exports(exports);\n`;
}

/** Bundles a function with all that it imports into one script. Never throws for what is wrong with the source. */
export async function bundle({ entry, development, cwd }: BundleRequest): Promise<Bundle> {
	try {
		const result = await esbuild({
			stdin: { contents: entryModule(entry), resolveDir: "/", sourcefile: "atoll-entry.js", loader: "js" },
			absWorkingDir: cwd,
			bundle: true,
			write: false,
			metafile: true,
			// Nothing is written; the name only makes the source map's paths relative to the working directory.
			outfile: join(cwd, "function.js"),
			format: "iife",
			platform: "browser",
			target: "es2024",
			conditions: ["workerd", "worker", "edge-light", "import", "module", "browser"],
			mainFields: ["browser", "module", "main"],
			sourcemap: "external",
			sourcesContent: true,
			legalComments: "none",
			charset: "utf8",
			jsx: "automatic",
			define: { "process.env.NODE_ENV": development ? '"development"' : '"production"', global: "globalThis" },
			loader: { ".txt": "text", ".html": "text", ".sql": "text", ".css": "text", ".svg": "text", ".bin": "binary" },
			plugins: [nodeBuiltins, webAssembly],
			logLevel: "silent",
		});
		const inputs = Object.keys(result.metafile.inputs).filter((input) => input !== "atoll-entry.js");
		const [map, code] = ["function.js.map", "function.js"].map(
			(path) => result.outputFiles.find((file) => file.path.endsWith(path))?.text ?? "",
		);
		return { ok: true, code, sourceMap: map, inputs };
	} catch (error) {
		const messages = (error as { errors?: Message[] }).errors;
		if (messages === undefined) throw error;
		const problems = messages.map((message) => {
			const problem = toProblem(message);
			if (problem.file !== "atoll-entry.js") return problem;
			return { text: `${relative(cwd, entry) || basename(entry)}: ${message.text}` };
		});
		return { ok: false, problems, inputs: [relative(cwd, entry)] };
	}
}
