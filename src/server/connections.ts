import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Account } from "../limits/account.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** Of the descriptors that this process may have; the others are for what functions fetch, sandboxes and files. */
const SHARE = 3 / 4;
/** Where there is no /proc that would tell how many those are. */
const USUAL = 4096;
/** Room is made for so many at once, so that not every connection of a flood has all of them looked at. */
const AT_ONCE = 1 / 16;

/**
 * A client may send so many requests without waiting for an answer; one that sends more of them is not waiting for
 * any.
 */
const MOST_PIPELINED = 128;

/** What a connection takes by itself, and a head of which no more than this has come is no more than that. */
const CONNECTION: Bytes = 8 * 1024;
const SMALL_HEAD: Bytes = 2 * 1024;
/**
 * Heads that have not come in whole are looked at so often. What is held of one is more than its bytes: it may be
 * many small headers.
 */
const LOOK_MS: Milliseconds = 500;
const HEAD_WEIGHT = 4;
/** Behind the end of a request so much may have been read already. */
const READ_AT_ONCE: Bytes = 64 * 1024;

/** What answers a request. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

interface Request {
	req: IncomingMessage;
	res: ServerResponse;
	handler: Handler;
}

interface State {
	socket: Socket;
	/** How many of its requests have no answer, or one that was not taken. The first of them is worked on. */
	requests: number;
	/** The others, in their order. */
	waiting: Request[];
	/** It speaks something else than HTTP from now on. */
	left: boolean;
	/** Since when it has had no request. */
	idleSince: Milliseconds;
	/** It has had an answer, and its client may send the next request at any moment. */
	answered: boolean;
	/** What had been read by then, and how much of that may be the beginning of the next. */
	read: Bytes;
	ahead: Bytes;
	/** What is held of a head that has not come in whole. */
	account: Account | null;
}

/** How many connections a server may have at once, of which so much may be held. */
export function mostConnections({ most }: Account): number {
	return Math.floor(Math.min(mostDescriptors() * SHARE, most / CONNECTION));
}

function mostDescriptors(): number {
	try {
		return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]) || USUAL;
	} catch {
		return USUAL;
	}
}

/**
 * How much of what was read with a request may be the beginning of the next; none where its body does not say how
 * long it is.
 */
function readAhead(req: IncomingMessage, read: Bytes): Bytes {
	if (req.headers["transfer-encoding"] !== undefined) return 0;
	const rest = read - Number(req.headers["content-length"] ?? 0);
	if (rest <= SMALL_HEAD) return 0;
	const head = req.rawHeaders.reduce((sum, part) => sum + part.length + 2, (req.url ?? "").length);
	return Math.min(Math.max(rest - head, 0), READ_AT_ONCE);
}

export interface ConnectionsOptions {
	/** How many there may be at once. */
	most: number;
	/** Where heads that have not come in whole are counted. */
	unfinished: Account;
	/** A connection with a request, or with a part of one, was ended to make room, and that request gets no answer. */
	onEnded(): void;
}

/** How much has come of a head since the last request. */
const unfinishedBytes = ({ socket, read, ahead }: State): Bytes => socket.bytesRead - read + ahead;

/**
 * The connections of a server. A connection has one request worked on at a time: the next is begun once the answer
 * to the one before was taken, and no more is read meanwhile, so that a client which sends on and takes nothing
 * fills its own buffers. Where there are more connections than there may be, some are closed that have no whole
 * request: of those that never had one, or of those that had, whichever are more, those that have been without for
 * longest. So thousands of clients that never come to the end of a head keep nobody else out, and take from nobody
 * the connection that its next request is just on its way over.
 */
export class Connections {
	readonly #most: number;
	readonly #unfinished: Account;
	readonly #onEnded: () => void;
	readonly #states = new Map<Socket, State>();
	#looking: NodeJS.Timeout | null = null;
	/** Whether each connection ends with its next answer. */
	draining = false;

	constructor({ most, unfinished, onEnded }: ConnectionsOptions) {
		this.#most = most;
		this.#unfinished = unfinished;
		this.#onEnded = onEnded;
	}

