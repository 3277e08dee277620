import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Milliseconds } from "../units.ts";

/** Of the descriptors that this process may have; the others are for what functions fetch, sandboxes and files. */
const SHARE = 3 / 4;
/** Where there is no /proc that would tell how many those are. */
const USUAL = 4096;
/** Room is made for so many at once, so that not every connection of a flood has all of them looked at. */
const AT_ONCE = 1 / 16;

/** A client may send so many requests without waiting for an answer; one that sends more of them is not waiting for any. */
const MOST_PIPELINED = 128;

interface State {
	/** How many of its requests are being worked on. */
	requests: number;
	/** Since when that has been none. */
	idleSince: Milliseconds;
	/** It has had an answer, and its client may send the next request at any moment. */
	answered: boolean;
}

/** How many connections a server may have at once. */
export function mostConnections(): number {
	try {
		const descriptors = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]);
		return Math.floor((descriptors || USUAL) * SHARE);
	} catch {
		return Math.floor(USUAL * SHARE);
	}
}

/**
 * The connections of a server. Where there are more than it may have, some are closed that have no whole request: of those that never
 * had one, or of those that had, whichever are more, those that have been without for longest. So thousands of clients that never come
 * to the end of a head keep nobody else out, and take from nobody the connection that its next request is just on its way over.
 */
export class Connections {
	readonly #most: number;
	readonly #states = new Map<Duplex, State>();

	constructor(most: number) {
		this.#most = most;
	}

	add(socket: Duplex): void {
		this.#states.set(socket, { requests: 0, idleSince: performance.now(), answered: false });
		socket.once("close", () => this.#states.delete(socket));
		if (this.#states.size > this.#most) this.#makeRoom();
	}

	/** A connection has a request, until that is answered. Returns false, and ends it, where it has too many of them. */
	work(socket: Duplex, response: ServerResponse): boolean {
		const state = this.#states.get(socket);
		if (state === undefined) return false; // It has ended: these are what was left in the last that was read of it.
		if (state.requests === MOST_PIPELINED) {
			this.#states.delete(socket);
			socket.destroy();
			return false;
		}
		state.requests++;
		response.once("close", () => {
			state.requests--;
			state.idleSince = performance.now();
			state.answered = true;
		});
		return true;
	}

	/** A connection is something else from now on, and ends by itself. */
	leave(socket: Duplex): void {
		const state = this.#states.get(socket);
		if (state !== undefined) state.requests++;
	}

	#makeRoom(): void {
		const idle = [...this.#states].filter(([, { requests }]) => requests === 0);
		const unanswered = idle.filter(([, { answered }]) => !answered);
		const many = unanswered.length > idle.length / 2 ? unanswered : idle.filter(([, { answered }]) => answered);
		many.sort(([, a], [, b]) => a.idleSince - b.idleSince);
		for (const [socket] of many.slice(0, Math.ceil(this.#most * AT_ONCE))) socket.destroy();
	}
}
