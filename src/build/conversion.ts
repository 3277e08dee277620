import { relative } from "node:path";
import { transform } from "esbuild";
import type { Bundle, BundleRequest } from "./bundle.ts";
import { type Gate, Refusal } from "./gate.ts";

/**
 * Words of a module for which it does not do to be converted: it imports something, may be CommonJS or listen as service
 * workers do, brings a source map, or names what is not there by itself.
 */
const HAS_TO_BE_BUNDLED = new RegExp(
	[
		"\\b(?:import|require|module|exports|global|importMetaEnv|process|Buffer|HTMLRewriter|clearImmediate|setImmediate)\\b",
		"\\b(?:addEventListener|sourceMappingURL|getBuiltinModule\\w*|(?:on)?(?:unhandledrejection|rejectionhandled))\\b",
		"\\bfrom\\s*[\"']",
	].join("|"),
);
const EXPORTS = /\bexport\b/;
const SCRIPT = /\.m?js$/;

/** What esbuild makes of a module's namespace; the rest of the script is what stands behind it. */
const NAMESPACE = "__atoll_module_namespace";
const BEGIN = `var ${NAMESPACE} = `;
const END = "})();\n";

/**
 * One module that was bundled before, as one script: nothing of it has to be looked for, so that it is not bundled again.
 * `null` for whatever else it is, and for one with a mistake in it.
 */
export async function convert({ entry, cwd }: BundleRequest, gate: Gate): Promise<Bundle | null> {
	if (!gate.root.bundled || !SCRIPT.test(entry)) return null;
	const source = read(gate, entry);
	if (source === null || HAS_TO_BE_BUNDLED.test(source) || !EXPORTS.test(source)) return null;
	const path = relative(cwd, entry);
	try {
		const { code, map } = await transform(source, {
			sourcefile: path,
			loader: "js",
			format: "iife",
			globalName: NAMESPACE,
			platform: "browser",
			target: "es2024",
			sourcemap: "external",
			sourcesContent: true,
			legalComments: "none",
			charset: "utf8",
			logLevel: "silent",
		});
		const begin = code.indexOf(BEGIN);
		if (begin === -1 || !code.endsWith(END)) return null;
		// As long as what it stands for, so that the source map holds.
		const call = "globalThis.__atoll_exports(".padEnd(BEGIN.length);
		const script = `${code.slice(0, begin)}${call}${code.slice(begin + BEGIN.length, -END.length)}})());\n`;
		return { ok: true, code: script, sourceMap: map, inputs: [path] };
	} catch {
		return null; // Bundling it says what is wrong, or knows a way.
	}
}

function read(gate: Gate, path: string): string | null {
	try {
		return gate.read(path).toString();
	} catch (error) {
		if (error instanceof Refusal) return null;
		throw error;
	}
}
