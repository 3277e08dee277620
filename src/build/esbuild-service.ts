/**
 * Has esbuild run without the right to open a file. It asks the bundler for all that it bundles, but reads some files
 * by itself: whatever lies in the folders of an import by a pattern, and the sources of a source map. Loaded before
 * esbuild, which reads the variable as it is loaded.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const WITHOUT_FILES = fileURLToPath(new URL("../../bin/esbuild-without-files", import.meta.url));

const require = createRequire(import.meta.url);

/** Whether it can be had here: not where there is no shell, or Go's runtime takes more descriptors than on Linux. */
function works(binary: string): boolean {
	const { version } = require("esbuild/package.json") as { version: string };
	const env = { ...process.env, ATOLL_ESBUILD: binary };
	return spawnSync(WITHOUT_FILES, [`--service=${version}`], { env, input: "", timeout: 10_000 }).status === 0;
}

try {
	const binary = createRequire(require.resolve("esbuild")).resolve(
		`@esbuild/${process.platform}-${process.arch}/bin/esbuild`,
	);
	if (process.env.ESBUILD_BINARY_PATH === undefined && works(binary))
		Object.assign(process.env, { ATOLL_ESBUILD: binary, ESBUILD_BINARY_PATH: WITHOUT_FILES });
} catch (error) {
	if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error; // Under another name on this platform.
}
