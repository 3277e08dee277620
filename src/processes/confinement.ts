import { dirname, join } from "node:path";
import type { Containment } from "./containment.ts";
import type { Launch } from "./launch.ts";
import { bundlerFiles, scriptFiles } from "./runtime-files.ts";
import { type Entry, SOURCES, scriptOf } from "./script.ts";
import { containmentOf, walled } from "./walls.ts";

/**
 * V8's flags in every process that runs functions. Loop unrolling would drop a loop's interrupt check, so that
 * `for (;;) x = new Array(1000)` could never be ended; the concurrent optimiser doubles memory and the time of a turn
 * when a hundred isolates share a thread (docs/design.md, "What was measured"). The baseline compiler takes longer for
 * a function's first ten requests than it saves in the next three hundred, and V8 learns more from those if it keeps
 * note of each function from its first call on (docs/performance.md). The collector is there for the prelude
 * (`prelude/young.ts`), which keeps it from functions.
 */
export const V8_FLAGS = [
	"--no-turboshaft-loop-unrolling",
	"--no-concurrent-recompilation",
	"--no-sparkplug",
	"--no-lazy-feedback-allocation",
	"--expose-gc",
];

/**
 * Only where the process holds nothing but functions: one that leaks would have V8's helper threads collect on every
 * core, and its neighbours wait for one (the worst wait beside a leak falls from 320 to 11 ms, and a turn costs the
 * same). And what an isolate had is given back to the machine when it is disposed: V8 would hand it to a pool of the
 * process, which nobody empties.
 */
const OWN_PROCESS_FLAGS = ["--single-threaded-gc", "--no-memory-pool-share-memory-on-teardown"];

/** What a process that meets others' code is given. */
export interface Confinement {
	entry: Entry;
	/** How large the process's own heap may grow; isolates have limits of their own. */
	heapMb?: number;
}

/**
 * What starts a process that will meet hostile code: with Node's permission model (no network, no writes, no
 * children, no workers, reading only its own script), an empty environment, its link on descriptor 3, and what the
 * operating system adds. Without Node's own startup snapshot, as isolated-vm asks.
 */
export function confined({ entry, heapMb }: Confinement): Pick<Launch, "command" | "args" | "env" | "wall"> {
	const { files, folders } = scriptFiles(entry);
	const { prefix, wall } = walled("sandbox", [...files, ...folders]);
	const [command, ...args] = [
		...prefix,
		process.execPath,
		"--no-node-snapshot",
		"--disable-warning=PERM0001",
		"--permission",
		"--allow-addons",
		...[...files, ...folders.map((folder) => join(folder, "*"))].map((path) => `--allow-fs-read=${path}`),
		...V8_FLAGS,
		...OWN_PROCESS_FLAGS,
		...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
		scriptOf(entry).path,
	];
	return { command, args, env: {}, wall };
}

/**
 * What starts the bundler, which reads these folders as whoever started atoll may, starts esbuild, and can do nothing
 * else. `/` stands for all that there is.
 */
export function confinedBundler(folders: string[]): Pick<Launch, "command" | "args" | "env" | "wall"> {
	const { path, reads } = bundlerFiles();
	const { prefix, wall } = walled("bundler", [...reads, ...folders]);
	const [command, ...args] = [...prefix, process.execPath, path];
	return { command, args, env: {}, wall };
}

/**
 * What starts a data process, which may read and write one folder, by its real path, and can do nothing else. The folder
 * exists. Node's permission model is not around it: with that nothing can be written through to the disk.
 */
export function confinedToFolder(entry: Entry, folder: string): Pick<Launch, "command" | "args" | "env" | "wall"> {
	const { path } = scriptOf(entry);
	const { prefix, wall } = walled("data", [path], folder);
	const [command, ...args] = [...prefix, process.execPath, "--disable-warning=ExperimentalWarning", path, folder];
	return { command, args, env: {}, wall };
}

/**
 * What starts a process of atoll's own that may reach the network and read these files, and can do nothing else: no
 * walls of the operating system, since it meets nobody's code, but Node's permission model.
 */
export function withNetwork(
	entry: Entry,
	{ reads, heapMb }: { reads: string[]; heapMb: number },
): Pick<Launch, "command" | "args"> {
	const { path, bundled } = scriptOf(entry);
	const root = dirname(SOURCES);
	const files = [path, ...reads, ...(bundled ? [] : [join(root, "*")])];
	const allowed = files.map((file) => `--allow-fs-read=${file}`);
	const flags = ["--permission", "--allow-net", ...allowed, `--max-old-space-size=${heapMb}`];
	return { command: process.execPath, args: [...flags, path] };
}

/** Which of the operating system's layers are around a sandbox, and whether a control group is one of them. */
export function containment(grouped = false): Containment {
	const { files, folders } = scriptFiles("isolates/main");
	const found = containmentOf([...files, ...folders]);
	if (!grouped) return found;
	const { cgroup: _, ...why } = found.why;
	return { ...found, cgroup: true, why };
}
