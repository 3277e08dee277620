import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** What the operating system adds to a confined process, where it offers it and this user may use it. */
export interface Containment {
	/** The process has a network namespace of its own, without any interface that is up. */
	networkNamespace: boolean;
	/** Neither the process nor what it might start can gain privileges, and it holds no capability. */
	noNewPrivileges: boolean;
}

const UNSHARE = "/usr/bin/unshare";
const SETPRIV = "/usr/bin/setpriv";

/** In a user namespace of its own no rights are needed for the others; the user stays the same. */
const NAMESPACES = [UNSHARE, "--user", "--map-current-user", "--net", "--ipc"];
/** It also dies with the process that has started it. */
const PRIVILEGES = [
	SETPRIV,
	"--no-new-privs",
	"--bounding-set=-all",
	"--inh-caps=-all",
	"--ambient-caps=-all",
	"--pdeathsig=KILL",
];

function works([command, ...args]: string[]): boolean {
	if (process.platform !== "linux" || !existsSync(command)) return false;
	return spawnSync(command, [...args, "/bin/true"], { env: {}, stdio: "ignore", timeout: 5000 }).status === 0;
}

let found: { containment: Containment; prefix: string[] } | null = null;

/** Tries, once, what there is. */
function probe(): { containment: Containment; prefix: string[] } {
	if (found !== null) return found;
	const noNewPrivileges = works(PRIVILEGES);
	const privileges = noNewPrivileges ? PRIVILEGES : [];
	const networkNamespace = works([...NAMESPACES, ...privileges]);
	found = {
		containment: { networkNamespace, noNewPrivileges },
		prefix: [...(networkNamespace ? NAMESPACES : []), ...privileges],
	};
	return found;
}

/** The command that starts another one confined, by replacing itself with it; empty where there is none. */
export function confiningCommand(): string[] {
	return probe().prefix;
}

/** Which of the operating system's layers are on. */
export function containment(): Containment {
	return probe().containment;
}
