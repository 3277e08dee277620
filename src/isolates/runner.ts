import { encodeException } from "../link/exception.ts";
import { Kind } from "../link/messages.ts";
import type { MessageData, Outgoing } from "../link/outgoing.ts";
import type { AttemptFailure, AttemptId, SandboxEvents, VersionNumber } from "../link/protocol.ts";
import type { Bytes, Microseconds, Milliseconds } from "../units.ts";
import type { FunctionIsolate } from "./isolate.ts";
import type { Answer } from "./keys.ts";
import { forgery, heldBytes, type IsolateMessage, isTooLarge } from "./outbox.ts";
import { RunningAttempt } from "./running-attempt.ts";
import { usedUs } from "./thread-clock.ts";
import { describeThrown } from "./thrown.ts";
import { Unsaid } from "./unsaid.ts";
import type { WarmIsolates } from "./warm.ts";

/** What a turn says takes the thread a while, too, which counts where functions take turns: so many bytes as one µs. */
const SENT_BYTES_PER_US = 1024;

/** A turn that was cut at its limit and ran for less of it than this has mostly waited for a core. */
const STARVED_SHARE = 1 / 2;

/**
 * What a turn says leaves in slices of so much, each in a round of its function's: whoever else has something to say
 * waits for a slice, and not for all that a function may say in a turn.
 */
const SLICE: Bytes = 256 * 1024;

/** One turn of an attempt. */
interface Turn {
	kind: Kind;
	/** 0 for what the top level has begun, though an attempt pays for it. */
	attempt: AttemptId;
	op: number;
	text: string;
	/** A string is ASCII, and stands for its bytes. */
	data: MessageData | string;
}

/** What waits for a turn. */
export interface Task extends Omit<Turn, "kind" | "attempt"> {
	/**
	 * `held`: answers to what the top level has begun, which the attempt pays for. `preload`: to have an isolate is
	 * all it is about.
	 */
	kind: Kind | "held" | "preload";
	/** The attempt itself and not its number, which another may have by the time this is done. */
	attempt: RunningAttempt;
}

/** Whether a message says what cannot be undone by running the attempt again. */
function isEffect({ kind }: IsolateMessage): boolean {
	return kind !== Kind.log && kind !== Kind.exceeded && kind !== Kind.reused;
}

/** Runs the turns of attempts, and tells the edge what comes of them. */
export class Runner {
	readonly #events: SandboxEvents;
	readonly #warm: WarmIsolates;
	readonly #later: (task: Task) => void;
	/** At the place of their number; not a Map, for the reason that `pool/sandbox.ts` gives. */
	readonly #attempts: (RunningAttempt | undefined)[] = [];
	/** CPU time of the turns that it has run, and of what they said; whoever wants to know of some sets it to 0 before. */
	usedUs: Microseconds = 0;

	/** How much has gone to the edge; whoever wants to know of some sets it to 0 before. */
	saidBytes: Bytes = 0;
	/** What turns have said beyond a slice, if any has. Nothing else of their function is run before it has left. */
	#unsaid: Unsaid | null = null;

	/** `later` is given what waits for a turn of an attempt. */
	constructor(events: SandboxEvents, warm: WarmIsolates, later: (task: Task) => void) {
		this.#events = events;
		this.#warm = warm;
		this.#later = later;
	}

	begin(id: AttemptId, version: VersionNumber, cpuMs: Milliseconds, cutMs: Milliseconds): RunningAttempt {
		const attempt = new RunningAttempt(id, version, cpuMs, cutMs);
		this.#attempts[id] = attempt;
		return attempt;
	}

	/** The attempt of a number that is not over. */
	get(id: AttemptId): RunningAttempt | undefined {
		return this.#attempts[id];
	}

	/** Whether an attempt is not over. */
	has(attempt: RunningAttempt): boolean {
		return this.#attempts[attempt.id] === attempt;
	}

	/** How much CPU time an attempt may still use; 0 if it is over. */
	budget(id: AttemptId): Microseconds {
		return this.#attempts[id]?.leftUs ?? 0;
	}

	/** An operation of WebCrypto has begun. */
	onOperation(isolate: FunctionIsolate, id: AttemptId): void {
		const attempt = this.#attempts[id];
		if (attempt?.isolate === isolate) attempt.operations++;
	}

	/** One has ended. */
	onAnswer(isolate: FunctionIsolate, { attempt: id, op, text, data, us }: Answer): void {
		const attempt = this.#attempts[id];
		if (attempt?.isolate !== isolate) return;
		attempt.account(us);
		attempt.operations--;
		if (!attempt.finished) this.#later({ kind: Kind.answer, attempt, op, text, data });
		else if (attempt.operations === 0) this.done(attempt);
	}

