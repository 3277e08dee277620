/** What the launcher needs to know to start a process. */
export interface Launch {
	command: string;
	args: string[];
	env: Record<string, string>;
	/** At least the launcher's own. */
	niceness: number;
	/** A file that the process gets on descriptor 4, open for reading and writing. */
	file: string | null;
}

/** What the edge asks of the launcher, in this order for each number that it gives a process. */
export type LauncherRequest = { id: number; launch: Launch } | { id: number; kill: true };

/** What the launcher tells of a process; the edge's end of its link comes along with `pid`. */
export type LauncherReport = { id: number; pid: number } | { id: number; ended: string };
