import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { bubblewrap, filterFor, findBubblewrap, type Role } from "./bubblewrap.ts";
import type { Containment, Layer } from "./containment.ts";
import type { Wall } from "./launch.ts";
import { SETPRIV } from "./parent-death.ts";
import { nodeFiles } from "./runtime-files.ts";
import { unusedUser } from "./users.ts";

/** A way to put layers of the operating system around a process. */
export interface Way {
	/** What stands before the command of a process that is shown these files, and may write a folder. */
	prefix(reads: string[], writes: string | null): string[];
	wall: Wall;
	layers: Layer[];
}

const UNSHARE = "/usr/bin/unshare";

/** In a user namespace of its own no rights are needed for the others; the user stays the same. */
const NAMESPACES = [UNSHARE, "--user", "--map-current-user", "--net", "--ipc"];
/** The process also dies with the one that has started it. */
const PRIVILEGES = [
	SETPRIV,
	"--no-new-privs",
	"--bounding-set=-all",
	"--inh-caps=-all",
	"--ambient-caps=-all",
	"--pdeathsig=KILL",
];
const PROBE_MS = 5000;

const isRoot = () => process.getuid?.() === 0;

/** All ways there are, the best first. */
export function* ways(role: Role): Generator<Way> {
	const users = isRoot() && role === "sandbox" ? [true, false] : [false];
	const program = findBubblewrap();
	const filter = filterFor(role);
	if (program !== null && existsSync(filter))
		for (const ownUser of users)
			yield {
				prefix: (reads, writes) => bubblewrap(program, { reads, writes, asRoot: isRoot() && role === "bundler" }),
				wall: { ownUser, filter },
				layers: ["mountNamespace", "pidNamespace", "networkNamespace", "seccomp", "noNewPrivileges"],
			};
	for (const ownUser of users) {
		const wall: Wall = { ownUser, filter: null };
		// In a user namespace root reads less than a bundler has to.
		if (role !== "bundler") {
			// setpriv needs the capabilities of the namespace, whatever the user, to drop them for good.
			const prefix = [...NAMESPACES, "--keep-caps", ...PRIVILEGES];
			yield { prefix: () => prefix, wall, layers: ["networkNamespace", "noNewPrivileges"] };
			yield { prefix: () => PRIVILEGES, wall, layers: ["noNewPrivileges"] };
			yield { prefix: () => NAMESPACES, wall, layers: ["networkNamespace"] };
		}
		if (ownUser) yield { prefix: () => [], wall, layers: [] };
	}
}

/** Tries it with Node itself and the files that it has to read. Returns what is wrong, `null` if nothing is. */
export function problemOf({ prefix, wall }: Way, reads: string[]): string | null {
	const [command, ...args] = [...prefix(reads, null), process.execPath, "--version"];
	const filter = wall.filter === null ? null : openSync(wall.filter, "r");
	try {
		const { status, stderr, error } = spawnSync(command, args, {
			env: {},
			cwd: "/",
			stdio: ["ignore", "ignore", "pipe", "ignore", "ignore", filter ?? "ignore", "pipe"],
			timeout: PROBE_MS,
			...(wall.ownUser ? unusedUser() : {}),
		});
		if (status === 0) return null;
		return error?.message ?? (String(stderr).trim().split("\n")[0] || `it ended with ${status}`);
	} finally {
		if (filter !== null) closeSync(filter);
	}
}

/** The best way on this machine, and what kept a better one from it. */
interface Found {
	way: Way;
	why: string | null;
}

const NONE: Way = { prefix: () => [], wall: { ownUser: false, filter: null }, layers: [] };

function find(role: Role, reads: string[]): Found {
	if (process.platform !== "linux") return { way: NONE, why: "only Linux has it" };
	let why = findBubblewrap() === null ? "bubblewrap is not installed: apt-get install bubblewrap" : null;
	for (const way of ways(role)) {
		const problem = problemOf(way, reads);
		if (problem === null) return { way, why };
		why ??= problem;
	}
	return { way: NONE, why };
}

const found = new Map<Role, Found>();

/** Tries, once for each role, what there is. */
function best(role: Role, reads: string[]): Found {
	const known = found.get(role) ?? find(role, reads);
	found.set(role, known);
	return known;
}

/** What stands before the command of a process, and what the launcher does for it. */
export function walled(role: Role, reads: string[], writes: string | null = null): { prefix: string[]; wall: Wall } {
	const all = [...nodeFiles(), ...reads];
	const { prefix, wall } = best(role, all).way;
	return { prefix: prefix(all, writes), wall };
}

/** Which of the operating system's layers are around a sandbox that is shown these files. */
export function containmentOf(reads: string[]): Containment {
	const { way, why } = best("sandbox", [...nodeFiles(), ...reads]);
	const on = (layer: Layer) => way.layers.includes(layer);
	const containment: Containment = {
		mountNamespace: on("mountNamespace"),
		pidNamespace: on("pidNamespace"),
		networkNamespace: on("networkNamespace"),
		ownUser: way.wall.ownUser,
		seccomp: on("seccomp"),
		noNewPrivileges: on("noNewPrivileges"),
		cgroup: false,
		why: { cgroup: "none was named: --cgroup PATH" },
	};
	for (const layer of ["mountNamespace", "pidNamespace", "networkNamespace", "seccomp", "noNewPrivileges"] as const)
		if (!containment[layer]) containment.why[layer] = why ?? "not tried";
	if (!containment.ownUser) containment.why.ownUser = isRoot() ? (why ?? "not tried") : "only root can give it one";
	return containment;
}
