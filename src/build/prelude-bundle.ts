import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { harden } from "./harden.ts";

/**
 * The prelude from its source, as a package contains it: bundled, made independent of what functions do to JavaScript's built-ins,
 * and, since its text is in every isolate, as short as can be.
 */
export async function bundlePrelude(): Promise<string> {
	const [script, intrinsics] = await Promise.all([bundle("index.ts"), bundleIntrinsics()]);
	const hardened = await harden(script, intrinsics);
	// The streams' private properties go by names of up to forty letters, in their brand checks as strings.
	const named = hardened.replace(/(hasOwnProperty, \w+, \[)(?="_)/g, "$1/* @__KEY__ */ ");
	const { code } = await transform(named, { ...TARGET, minify: true, mangleProps: /^_[a-z]/ });
	return code;
}

/** `prelude/intrinsics.ts` as an expression whose value has its exports. */
export async function bundleIntrinsics(): Promise<string> {
	return `(() => { ${await bundle("intrinsics.ts", "intrinsics")} return intrinsics; })()`;
}

const TARGET = { target: "esnext", legalComments: "none" } as const;

async function bundle(entry: string, globalName?: string): Promise<string> {
	const result = await build({
		...TARGET,
		entryPoints: [fileURLToPath(new URL(`../prelude/${entry}`, import.meta.url))],
		bundle: true,
		format: "iife",
		globalName,
		write: false,
		logLevel: "silent",
	});
	return result.outputFiles[0].text;
}
