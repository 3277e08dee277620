import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { IS_CHECKOUT, Kept } from "../checkout.ts";
import type { Bytes } from "../units.ts";

/**
 * The entries of processes that run one file: of the launcher, of a sandbox, of a process that builds, of a helper, of a
 * data process, of a process of SQL, and of the log process.
 */
export const ENTRIES = [
	"processes/launcher-main",
	"isolates/main",
	"build/main",
	"helpers/main",
	"data/main",
	"sql/main",
	"logs/main",
	"export/main",
] as const;
export type Entry = (typeof ENTRIES)[number];

/** Such a file needs isolated-vm at most, and nothing else. */
export const ENTRY_BUNDLE = {
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node24",
	external: ["isolated-vm"],
} as const satisfies BuildOptions;

/** A bundled entry is far smaller. */
const MOST_SCRIPT: Bytes = 64 * 2 ** 20;

export const SOURCES = dirname(dirname(fileURLToPath(import.meta.url)));

const made = new Map<Entry, string>();

/**
 * The path of an entry's script, and whether it is in one file. A checkout bundles it; where that cannot be kept, its
 * source is run as it is.
 */
export function scriptOf(entry: Entry): { path: string; bundled: boolean } {
	if (!IS_CHECKOUT) return { path: join(SOURCES, `${entry}.js`), bundled: true };
	const path = made.get(entry) ?? bundle(entry);
	made.set(entry, path);
	return { path, bundled: !path.endsWith(".ts") };
}

function bundle(entry: Entry): string {
	const source = join(SOURCES, `${entry}.ts`);
	const kept = new Kept(entry.replace("/", "-"), ".mjs");
	if (kept.exists) return kept.path;
	const text = bundled(source);
	return kept.write(text) ? kept.path : source;
}

/**
 * By a process of its own: esbuild's synchronous calls wait for a thread of this one, which has come to wait for it in
 * turn.
 */
function bundled(source: string): string {
	const options: BuildOptions = { ...ENTRY_BUNDLE, entryPoints: [source], write: false, logLevel: "silent" };
	const build = `require("esbuild").buildSync(${JSON.stringify(options)}).outputFiles[0].text`;
	return execFileSync(process.execPath, ["-e", `process.stdout.write(${build})`], {
		cwd: SOURCES,
		env: { ...process.env, ESBUILD_WORKER_THREADS: "0" },
		encoding: "utf8",
		maxBuffer: MOST_SCRIPT,
	});
}
