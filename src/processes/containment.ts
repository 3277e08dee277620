/**
 * What the operating system puts between a sandbox's process and the machine, where it offers it and this user may
 * use it.
 */
export interface Containment {
	/** The process sees no file but what it is made of, to read. */
	mountNamespace: boolean;
	/** It sees no other process, and so can neither signal nor trace one. */
	pidNamespace: boolean;
	/** It has no network interface but a loopback of its own, and no abstract Unix socket of the machine's. */
	networkNamespace: boolean;
	/** It runs as a user that nobody else is, who owns nothing. */
	ownUser: boolean;
	/** It may make the system calls that Node needs, and no others. */
	seccomp: boolean;
	/** Neither it nor what it might start can gain privileges, and it holds no capability. */
	noNewPrivileges: boolean;
	/** It has a control group of its own, below one that the operator has named. */
	cgroup: boolean;
	/** Why those that are off are off, as far as it is known. */
	why: Partial<Record<Layer, string>>;
}

export type Layer = Exclude<keyof Containment, "why">;

/** What each is called when an operator is told. */
export const LAYERS: Record<Layer, string> = {
	mountNamespace: "mount namespace",
	pidNamespace: "PID namespace",
	networkNamespace: "network namespace",
	ownUser: "user of its own",
	seccomp: "seccomp",
	noNewPrivileges: "no new privileges",
	cgroup: "cgroup",
};

/** What an operator has to know before anything is served, if there is something. */
export function warning({ mountNamespace, ownUser }: Containment): string | null {
	if (process.getuid?.() !== 0 || mountNamespace || ownUser) return null;
	return (
		"sandboxes run as root without a wall of their own: code that gets out of V8 has this machine. " +
		"Install bubblewrap, or run atoll as another user"
	);
}
