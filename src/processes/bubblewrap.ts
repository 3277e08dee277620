import { accessSync, constants } from "node:fs";
import { arch } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { Descriptor } from "./launch.ts";
import { SOURCES } from "./script.ts";

/**
 * A `sandbox` runs what others wrote, alone; the `bundler` reads what they wrote, as whoever started atoll may, and
 * starts esbuild; `data` keeps in one folder what functions have stored.
 */
export type Role = "sandbox" | "bundler" | "data";

/** What a process behind bubblewrap is shown of the machine, and may do there. */
export interface View {
	/** Files and folders, by their own names, to read. What does not exist is left out. */
	reads: string[];
	/** A folder that it may write, if there is one; it exists. */
	writes: string | null;
	/** Whether it stays root, of whose rights it keeps the one to read all that it is shown. */
	asRoot: boolean;
}

/** Where bubblewrap is installed, if it is. */
export function findBubblewrap(): string | null {
	const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
	// A relative folder, or an empty name, would be the one that atoll was started in, with functions in it.
	for (const folder of folders.filter(isAbsolute)) {
		const path = join(folder, "bwrap");
		try {
			accessSync(path, constants.X_OK);
			return path;
		} catch {
			// Not in this folder.
		}
	}
	return null;
}

/** The filter of system calls for such a process on this machine; made by scripts/seccomp.ts. */
export function filterFor(role: Role): string {
	return join(SOURCES, `processes/filters/${role}-${arch()}.bpf`);
}

/** What the machine tells of itself and of other processes, hidden from one that is shown all files. */
const HIDDEN = ["/dev", "/proc", "/run", "/sys"];

/** Whom a process takes itself for, in its own user namespace. */
const NOBODY = "65534";

/**
 * The part of a command that is bubblewrap's: it makes namespaces of every kind, shows the process what it may see
 * and nothing else, takes what rights are left, filters system calls, and becomes the process, the first of its PID
 * namespace. There is no /proc, which would tell of the machine, and no /dev: Node does without.
 */
export function bubblewrap(program: string, { reads, writes, asRoot }: View): string[] {
	return [
		program,
		...["--unshare-pid", "--as-pid-1", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
		...(asRoot ? [] : ["--unshare-user", "--uid", NOBODY, "--gid", NOBODY]),
		...["--cap-drop", "ALL", ...(asRoot ? ["--cap-add", "CAP_DAC_READ_SEARCH"] : [])],
		...["--hostname", "sandbox", "--new-session", "--die-with-parent"],
		...reads.flatMap((path) => ["--ro-bind-try", path, path]),
		...(writes === null ? [] : ["--bind", writes, writes]),
		...(reads.includes("/") ? HIDDEN.flatMap((folder) => ["--tmpfs", folder]) : []),
		...["--remount-ro", "/"],
		...["--seccomp", String(Descriptor.filter), "--info-fd", String(Descriptor.info)],
		"--",
	];
}