	/** A top level has nothing to say but lines for the log. */
	sendStrays(isolate: FunctionIsolate): void {
		for (const message of isolate.takeOutbox()) if (message.kind === Kind.log) this.#send(isolate.version, message);
	}

	/** An attempt that runs gets a turn for what the top level's operations have come to; without one they wait. */
	offerHeld(isolate: FunctionIsolate): void {
		if (isolate.held.length === 0) return;
		const [id] = isolate.attempts;
		const attempt = id === undefined ? undefined : this.#attempts[id];
		if (attempt !== undefined) this.#later({ kind: "held", attempt, op: 0, text: "", data: undefined });
	}

	tellHeld(attempt: RunningAttempt, isolate: FunctionIsolate): void {
		while (this.has(attempt)) {
			const answer = isolate.held.shift();
			if (answer === undefined) return;
			const { op, text, data } = answer;
			this.turn(attempt, isolate, { kind: Kind.answer, attempt: 0, op, text, data });
		}
	}

	/** Runs one turn of an attempt, and all that follows from how it ends. */
	turn(attempt: RunningAttempt, isolate: FunctionIsolate, task: Turn): void {
		const { ms, early } = attempt.allowance();
		if (ms === 0) {
			this.#exceeded(attempt, isolate, "cpu_limit_exceeded");
			return;
		}
		const before = isolate.cpuUs;
		const began = performance.now();
		const end = isolate.turn(task.kind, task.attempt, task.op, task.text, task.data, ms);
		if (end === "disposed") {
			attempt.account(usedUs((performance.now() - began) * 1000));
			this.#lose(isolate);
			return;
		}
		if (end === "overdue") {
			attempt.account(ms * 1000);
			this.#overdue(attempt, isolate, early);
			return;
		}
		const wallUs = isolate.cpuUs - before;
		const ownUs = usedUs(wallUs);
		const starved = end === "cut" && !early && ownUs < wallUs * STARVED_SHARE;
		// A turn that was cut at its limit has used that up, by the clock that cut it.
		const us = end === "cut" && !early ? wallUs : ownUs;
		attempt.account(us);
		this.usedUs += us;
		if (end === "cut") {
			if (early) this.#tooHeavy(attempt, isolate);
			else this.#exceeded(attempt, isolate, starved ? "starved" : "cpu_limit_exceeded");
			return;
		}
		if (end === "forged") {
			this.#forged(attempt, isolate);
			return;
		}
		const { saidBytes } = isolate;
		const outbox = isolate.takeOutbox();
		// Before the request's end is delivered, if that was in the same turn: what is to be told belongs to it.
		if (end !== "completed" && task.kind !== Kind.rejection) this.#uncaught(attempt, isolate, end.rejected);
		if (saidBytes > SLICE) this.#unsaid ??= new Unsaid();
		for (const message of outbox) {
			if (this.#unsaid === null) this.#deliver(attempt, isolate, message);
			else this.#unsaid.add({ attempt, isolate, message });
		}
		if (task.kind === Kind.drop && this.has(attempt)) this.done(attempt);
	}

	/**
	 * A promise was rejected in the turn, and nobody had handled it when it ended: the function's own listeners hear
	 * of it.
	 */
	#uncaught(attempt: RunningAttempt, isolate: FunctionIsolate, reason: unknown): void {
		const task: Turn = {
			kind: Kind.rejection,
			attempt: attempt.id,
			op: 0,
			text: JSON.stringify(describeThrown(reason)),
			data: undefined,
		};
		this.turn(attempt, isolate, task);
	}

