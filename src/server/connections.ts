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
 * The connections of a server. Where there are more than it may have, those that have been without a whole request for longest are
 * closed: thousands of clients that never come to the end of a head keep nobody else out.
 */
export class Connections {
	readonly #most: number;
	readonly #states = new Map<Duplex, State>();

	constructor(most: number) {
		this.#most = most;
	}

	add(socket: Duplex): void {
		this.#states.set(socket, { requests: 0, idleSince: performance.now() });
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
		idle.sort(([, a], [, b]) => a.idleSince - b.idleSince);
		for (const [socket] of idle.slice(0, Math.ceil(this.#most * AT_ONCE))) socket.destroy();
	}
}
