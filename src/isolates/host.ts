import { Kind } from "../prelude/messages.ts";
import { Attempt } from "./attempt.ts";
import { CacheStore } from "./cache-store.ts";
import { cleanStack, FunctionIsolate, type IsolateOwner, type Outgoing, StartError } from "./isolate.ts";
import type { Answer } from "./keys.ts";
import { Parking } from "./parking.ts";
import {
	type AttemptFailure,
	type AttemptId,
	type Image,
	type Microseconds,
	type Milliseconds,
	NORMAL_TURN_MS,
	type SandboxCommands,
	type SandboxEvents,
	type SandboxSettings,
	type SandboxStats,
	type Stock,
	type VersionNumber,
} from "./protocol.ts";
import { Schedule } from "./schedule.ts";
import { runClocks } from "./services.ts";
import { WarmIsolates } from "./warm.ts";

/** One turn that waits to be run. */
interface Task {
	/** `held`: answers to what the top level has begun, which the attempt pays for. */
	kind: Kind | "held";
	attempt: AttemptId;
	op: number;
	text: string;
	data: Uint8Array | number | undefined;
}

type Turn = Task & { kind: Kind };

interface Version {
	image: Image | null;
	/** Its next isolate, whose top level has not come to its end yet. */
	starting: FunctionIsolate | null;
	/** Turns to run; those of one version run in a row, because what an isolate touches is then still in the cache. */
	queue: Task[];
	wanted: boolean;
}

/** How many turns of one function run in a row before others have theirs. */
const QUANTUM = 16;
/** How long turns run before the link is looked at again. */
const SLICE_MS = 1;