	add(socket: Socket): void {
		this.#states.set(socket, {
			socket,
			requests: 0,
			waiting: [],
			left: false,
			idleSince: performance.now(),
			answered: false,
			read: 0,
			ahead: 0,
			account: null,
		});
		this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
		socket.once("close", () => this.#remove(socket));
		if (this.#states.size > this.#most) this.#makeRoom();
	}

	#remove(socket: Socket): void {
		const state = this.#states.get(socket);
		if (state === undefined) return;
		this.#states.delete(socket);
		state.account?.close();
		state.waiting = [];
		if (this.#states.size > 0 || this.#looking === null) return;
		clearInterval(this.#looking);
		this.#looking = null;
	}

	#end(state: State): void {
		const { socket, requests } = state;
		if (requests > 0 || unfinishedBytes(state) > 0) this.#onEnded();
		this.#remove(socket);
		socket.destroy();
	}

	/** Ends those that have no request, nor a part of one, and whose last answer has left. */
	endIdle(): void {
		for (const state of this.#states.values())
			if (state.requests === 0 && unfinishedBytes(state) === 0) this.#end(state);
	}

	/** A connection has a request, for a handler once it is its turn. It is ended where it has too many of them. */
	request(req: IncomingMessage, res: ServerResponse, handler: Handler): void {
		const { socket } = req;
		const state = this.#states.get(socket);
		if (state === undefined) return; // It has ended: these are what was left in the last that was read of it.
		if (state.requests === MOST_PIPELINED) {
			this.#end(state);
			return;
		}
		state.requests++;
		if (this.draining) res.shouldKeepAlive = false;
		res.once("close", () => this.#taken(state, req));
		if (state.requests === 1) {
			handler(req, res);
			return;
		}
		// Not at once: the end of each message that is parsed has node:http read on.
		if (state.waiting.push({ req, res, handler }) === 1) setImmediate(() => this.#pause(state));
	}

	#pause({ socket, waiting, left }: State): void {
		if (waiting.length > 0 && !left) socket.pause();
	}

	/** The answer to the first request of a connection was taken. */
	#taken(state: State, req: IncomingMessage): void {
		state.requests--;
		state.answered = true;
		const next = state.waiting.shift();
		if (next !== undefined) {
			if (!state.socket.destroyed) next.handler(next.req, next.res);
			return;
		}
		if (state.left || state.requests > 0) return;
		state.idleSince = performance.now();
		const { bytesRead } = state.socket;
		state.ahead = readAhead(req, bytesRead - state.read);
		state.read = bytesRead;
		if (state.socket.isPaused()) state.socket.resume();
	}

	/** A connection is something else from now on, and ends by itself. */
	leave(socket: Socket): void {
		const state = this.#states.get(socket);
		if (state === undefined) return;
		state.left = true;
		state.requests++;
		state.account?.close();
	}

	/**
	 * Counts what is held of heads, and reads for a moment where requests wait: nothing else tells that a client has
	 * gone.
	 */
	#look(): void {
		for (const state of this.#states.values()) {
			const { socket, requests, waiting } = state;
			if (waiting.length > 0 && socket.isPaused()) {
				socket.resume();
				setImmediate(() => this.#pause(state));
			}
			const come = requests > 0 ? 0 : unfinishedBytes(state);
			const held = come > SMALL_HEAD ? come * HEAD_WEIGHT : 0;
			if (held === 0 && state.account === null) continue;
			state.account ??= this.#unfinished.for({ giveUp: () => this.#end(state) });
			state.account.release(state.account.held);
			state.account.hold(held);
		}
	}

	#makeRoom(): void {
		const idle = [...this.#states.values()].filter(({ requests }) => requests === 0);
		const unanswered = idle.filter(({ answered }) => !answered);
		const many = unanswered.length > idle.length / 2 ? unanswered : idle.filter(({ answered }) => answered);
		many.sort((a, b) => a.idleSince - b.idleSince);
		for (const state of many.slice(0, Math.ceil(this.#most * AT_ONCE))) this.#end(state);
	}
}
