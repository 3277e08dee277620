import { lineBytes } from "../link/line.ts";
import { Kind } from "../link/messages.ts";
import { isWellFormed, type MessageData, type Outgoing } from "../link/outgoing.ts";
import type { AttemptFailure, AttemptId } from "../link/protocol.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** A message that an isolate has put into its outbox. */
export interface IsolateMessage extends Outgoing<MessageData | string> {
	attempt: AttemptId;
}

/** Outside of a request an isolate may log as much in so long as in one. */
const STRAY_MS: Milliseconds = 1000;
/** The largest message an isolate may send: a body's window in UTF-8, and a generous head. */
const MAX_MESSAGE: Bytes = 2 * 1024 * 1024;

/**
 * What the turns of an isolate have to say. It is kept outside of the isolate and has to count as if it were inside.
 */
export class Outbox {
	readonly #maxBytes: Bytes;
	readonly #logBytes: Bytes;
	readonly #attempts: ReadonlySet<AttemptId>;
	#messages: IsolateMessage[] = [];
	/** What this turn has put in. */
	#bytes: Bytes = 0;
	/** This turn has put in what the prelude never sends: the function has got hold of what sends it. */
	forged = false;
	/** What each attempt has logged; under 0 what was logged outside of any in this second. */
	readonly #logged = new Map<AttemptId, Bytes>();
	#strayingSince: Milliseconds = 0;

	/**
	 * `maxBytes` is what one turn may say, `logBytes` what one attempt may log; `attempts` are those that the isolate
	 * works on.
	 */
	constructor(maxBytes: Bytes, logBytes: Bytes, attempts: ReadonlySet<AttemptId>) {
		this.#maxBytes = maxBytes;
		this.#logBytes = logBytes;
		this.#attempts = attempts;
	}

	/** A turn begins. */
	begin(): void {
		this.#bytes = 0;
		this.forged = false;
	}

	/**
	 * Takes what came out of the isolate, whatever it is: its code may have changed what the prelude sends. Behind the
	 * `last` message of an attempt comes that it is over.
	 */
	put(kind: unknown, attempt: unknown, op: unknown, text: unknown, data: unknown, last: unknown): void {
		if (this.forged) return;
		const message = messageOf(kind, attempt, op, text, data);
		if (message === null || typeof last !== "boolean") {
			this.forged = true;
			this.#messages = [];
			return;
		}
		if (message.kind === Kind.log && !this.#mayLog(message)) return;
		this.#add(message);
		if (last) this.put(Kind.done, attempt, 0, "", undefined, false);
	}

	/** A call of an attempt was answered here. */
	addReused(attempt: AttemptId, op: number, call: string): void {
		if (!this.forged) this.#add({ kind: Kind.reused, attempt, op, text: call, data: undefined });
	}

	#add(message: IsolateMessage): void {
		this.#bytes += heldBytes(message);
		if (this.overflown) this.#messages = [];
		else this.#messages.push(message);
	}

	/** Whether a line may still leave. One beyond the limit does, by which the edge knows that there was more. */
	#mayLog({ attempt, text }: IsolateMessage): boolean {
		const now = performance.now();
		if (now - this.#strayingSince > STRAY_MS) {
			this.#strayingSince = now;
			this.#logged.delete(0);
		}
		const id = this.#attempts.has(attempt) ? attempt : 0;
		const logged = this.#logged.get(id) ?? 0;
		if (logged > this.#logBytes) return false;
		this.#logged.set(id, logged + lineBytes(text));
		return true;
	}

	/** How much the turn has said. */
	get bytes(): Bytes {
		return this.#bytes;
	}

	/** The turn has said more than it may, and all of it is dropped. */
	get overflown(): boolean {
		return this.#bytes > this.#maxBytes;
	}

	take(): IsolateMessage[] {
		const messages = this.#messages;
		if (messages.length > 0) this.#messages = [];
		if (messages.length > 1) sortTimers(messages);
		return messages;
	}

	/** An attempt is over. */
	forget(attempt: AttemptId): void {
		this.#logged.delete(attempt);
	}
}

/** The failure of a function that has made its isolate say what the prelude never says. */
export function forgery(): AttemptFailure {
	return {
		code: "forged",
		message: "the function's isolate has sent a message that the platform never sends",
		stack: "",
	};
}

/**
 * Puts timers that are started one right after the other in the order in which they are due: they were all started at
 * the turn's one moment, and not at those, which are never the same, at which they are taken from here.
 */
function sortTimers(messages: IsolateMessage[]): void {
	for (let from = 0, to = 0; from < messages.length; from = to + 1) {
		for (to = from; messages[to]?.kind === Kind.setTimer; ) to++;
		if (to - from < 2) continue;
		const timers = messages.slice(from, to).sort((one, other) => (one.data as number) - (other.data as number));
		messages.splice(from, timers.length, ...timers);
	}
}

/** The message that these make, or `null` if the prelude never sends such a one. */
function messageOf(kind: unknown, attempt: unknown, op: unknown, text: unknown, data: unknown): IsolateMessage | null {
	if (!isNumber(kind) || !isNumber(attempt) || !isNumber(op) || typeof text !== "string") return null;
	if (data !== undefined && typeof data !== "string" && typeof data !== "number" && !(data instanceof Uint8Array))
		return null;
	if (kind === Kind.reused) return null;
	const message: IsolateMessage = { kind: kind as Kind, attempt, op, text, data };
	return isWellFormed(message) || isForSandbox(message) ? message : null;
}

/** Whether a value fits into a field of the link. */
export function isNumber(value: unknown): value is number {
	return typeof value === "number" && value >>> 0 === value;
}

/** Whether it is a message that the sandbox itself does something about. */
function isForSandbox({ kind, op, text, data }: IsolateMessage): boolean {
	if (text !== "") return false;
	if (kind === Kind.setTimer) return op > 0 && typeof data === "number" && data >= 0;
	if (kind === Kind.clearTimer) return op > 0 && data === undefined;
	return kind === Kind.done && op === 0 && data === undefined;
}

/** How much memory a message takes, roughly. */
export function heldBytes({ text, data }: Pick<IsolateMessage, "text" | "data">): Bytes {
	const size = typeof data === "string" ? data.length * 2 : typeof data === "object" ? data.byteLength : 0;
	return 100 + text.length * 2 + size;
}

/** Whether a message may come to more than the link takes, with strings in UTF-8 at their worst. */
export function isTooLarge({ text, data }: IsolateMessage): boolean {
	const size =
		typeof data === "string" ? data.length * 3 : typeof data === "number" || data === undefined ? 8 : data.byteLength;
	return text.length * 3 + size > MAX_MESSAGE;
}
