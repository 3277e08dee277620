/** Builds the package: dist/ with declarations, and the prelude and what other processes run as one script each. */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { bundlePrelude } from "../src/build/prelude-bundle.ts";
import { ENTRIES, ENTRY_BUNDLE } from "../src/processes/script.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
// What is bundled into functions has types of its own to be checked with, and nobody who would use its declarations.
execFileSync("tsc", ["-p", "src/compat", "--noEmit", "false", "--rootDir", "src", "--outDir", "dist"], {
	stdio: "inherit",
});
writeFileSync("dist/prelude.js", await bundlePrelude());
copyFileSync("src/prelude/warm-up.js", "dist/warm-up.js");
cpSync("src/processes/filters", "dist/processes/filters", { recursive: true });
cpSync("src/control/dashboard/assets", "dist/control/dashboard/assets", { recursive: true });
await build({
	...ENTRY_BUNDLE,
	entryPoints: ENTRIES.map((entry) => `dist/${entry}.js`),
	outdir: "dist",
	outbase: "dist",
	allowOverwrite: true,
});
