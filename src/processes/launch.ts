/** What the launcher needs to know to start a process. */
export interface Launch {
	command: string;
	args: string[];
	env: Record<string, string>;
	/** At least the launcher's own. */
	niceness: number;
	/** A file that the process gets on descriptor 4, open for reading and writing. */
	file: string | null;
	wall?: Wall;
}

/** What the launcher does to wall a process in, beside the command that it was told. */
export interface Wall {
	/** It runs as a user that nobody else is. */
	ownUser: boolean;
	/** The file of a filter of system calls, where bubblewrap stands before the command. */
	filter: string | null;
}

/** The descriptors that a process gets beside those that every process has. */
export const Descriptor = {
	link: 3,
	file: 4,
	/**
	 * For bubblewrap, which closes them: the filter to put in place, and where to tell of the process that it starts.
	 */
	filter: 5,
	info: 6,
} as const;

/** What the edge asks of the launcher, in this order for each number that it gives a process. */
export type LauncherRequest = { id: number; launch: Launch } | { id: number; kill: true };

/** What the launcher tells of a process; the edge's end of its link comes along with `pid`. */
export type LauncherReport = { id: number; pid: number } | { id: number; ended: string };
