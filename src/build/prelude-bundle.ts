import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { harden } from "./harden.ts";
import { bundleLazily } from "./lazy-modules.ts";

/**
 * The prelude from its source, as a package contains it: bundled, made independent of what functions do to
 * JavaScript's built-ins, and, since its text is in every isolate, as short as can be.
 */
export async function bundlePrelude(): Promise<string> {
	const [script, intrinsics] = await Promise.all([bundleLazily(OPTIONS), bundleIntrinsics()]);
	const hardened = await harden(script, intrinsics);
	// The streams' private properties go by names of up to forty letters, in their brand checks as strings.
	const named = hardened.replace(/(hasOwnProperty, \w+, \[)(?="_)/g, "$1/* @__KEY__ */ ");
	const { code } = await transform(named, { ...TARGET, minify: true, mangleProps: /^_[a-z]/ });
	// As the modules that it comes from were. Else a function could take the prelude's own functions from a stack's
	// call sites.
	return `"use strict";${code}`;
}

/** `prelude/intrinsics/` as an expression whose value has its exports. */
export async function bundleIntrinsics(): Promise<string> {
	const entry = fileURLToPath(new URL("../prelude/intrinsics/index.ts", import.meta.url));
	const result = await build({ ...OPTIONS, entryPoints: [entry], format: "iife", globalName: "intrinsics" });
	return `(() => { ${result.outputFiles[0].text} return intrinsics; })()`;
}

const TARGET = { target: "esnext", legalComments: "none" } as const;
const OPTIONS = { ...TARGET, bundle: true, write: false, logLevel: "silent" } as const;
