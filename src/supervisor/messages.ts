/** What the supervisor tells a process that it has started. */
export type ToProcess =
	/** Control has the store: the data folder is this server's, and an edge may follow it. */
	| { kind: "follow" }
	/** It ends, once it is done with what it has; `successor` says that another one goes on with its socket. */
	| { kind: "stop"; successor: boolean };

/** What such a process tells the supervisor. */
export type ToSupervisor =
	/** It is at work, and listens at this port. `token` was made up for the operator. */
	| { kind: "ready"; port: number; token?: string | undefined }
	/** It cannot start, and why; there is no use in trying again before somebody has seen to that. */
	| { kind: "failed"; problem: string };

/** The descriptor of the socket that it listens on. */
export const LISTEN_FD = 3;