/** Runs functions' turns: in a sandbox process behind the link, or inline. All of it happens on one thread. */
export class IsolateHost implements SandboxCommands, IsolateOwner {
	readonly #events: SandboxEvents;
	readonly #note: (attempt: AttemptId, starting: boolean) => void;
	readonly #parking: Parking;
	readonly #caches = new CacheStore();
	readonly #warm: WarmIsolates;
	readonly #versions = new Map<VersionNumber, Version>();
	/** At the place of their number; not a Map, for the reason that `sandbox/sandbox.ts` gives. */
	readonly #attempts: (Attempt | undefined)[] = [];
	readonly #schedule = new Schedule(
		(number) => this.#versions.get(number)?.image?.owner ?? 0,
		(number) => this.#needsStart(number),
	);
	/** CPU time of the turns that `#drain` has run for the function that it is at. */
	#usedUs: Microseconds = 0;
	#scheduled: NodeJS.Immediate | null = null;
	#closed = false;

	/** `note` is told whose turn, or whose isolate's start, is about to run, and 0 when none is any more. */
	constructor(
		settings: SandboxSettings,
		events: SandboxEvents,
		note: (attempt: AttemptId, starting: boolean) => void = () => undefined,
	) {
		this.#events = events;
		this.#note = note;
		if (!settings.frozenClocks) runClocks();
		this.#parking = new Parking(settings.snapshot, settings.parked, settings.memoryMb);
		this.#warm = new WarmIsolates(settings, (number) => {
			const version = this.#versions.get(number);
			if (version !== undefined) this.#forget(number, version);
		});
	}

	expect(number: VersionNumber): void {
		const version = this.#version(number);
		if (version.image === null) version.wanted = true;
	}

	load(number: VersionNumber, image: Image): void {
		const version = this.#version(number);
		version.image = image;
		version.wanted = false;
		if (version.queue.length > 0) this.#wake(number);
	}

	unload(number: VersionNumber): void {
		this.#caches.drop(number);
		const version = this.#versions.get(number);
		if (version === undefined) return;
		this.#warm.remove(number);
		if (version.starting !== null && version.queue.length === 0) this.#abandon(version);
		this.#forget(number, version);
	}

	#abandon(version: Version): void {
		version.starting?.dispose();
		version.starting = null;
	}

	stock(wanted: Stock): void {
		this.#parking.stock(wanted);
	}

	request(
		id: AttemptId,
		number: VersionNumber,
		cpuMs: Milliseconds,
		light: boolean,
		head: string,
		body: Uint8Array | undefined,
	): void {
		this.#attempts[id] = new Attempt(id, number, cpuMs, light);
		this.#enqueue(number, { kind: Kind.request, attempt: id, op: 0, text: head, data: body });
	}

	message(kind: Kind, id: AttemptId, op: number, text: string, data: Uint8Array | number | undefined): void {
		const attempt = this.#attempts[id];
		if (attempt !== undefined) this.#enqueue(attempt.version, { kind, attempt: id, op, text, data });
	}

	#version(number: VersionNumber): Version {
		let version = this.#versions.get(number);
		if (version === undefined) {
			version = { image: null, starting: null, queue: [], wanted: false };
			this.#versions.set(number, version);
		}
		return version;
	}

	#enqueue(number: VersionNumber, task: Task): void {
		const version = this.#version(number);
		version.queue.push(task);
		this.#wake(number);
	}

	#wake(number: VersionNumber): void {
		this.#schedule.add(number);
		if (this.#scheduled === null && !this.#closed) this.#scheduled = setImmediate(() => this.run());
	}

	/**
	 * Runs turns that wait, a few of each function in turn, so that one with a thousand requests does not keep another with
	 * one waiting; and for a slice of time, so that what has arrived meanwhile is seen. Whoever has handed in the last message
	 * of a batch calls this; else the event loop does.
	 */
	run(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		const until = performance.now() + SLICE_MS;
		while (performance.now() < until) {
			const number = this.#schedule.next();
			if (number === undefined) break;
			const version = this.#versions.get(number);
			if (version !== undefined) this.#drain(number, version);
		}
		this.#note(0, false);
		if (this.#warm.changed) this.#events.stats(this.#warm.stats());
		this.#events.flush();
		if (!this.#schedule.empty && !this.#closed) this.#scheduled = setImmediate(() => this.run());
	}

	/** Whether a function has a request waiting, and no isolate. */
	#needsStart(number: VersionNumber): boolean {
		if (this.#warm.has(number)) return false;
		return this.#versions.get(number)?.queue.some((task) => task.kind === Kind.request) ?? false;
	}

	stats(): SandboxStats {
		return this.#warm.stats();
	}

	#drain(number: VersionNumber, version: Version): void {
		const { queue } = version;
		const most = queue.length <= QUANTUM ? queue.length : QUANTUM;
		this.#usedUs = 0;
		/** The next request can have no isolate yet. */
		let waits = false;
		let i = 0;
		while (i < most && !this.#schedule.isSpent(this.#usedUs)) {
			const task = queue[i++];
			const attempt = this.#attempts[task.attempt];
			if (attempt === undefined) continue;
			if (task.kind === Kind.drop && attempt.isolate === null) {
				this.#end(attempt);
				this.#events.done(attempt.id, attempt.report());
				continue;
			}
			if (task.kind === Kind.request) {
				let isolate = this.#warm.get(number);
				if (isolate !== undefined) this.#warm.hit();
				else if (version.image === null) {
					if (!version.wanted) this.#events.want(number);
					version.wanted = true;
					waits = true;
					break;
				} else {
					this.#note(attempt.id, true);
					isolate = version.starting ?? this.#start(number, version, version.image, attempt);
					if (isolate === undefined) continue;
					if (isolate.starting) {
						waits = true;
						break;
					}
				}
				attempt.isolate = isolate;
				isolate.attempts.add(attempt.id);
			}
			const { isolate } = attempt;
			if (isolate === null) continue;
			this.#note(attempt.id, false);
			if (task.kind === Kind.request || task.kind === "held") this.#tellHeld(attempt, isolate);
			if (task.kind === "held" || this.#attempts[attempt.id] === undefined) continue;
			if (task.kind === Kind.socket) attempt.renew();
			this.#turn(attempt, isolate, { ...task, kind: task.kind });
		}
		this.#schedule.charge(number, this.#usedUs);
		version.queue = queue.slice(waits ? i - 1 : i);
		if (waits) return;
		if (version.queue.length > 0) this.#schedule.add(number);
		else this.#forget(number, version);
	}

	/** Drops what is kept of a version that has no isolate and nothing waiting. */
	#forget(number: VersionNumber, version: Version): void {
		if (this.#warm.has(number) || version.queue.length > 0 || version.wanted || version.starting !== null) return;
		this.#versions.delete(number);
	}

	#start(number: VersionNumber, version: Version, image: Image, attempt: Attempt): FunctionIsolate | undefined {
		try {
			const isolate = new FunctionIsolate(this.#parking.take(image.memoryMb), number, image, this.#caches, this);
			this.#usedUs += isolate.startUs;
			attempt.cold = true;
			attempt.startUs = isolate.startUs;
			if (isolate.starting) version.starting = isolate;
			else this.#warm.add(isolate);
			for (const message of isolate.takeOutbox()) this.#send(number, message);
			return isolate;
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			this.#fail(attempt, error.failure);
			return undefined;
		}
	}

	/** How much CPU time an attempt may still use; 0 if it is over. */
	budget(id: AttemptId): Microseconds {
		return this.#attempts[id]?.leftUs ?? 0;
	}

	onOperation(isolate: FunctionIsolate, id: AttemptId): void {
		const attempt = this.#attempts[id];
		if (attempt?.isolate === isolate) attempt.operations++;
	}

	onAnswer(isolate: FunctionIsolate, answer: Answer): void {
		if (answer.attempt !== 0) this.#answer(isolate, answer);
		else if (isolate.starting) this.#resume(isolate, answer);
		else if (this.#warm.alive(isolate)) {
			isolate.held.push(answer);
			this.#offerHeld(isolate);
		}
	}

	#answer(isolate: FunctionIsolate, { attempt: id, op, text, data, us }: Answer): void {
		const attempt = this.#attempts[id];
		if (attempt?.isolate !== isolate) return;
		attempt.account(us);
		attempt.operations--;
		if (!attempt.finished) this.message(Kind.answer, id, op, text, data);
		else if (attempt.operations === 0) this.#done(attempt, isolate);
	}

	/** The top level goes on, on the account of the request that has waited for it longest. */
	#resume(isolate: FunctionIsolate, answer: Answer): void {
		const version = this.#versions.get(isolate.version);
		if (version?.starting !== isolate) return;
		const waiting = version.queue
			.filter(({ kind }) => kind === Kind.request)
			.map(({ attempt }) => this.#attempts[attempt])
			.filter((attempt) => attempt !== undefined);
		this.#note(waiting[0]?.id ?? 0, true);
		const before = isolate.startUs;
		try {
			isolate.resume(answer);
			this.#schedule.charge(isolate.version, isolate.startUs - before);
			for (const attempt of waiting.slice(0, 1)) attempt.startUs = isolate.startUs;
			if (!isolate.starting) {
				version.starting = null;
				this.#warm.add(isolate);
			}
			for (const message of isolate.takeOutbox()) this.#send(isolate.version, message);
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			version.starting = null;
			for (const attempt of waiting) this.#fail(attempt, error.failure);
		}
		this.#note(0, false);
		this.#wake(isolate.version);
	}

	/** An attempt that runs gets a turn for what the top level's operations have come to; without one they wait. */
	#offerHeld(isolate: FunctionIsolate): void {
		if (isolate.held.length === 0) return;
		const [id] = isolate.attempts;
		if (id === undefined) return;
		this.#enqueue(isolate.version, { kind: "held", attempt: id, op: 0, text: "", data: undefined });
	}

	#tellHeld(attempt: Attempt, isolate: FunctionIsolate): void {
		while (this.#attempts[attempt.id] !== undefined) {
			const answer = isolate.held.shift();
			if (answer === undefined) return;
			const { op, text, data } = answer;
			this.#turn(attempt, isolate, { kind: Kind.answer, attempt: 0, op, text, data });
		}
	}

	#turn(attempt: Attempt, isolate: FunctionIsolate, task: Turn): void {
		const { ms, early } = attempt.allowance();
		if (ms === 0) {
			this.#exceeded(attempt, isolate);
			return;
		}
		const before = isolate.cpuUs;
		const began = performance.now();
		const end = isolate.turn(task.kind, task.attempt, task.op, task.text, task.data, ms);
		if (end === "disposed") {
			attempt.account((performance.now() - began) * 1000);
			this.#lose(isolate);
			return;
		}
		if (end === "overdue") {
			attempt.account(ms * 1000);
			this.#overdue(attempt, isolate, early);
			return;
		}
		const us = isolate.cpuUs - before;
		attempt.account(us);
		this.#usedUs += us;
		if (end === "cut") {
			if (early) this.#tooHeavy(attempt, isolate);
			else this.#exceeded(attempt, isolate);
			return;
		}
		const outbox = isolate.takeOutbox();
		// Before the request's end is delivered, if that was in the same turn: what is to be told belongs to it.
		if (end !== "completed" && task.kind !== Kind.rejection) this.#uncaught(attempt, isolate, end.rejected);
		for (const message of outbox) this.#deliver(attempt, isolate, message);
		if (task.kind === Kind.drop && this.#attempts[attempt.id] !== undefined) this.#done(attempt, isolate);
	}

	/** A promise was rejected in the turn, and nobody had handled it when it ended: the function's own listeners hear of it. */
	#uncaught(attempt: Attempt, isolate: FunctionIsolate, reason: unknown): void {
		const description =
			reason instanceof Error
				? { name: String(reason.name), message: String(reason.message), stack: cleanStack(reason) }
				: { value: typeof reason === "bigint" || typeof reason === "symbol" ? String(reason) : reason };
		const task: Turn = {
			kind: Kind.rejection,
			attempt: attempt.id,
			op: 0,
			text: JSON.stringify(description),
			data: undefined,
		};
		this.#turn(attempt, isolate, task);
	}

	/** The turn's time was over in one of the sandbox's functions, which took the isolate, and the other requests that it held. */
	#overdue(attempt: Attempt, isolate: FunctionIsolate, early: boolean): void {
		isolate.attempts.delete(attempt.id);
		if (early) this.#tooHeavy(attempt, isolate);
		else this.#exceeded(attempt, isolate);
		this.#lose(isolate, { code: "isolate_lost", message: "another request cost the isolate", stack: "" });
	}

	#tooHeavy(attempt: Attempt, isolate: FunctionIsolate): void {
		this.#warm.retire(isolate);
		this.#fail(attempt, { code: "too_heavy", message: `a turn ran for more than ${NORMAL_TURN_MS} ms`, stack: "" });
	}

	#exceeded(attempt: Attempt, isolate: FunctionIsolate): void {
		this.#warm.retire(isolate);
		this.#fail(attempt, { code: "cpu_limit_exceeded", message: attempt.excess, stack: "" });
	}

	/** What a message asks of the sandbox itself is done here; the rest goes to the edge. */
	#deliver(attempt: Attempt, isolate: FunctionIsolate, message: Outgoing): void {
		if (message.attempt === 0) {
			if (message.kind === Kind.log) this.#send(isolate.version, message);
			return;
		}
		// An isolate speaks for the attempts that it runs, and for no other, whatever its code has done to the prelude.
		const owner = message.attempt === attempt.id ? attempt : this.#attempts[message.attempt];
		if (owner === undefined || owner.isolate !== isolate) return;
		if (sizeOf(message) > MAX_MESSAGE) {
			this.#tooLarge(owner, isolate, message);
			return;
		}
		switch (message.kind) {
			case Kind.setTimer:
				owner.setTimer(message.op, Number(message.data) || 0, () => {
					this.message(Kind.timer, owner.id, message.op, "", undefined);
					this.run();
				});
				break;
			case Kind.clearTimer:
				owner.clearTimer(message.op);
				break;
			case Kind.done:
				this.#done(owner, isolate);
				break;
			default:
				if (message.kind !== Kind.log && message.kind !== Kind.exceeded) owner.commit();
				this.#send(isolate.version, message);
		}
	}

	/** A head that no server would take. The edge would have to end the whole sandbox for it. */
	#tooLarge(attempt: Attempt, isolate: FunctionIsolate, { kind }: Outgoing): void {
		const what = kind === Kind.response ? "response's head" : "message";
		const text = JSON.stringify({
			code: "invalid_response",
			message: `the function's ${what} is too large`,
			stack: "",
		});
		this.#events.message(Kind.exception, isolate.version, attempt.id, 0, text, undefined);
	}

	#send(version: VersionNumber, { kind, attempt, op, text, data }: Outgoing): void {
		this.#events.message(kind, version, attempt, op, text, typeof data === "string" ? Buffer.from(data) : data);
	}

	#done(attempt: Attempt, isolate: FunctionIsolate): void {
		attempt.finished = true;
		if (attempt.operations > 0) return;
		this.#warm.used(isolate);
		this.#end(attempt);
		this.#events.done(attempt.id, attempt.report());
	}

	#fail(attempt: Attempt, failure: AttemptFailure): void {
		this.#end(attempt);
		this.#events.failed(attempt.id, failure, attempt.report());
	}

	#end(attempt: Attempt): void {
		const { isolate } = attempt;
		this.#attempts[attempt.id] = undefined;
		attempt.end();
		if (isolate === null) return;
		this.#offerHeld(isolate);
		this.#warm.disposeIfIdle(isolate);
	}

	/** An isolate is gone with all that it held: it has outgrown its memory, unless something else is said. */
	#lose(isolate: FunctionIsolate, why?: AttemptFailure): void {
		const limit = this.#versions.get(isolate.version)?.image?.memoryMb;
		const message = `the function needs more than its ${limit ?? ""} MB`;
		const failure = why ?? { code: "memory_limit_exceeded", message, stack: "" };
		this.#warm.retire(isolate);
		for (const id of [...isolate.attempts]) {
			const attempt = this.#attempts[id];
			if (attempt !== undefined) this.#fail(attempt, failure);
		}
		this.#warm.dispose(isolate);
	}

	/** Disposes every isolate. Attempts that still run are dropped without a word. */
	close(): void {
		this.#closed = true;
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		for (const attempt of this.#attempts.splice(0)) attempt?.end();
		for (const version of this.#versions.values()) this.#abandon(version);
		this.#warm.close();
		this.#parking.close();
	}
}

/** The largest message an isolate may send: a body's window in UTF-8, and a generous head. */
const MAX_MESSAGE = 2 * 1024 * 1024;

/** How much a message may come to on the link; strings in UTF-8 at their worst. */
function sizeOf({ text, data }: Outgoing): number {
	const size =
		typeof data === "string" ? data.length * 3 : typeof data === "number" || data === undefined ? 8 : data.byteLength;
	return text.length * 3 + size;
}
