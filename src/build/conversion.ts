import { transform } from "esbuild";
import type { Bundle } from "./bundle.ts";

/** A module by itself. */
export interface ModuleRequest {
	/** As it was given. */
	path: string;
	source: Uint8Array;
}

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

/** What esbuild makes of a module's namespace; the rest of the script is what stands behind it. */
const NAMESPACE = "__atoll_module_namespace";
const BEGIN = `var ${NAMESPACE} = `;
const END = "})();\n";
/** What is not there where a module has the word alone, and exports nothing, and what is there where it imports. */
const RETURNS = "\n  return __toCommonJS(";
const IMPORTS = /\brequire\b/;

/**
 * A module that was bundled before, as one script: nothing of it has to be looked for, so that it is not bundled again.
 * `null` for one that has to be, and for one with a mistake in it.
 */
export async function convert({ path, source }: ModuleRequest): Promise<Bundle | null> {
	const text = Buffer.from(source).toString();
	if (HAS_TO_BE_BUNDLED.test(text) || !EXPORTS.test(text)) return null;
	try {
		const { code, map } = await transform(text, {
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
		if (begin === -1 || !code.endsWith(END) || !code.includes(RETURNS) || IMPORTS.test(code)) return null;
		// As long as what it stands for, so that the source map holds.
		const call = "globalThis.__atoll_exports(".padEnd(BEGIN.length);
		const script = `${code.slice(0, begin)}${call}${code.slice(begin + BEGIN.length, -END.length)}})());\n`;
		return { ok: true, code: script, sourceMap: map, inputs: [path] };
	} catch {
		return null; // Bundling it says what is wrong, or knows a way.
	}
}
