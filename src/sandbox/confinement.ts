import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { setPriority } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { confiningCommand } from "./namespace.ts";
import { type ConfinedEntry, confinedScript, SOURCES } from "./script.ts";

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

/** How far below the edge such a process stands when the machine is busy: the edge must get to see what goes on. */
const NICENESS = 2;

export interface Confinement {
	/** Further V8 flags. */
	flags?: string[];
	/** How large the process's own heap may grow, in MB; isolates have limits of their own. */
	heapMb?: number;
	/** Descriptors of this process that the child has from descriptor 4 on. */
	descriptors?: number[];
}

/**
 * Starts a process that will meet hostile code: with Node's permission model (no network, no writes, no children, no
 * workers, reading only its own script), an empty environment, one socketpair on descriptor 3, and what the operating
 * system adds.
 */
export function spawnConfined(
	entry: ConfinedEntry,
	{ flags = [], heapMb, descriptors = [] }: Confinement = {},
): ChildProcess {
	const { path, bundled } = confinedScript(entry);
	const args = [
		"--no-node-snapshot",
		"--disable-warning=PERM0001",
		"--permission",
		"--allow-addons",
		...readable(path, bundled).map((file) => `--allow-fs-read=${file}`),
		...V8_FLAGS,
		...OWN_PROCESS_FLAGS,
		...flags,
		...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
		path,
	];
	const [command, ...rest] = [...confiningCommand(), process.execPath, ...args];
	const child = spawn(command, rest, {
		env: {},
		cwd: "/",
		stdio: ["ignore", "ignore", "pipe", "pipe", ...descriptors],
		windowsHide: true,
	});
	if (child.pid !== undefined) setPriority(child.pid, NICENESS);
	return child;
}

/**
 * Why a confined process ended, from what V8 or Node last wrote about it: one line, for the operator. The rest, such as a
 * native stack, is dropped, since a function decides how often it comes.
 */
export class LastWords {
	#text = "";

	constructor(child: ChildProcess) {
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			if (this.#text.length < 4096) this.#text += text;
		});
	}

	/** How the process ended, with its last words where it had any. */
	describe(code: number | null, signal: NodeJS.Signals | null): string {
		const how = signal === null ? `exited with code ${code}` : `ended by ${signal}`;
		const line = this.#text
			.split("\n")
			.find((one) => /Fatal|FATAL|Error|error/.test(one) && !/^# Fatal error with/.test(one));
		return line === undefined ? how : `${how}: ${line.replace(/^#\s*/, "").slice(0, 300)}`;
	}
}

/** Gives up, in a confined process that has loaded all it needs, what it needed for loading. */
export function dropPermissions(): void {
	const permission = process.permission as (typeof process.permission & { drop?: (scope: string) => void }) | undefined;
	if (permission?.drop === undefined) return;
	permission.drop("fs.read");
	permission.drop("addon");
}