	/**
	 * The turn's time was over in one of the sandbox's functions, which took the isolate, and the other requests that
	 * it held.
	 */
	#overdue(attempt: RunningAttempt, isolate: FunctionIsolate, early: boolean): void {
		isolate.attempts.delete(attempt.id);
		if (early) this.#tooHeavy(attempt, isolate);
		else this.#exceeded(attempt, isolate, "cpu_limit_exceeded");
		this.#lose(isolate, { code: "isolate_lost", message: "another request cost the isolate", stack: "" });
	}

	#tooHeavy(attempt: RunningAttempt, isolate: FunctionIsolate): void {
		this.#warm.retire(isolate);
		this.fail(attempt, { code: "too_heavy", message: `a turn ran for more than ${attempt.cutMs} ms`, stack: "" });
	}

	#exceeded(attempt: RunningAttempt, isolate: FunctionIsolate, code: "cpu_limit_exceeded" | "starved"): void {
		this.#warm.retire(isolate);
		this.fail(attempt, { code, message: attempt.excess, stack: "" });
	}

	/**
	 * The function has got hold of what its isolate speaks with: nothing of the turn counts, and the isolate takes
	 * no more requests.
	 */
	#forged(attempt: RunningAttempt, isolate: FunctionIsolate): void {
		this.#warm.retire(isolate);
		this.fail(attempt, forgery());
	}

	/** Whether turns have said more than a slice since `takeUnsaid` was last called. */
	get hasUnsaid(): boolean {
		return this.#unsaid !== null;
	}

	/** What they have said and has not left yet; `null` if all has. */
	takeUnsaid(): Unsaid | null {
		const unsaid = this.#unsaid;
		this.#unsaid = null;
		return unsaid;
	}

	/** Has a slice of what was said leave. */
	say(unsaid: Unsaid): void {
		const until = this.saidBytes + SLICE;
		while (this.saidBytes < until) {
			const said = unsaid.take();
			if (said === undefined) return;
			this.#deliver(said.attempt, said.isolate, said.message);
		}
	}

	/** What a message asks of the sandbox itself is done here; the rest goes to the edge. */
	#deliver(attempt: RunningAttempt, isolate: FunctionIsolate, message: IsolateMessage): void {
		if (message.attempt === 0) {
			if (message.kind === Kind.log) this.#send(isolate.version, message);
			return;
		}
		// An isolate speaks for the attempts that it runs, and for no other, whatever its code has done to the prelude.
		const speaker = message.attempt === attempt.id ? this.#alive(attempt) : this.#attempts[message.attempt];
		if (speaker === undefined || speaker.isolate !== isolate) return;
		if (isTooLarge(message)) {
			this.#tooLarge(speaker, isolate, message);
			return;
		}
		switch (message.kind) {
			case Kind.setTimer:
				speaker.setTimer(message.op, Number(message.data) || 0, () => {
					if (this.has(speaker))
						this.#later({ kind: Kind.timer, attempt: speaker, op: message.op, text: "", data: undefined });
				});
				break;
			case Kind.clearTimer:
				speaker.clearTimer(message.op);
				break;
			case Kind.done:
				this.done(speaker);
				break;
			default:
				if (!speaker.windows.admits(message)) {
					this.#forged(speaker, isolate);
					return;
				}
				if (isEffect(message)) speaker.commit();
				this.#send(isolate.version, message);
		}
	}

	#alive(attempt: RunningAttempt): RunningAttempt | undefined {
		return this.has(attempt) ? attempt : undefined;
	}

	/** A head that no server would take. The edge would have to end the whole sandbox for it. */
	#tooLarge(attempt: RunningAttempt, isolate: FunctionIsolate, { kind }: IsolateMessage): void {
		const what = kind === Kind.response ? "response's head" : "message";
		const text = encodeException({
			code: "invalid_response",
			message: `the function's ${what} is too large`,
			stack: "",
		});
		const message = { kind: Kind.exception, op: 0, text, data: undefined };
		this.#events.message(isolate.version, attempt.id, message);
	}

	#send(version: VersionNumber, message: IsolateMessage): void {
		if (typeof message.data === "string") message.data = Buffer.from(message.data);
		const bytes = heldBytes(message);
		this.saidBytes += bytes;
		this.usedUs += bytes / SENT_BYTES_PER_US;
		this.#events.message(version, message.attempt, message as Outgoing);
	}

	/** All that an attempt had to do is done. */
	done(attempt: RunningAttempt): void {
		attempt.finished = true;
		if (attempt.operations > 0) return;
		if (attempt.isolate !== null) this.#warm.used(attempt.isolate);
		this.#end(attempt);
		this.#events.done(attempt.version, attempt.id, attempt.report());
	}

	fail(attempt: RunningAttempt, failure: AttemptFailure): void {
		this.#end(attempt);
		this.#events.failed(attempt.version, attempt.id, failure, attempt.report());
	}

	#end(attempt: RunningAttempt): void {
		const { isolate } = attempt;
		this.#attempts[attempt.id] = undefined;
		attempt.end();
		if (isolate === null) return;
		this.offerHeld(isolate);
		this.#warm.disposeIfIdle(isolate);
	}

	/** An isolate is gone with all that it held: it has outgrown its memory, unless something else is said. */
	#lose(isolate: FunctionIsolate, why?: AttemptFailure): void {
		const message = `the function needs more than its ${isolate.memoryMb} MB`;
		const failure = why ?? { code: "memory_limit_exceeded", message, stack: "" };
		this.#warm.retire(isolate);
		for (const id of [...isolate.attempts]) {
			const attempt = this.#attempts[id];
			if (attempt !== undefined) this.fail(attempt, failure);
		}
		this.#warm.dispose(isolate);
	}

	/** Attempts that still run are dropped without a word. */
	close(): void {
		for (const attempt of this.#attempts.splice(0)) attempt?.end();
	}
}
