import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Launch } from "./launch.ts";
import { confiningCommand } from "./namespace.ts";
import { type Entry, SOURCES, scriptOf } from "./script.ts";

/**
 * V8's flags in every process that runs functions. Loop unrolling would drop a loop's interrupt check, so that
 * `for (;;) x = new Array(1000)` could never be ended; the concurrent optimiser doubles memory and the time of a turn when
 * a hundred isolates share a thread (docs/design.md, "What was measured"). Without Node's own startup snapshot, as
 * isolated-vm asks.
 */
export const V8_FLAGS = ["--no-turboshaft-loop-unrolling", "--no-concurrent-recompilation"];

/**
 * Only where the process holds nothing but functions: one that leaks would have V8's helper threads collect on every core, and
 * its neighbours wait for one (the worst wait beside a leak falls from 320 to 11 ms, and a turn costs the same).
 */
const OWN_PROCESS_FLAGS = ["--single-threaded-gc"];

const here = fileURLToPath(import.meta.url);

function packageFolder(name: string, from: string): string {
	const entry = createRequire(from).resolve(name);
	const folder = join(`${sep}node_modules`, name);
	return entry.slice(0, entry.lastIndexOf(`${folder}${sep}`) + folder.length);
}

/** What a confined process may read: its own script, and isolated-vm. Nothing else, nothing to write. */
function readable(script: string, bundled: boolean): string[] {
	const ivm = packageFolder("isolated-vm", here);
	const folders = [ivm, packageFolder("node-gyp-build", join(ivm, "package.json"))];
	if (!bundled) folders.push(SOURCES, ...["lru-cache", "@exodus/bytes"].map((name) => packageFolder(name, here)));
	// node-gyp-build looks for this file to tell Alpine's libc from others.
	return [
		script,
		join(dirname(SOURCES), "package.json"),
		...folders.map((folder) => join(folder, "*")),
		"/etc/alpine-release",
	];
}

/**
 * What starts a process that will meet hostile code: with Node's permission model (no network, no writes, no children, no
 * workers, reading only its own script), an empty environment, its link on descriptor 3, and what the operating system adds.
 * `heapMb` is how large the process's own heap may grow; isolates have limits of their own.
 */
export function confined(entry: Entry, heapMb?: number): Pick<Launch, "command" | "args" | "env"> {
	const { path, bundled } = scriptOf(entry);
	const [command, ...args] = [
		...confiningCommand(),
		process.execPath,
		"--no-node-snapshot",
		"--disable-warning=PERM0001",
		"--permission",
		"--allow-addons",
		...readable(path, bundled).map((file) => `--allow-fs-read=${file}`),
		...V8_FLAGS,
		...OWN_PROCESS_FLAGS,
		...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
		path,
	];
	return { command, args, env: {} };
}

/** Gives up, in a confined process that has loaded all it needs, what it needed for loading. */
export function dropPermissions(): void {
	const permission = process.permission as (typeof process.permission & { drop?: (scope: string) => void }) | undefined;
	if (permission?.drop === undefined) return;
	permission.drop("fs.read");
	permission.drop("addon");
}
