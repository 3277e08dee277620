import { Kind } from "../link/messages.ts";
import type { AttemptId } from "../link/protocol.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** A message that an isolate has put into its outbox. */
export interface Outgoing {
	kind: Kind;
	attempt: AttemptId;
	op: number;
	text: string;
	data: Uint8Array | string | number | undefined;
}

/** Outside of a request an isolate may log as much in so long as in one. */
const STRAY_MS: Milliseconds = 1000;
/** The largest message an isolate may send: a body's window in UTF-8, and a generous head. */
const MAX_MESSAGE: Bytes = 2 * 1024 * 1024;

/** What the turns of an isolate have to say. It is kept outside of the isolate and has to count as if it were inside. */
export class Outbox {
	readonly #maxBytes: Bytes;
	readonly #logBytes: Bytes;
	readonly #attempts: ReadonlySet<AttemptId>;
	#messages: Outgoing[] = [];
	/** What this turn has put in. */
	#bytes: Bytes = 0;
	/** What each attempt has logged; under 0 what was logged outside of any in this second. */
	readonly #logged = new Map<AttemptId, Bytes>();
	#strayingSince: Milliseconds = 0;

	/** `maxBytes` is what one turn may say, `logBytes` what one attempt may log; `attempts` are those that the isolate works on. */
	constructor(maxBytes: Bytes, logBytes: Bytes, attempts: ReadonlySet<AttemptId>) {
		this.#maxBytes = maxBytes;
		this.#logBytes = logBytes;
		this.#attempts = attempts;
	}

	/** A turn begins. */
	begin(): void {
		this.#bytes = 0;
	}

	/** Makes a message of what came out of the isolate, whatever it is: its code may have changed what the prelude sends. */
	put(kind: unknown, attempt: unknown, op: unknown, text: unknown, data: unknown): void {
		const isData = typeof data === "string" || typeof data === "number" || data instanceof Uint8Array;
		const message: Outgoing = {
			kind: (Number(kind) >>> 0) as Kind,
			attempt: Number(attempt) >>> 0,
			op: Number(op) >>> 0,
			text: typeof text === "string" ? text : "",
			data: isData ? data : undefined,
		};
		if (message.kind === Kind.log && !this.#mayLog(message)) return;
		this.#bytes += heldBytes(message);
		if (this.overflown) this.#messages = [];
		else this.#messages.push(message);
	}

	/** Whether a line may still leave. One beyond the limit does, by which the edge knows that there was more. */
	#mayLog({ attempt, text }: Outgoing): boolean {
		const now = performance.now();
		if (now - this.#strayingSince > STRAY_MS) {
			this.#strayingSince = now;
			this.#logged.delete(0);
		}
		const id = this.#attempts.has(attempt) ? attempt : 0;
		const logged = this.#logged.get(id) ?? 0;
		if (logged > this.#logBytes) return false;
		this.#logged.set(id, logged + text.length);
		return true;
	}

	/** The turn has said more than it may, and all of it is dropped. */
	get overflown(): boolean {
		return this.#bytes > this.#maxBytes;
	}

	take(): Outgoing[] {
		const messages = this.#messages;
		if (messages.length > 0) this.#messages = [];
		return messages;
	}

	/** An attempt is over. */
	forget(attempt: AttemptId): void {
		this.#logged.delete(attempt);
	}
}

/** How much memory a message takes, roughly. */
function heldBytes({ text, data }: Outgoing): Bytes {
	const size = typeof data === "string" ? data.length * 2 : typeof data === "object" ? data.byteLength : 0;
	return 100 + text.length * 2 + size;
}

/** Whether a message may come to more than the link takes, with strings in UTF-8 at their worst. */
export function isTooLarge({ text, data }: Outgoing): boolean {
	const size =
		typeof data === "string" ? data.length * 3 : typeof data === "number" || data === undefined ? 8 : data.byteLength;
	return text.length * 3 + size > MAX_MESSAGE;
}
