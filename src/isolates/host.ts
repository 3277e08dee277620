import { LRUCache } from "lru-cache";
import { Kind } from "../prelude/messages.ts";
import { cleanStack, FunctionIsolate, type Outgoing, StartError, type TurnEnd } from "./isolate.ts";
import { Parking } from "./parked.ts";
import {
	type AttemptFailure,
	type AttemptId,
	type Image,
	LIGHT_TURN_US,
	type Microseconds,
	type Milliseconds,
	NORMAL_TURN_MS,
	type SandboxCommands,
	type SandboxEvents,
	type SandboxSettings,
	type SandboxStats,
	type VersionNumber,
} from "./protocol.ts";

/** One turn that waits to be run. */
interface Task {
	kind: Kind;
	attempt: AttemptId;
	op: number;
	text: string;
	data: Uint8Array | number | undefined;
}

interface Attempt {
	id: AttemptId;
	version: VersionNumber;
	isolate: FunctionIsolate | null;
	budgetUs: Microseconds;
	/** Its turns are cut early as long as nothing of it has been seen outside. */
	light: boolean;
	cpuUs: Microseconds;
	longestTurnUs: Microseconds;
	cold: boolean;
	startUs: Microseconds;
	timers: Map<number, NodeJS.Timeout>;
}

interface Version {
	image: Image | null;
	isolate: FunctionIsolate | null;
	/** Turns to run; those of one version run in a row, because what an isolate touches is then still in the cache. */
	queue: Task[];
	wanted: boolean;
}

/** A new measurement of an isolate's memory every so many requests: it costs 1.7 µs. */
const MEASURE_EVERY = 16;
/** How many turns of one function run in a row before others have theirs. */
const QUANTUM = 16;
/** How long turns run before the link is looked at again. */
const SLICE_MS = 3;
const MAX_TIMERS = 10_000;

/** Runs functions' turns: in a sandbox process behind the link, or inline. All of it happens on one thread. */
export class IsolateHost implements SandboxCommands {
	readonly #events: SandboxEvents;
	readonly #note: (attempt: AttemptId, starting: boolean) => void;
	readonly #parking: Parking;
	readonly #warm: LRUCache<VersionNumber, FunctionIsolate>;
	readonly #versions = new Map<VersionNumber, Version>();
	/** At the place of their number; not a Map, for the reason that `sandbox/sandbox.ts` gives. */
	readonly #attempts: (Attempt | undefined)[] = [];
	readonly #ready = new Set<VersionNumber>();
	readonly #all = new Set<FunctionIsolate>();
	#stats: SandboxStats = { isolates: 0, bytes: 0, hits: 0, coldStarts: 0, evictions: 0 };
	#statsChanged = false;
	#requests = 0;
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
		this.#parking = new Parking(settings.snapshot, settings.parked);
		this.#parking.fill();
		this.#warm = new LRUCache({
			max: settings.maxIsolates,
			maxSize: settings.maxBytes,
			dispose: (isolate, _version, reason) => {
				if (reason === "evict") this.#stats.evictions++;
				this.#retire(isolate);
			},
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
		if (version.queue.length > 0) this.#schedule(number);
	}

	unload(number: VersionNumber): void {
		const version = this.#versions.get(number);
		if (version === undefined) return;
		this.#warm.delete(number);
		this.#forget(number, version);
	}

	request(
		id: AttemptId,
		number: VersionNumber,
		cpuMs: Milliseconds,
		light: boolean,
		head: string,
		body: Uint8Array | undefined,
	): void {
		this.#attempts[id] = {
			id,
			version: number,
			isolate: null,
			budgetUs: cpuMs * 1000,
			light,
			cpuUs: 0,
			longestTurnUs: 0,
			cold: false,
			startUs: 0,
			timers: NO_TIMERS,
		};
		this.#enqueue(number, { kind: Kind.request, attempt: id, op: 0, text: head, data: body });
	}

	message(kind: Kind, id: AttemptId, op: number, text: string, data: Uint8Array | number | undefined): void {
		const attempt = this.#attempts[id];
		if (attempt !== undefined) this.#enqueue(attempt.version, { kind, attempt: id, op, text, data });
	}

	#version(number: VersionNumber): Version {
		let version = this.#versions.get(number);
		if (version === undefined) {
			version = { image: null, isolate: null, queue: [], wanted: false };
			this.#versions.set(number, version);
		}
		return version;
	}

	#enqueue(number: VersionNumber, task: Task): void {
		const version = this.#version(number);
		version.queue.push(task);
		this.#schedule(number);
	}

	#schedule(number: VersionNumber): void {
		this.#ready.add(number);
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
		while (this.#ready.size > 0 && performance.now() < until) this.#round();
		this.#note(0, false);
		if (this.#statsChanged) {
			this.#statsChanged = false;
			this.#events.stats(this.stats());
		}
		this.#events.flush();
		if (this.#ready.size > 0 && !this.#closed) this.#scheduled = setImmediate(() => this.run());
	}

	/** One round over the functions that have turns to run. Cold starts last: they take a hundred times a turn. */
	#round(): void {
		const cold: VersionNumber[] = [];
		for (const number of [...this.#ready]) {
			this.#ready.delete(number);
			const version = this.#versions.get(number);
			if (version === undefined) continue;
			if (version.isolate === null && version.queue.some((task) => task.kind === Kind.request)) cold.push(number);
			else this.#drain(number, version);
		}
		for (const number of cold) {
			const version = this.#versions.get(number);
			if (version !== undefined) this.#drain(number, version);
		}
	}

	stats(): SandboxStats {
		return { ...this.#stats, isolates: this.#all.size, bytes: this.#warm.calculatedSize };
	}

	#drain(number: VersionNumber, version: Version): void {
		const { queue } = version;
		const most = queue.length <= QUANTUM ? queue.length : QUANTUM;
		for (let i = 0; i < most; i++) {
			const task = queue[i];
			const attempt = this.#attempts[task.attempt];
			if (attempt === undefined) continue;
			if (task.kind === Kind.drop && attempt.isolate === null) {
				this.#end(attempt);
				this.#events.done(attempt.id, this.#report(attempt, null));
				continue;
			}
			if (task.kind === Kind.request) {
				if (version.isolate === null) {
					if (version.image === null) {
						version.queue = queue.slice(i);
						if (!version.wanted) this.#events.want(number);
						version.wanted = true;
						return;
					}
					this.#note(attempt.id, true);
					if (!this.#start(number, version, version.image, attempt)) continue;
				} else this.#stats.hits++;
				const isolate = version.isolate as FunctionIsolate;
				attempt.isolate = isolate;
				isolate.attempts.add(attempt.id);
				this.#warm.get(number);
			}
			if (attempt.isolate !== null) {
				this.#note(attempt.id, false);
				this.#turn(attempt, attempt.isolate, task);
			}
		}
		version.queue = queue.slice(most);
		if (version.queue.length > 0) this.#ready.add(number);
		else this.#forget(number, version);
	}

	/** Drops what is kept of a version that has no isolate and nothing waiting. Its image goes with its last isolate. */
	#forget(number: VersionNumber, version: Version): void {
		if (version.isolate === null && version.queue.length === 0 && !version.wanted) this.#versions.delete(number);
	}

	#start(number: VersionNumber, version: Version, image: Image, attempt: Attempt): boolean {
		try {
			const isolate = new FunctionIsolate(this.#parking.take(image.memoryMb), number, image);
			isolate.onCrypto = (id, op, text, data) => {
				if (id !== 0) this.message(Kind.answer, id, op, text, data);
				else this.#globalAnswer(isolate, op, text, data);
			};
			version.isolate = isolate;
			attempt.cold = true;
			attempt.startUs = isolate.startUs;
			this.#all.add(isolate);
			this.#stats.coldStarts++;
			this.#statsChanged = true;
			for (const message of isolate.takeOutbox()) this.#send(number, message);
			this.#warm.set(number, isolate, { size: Math.max(isolate.memoryBytes, 1) });
			return true;
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			this.#fail(attempt, error.failure);
			return false;
		}
	}

	/** The result of an operation that was started at a function's top level; it belongs to no request's budget. */
	#globalAnswer(isolate: FunctionIsolate, op: number, text: string, data: Uint8Array | undefined): void {
		if (!this.#all.has(isolate)) return;
		const end = isolate.turn(Kind.answer, 0, op, text, data, 10);
		if (end === "cut" || end === "disposed") this.#condemn(isolate, end);
		else for (const message of isolate.takeOutbox()) this.#send(isolate.version, message);
	}

	#turn(attempt: Attempt, isolate: FunctionIsolate, task: Task): void {
		const remaining = attempt.budgetUs - attempt.cpuUs;
		if (remaining <= 0) {
			this.#exceeded(attempt, isolate);
			return;
		}
		const before = isolate.cpuUs;
		const left = Math.ceil(remaining / 1000);
		const timeout = attempt.light && left > NORMAL_TURN_MS ? NORMAL_TURN_MS : left;
		const end = isolate.turn(task.kind, task.attempt, task.op, task.text, task.data, timeout);
		if (end === "disposed") {
			this.#condemn(isolate, end);
			return;
		}
		const used = isolate.cpuUs - before;
		attempt.cpuUs += used;
		if (used > attempt.longestTurnUs) attempt.longestTurnUs = used;
		if (end === "cut") {
			if (timeout < left) this.#tooHeavy(attempt, isolate);
			else this.#exceeded(attempt, isolate);
			return;
		}
		for (const message of isolate.takeOutbox()) this.#deliver(attempt, isolate, message);
		if (end !== "completed") this.#uncaught(attempt, isolate, end.rejected);
		if (task.kind === Kind.drop && this.#attempts[attempt.id] !== undefined) this.#done(attempt, isolate);
	}

	/** A promise that was rejected in the turn, and that nobody had handled when it ended. */
	#uncaught(attempt: Attempt, isolate: FunctionIsolate, error: Error): void {
		const text = JSON.stringify({
			level: "error",
			message: `Unhandled promise rejection: ${cleanStack(error) || error.message}`,
		});
		this.#events.message(Kind.log, isolate.version, attempt.id, 0, text, undefined);
	}

	#tooHeavy(attempt: Attempt, isolate: FunctionIsolate): void {
		this.#condemn(isolate, "cut");
		this.#fail(attempt, { code: "too_heavy", message: `a turn ran for more than ${NORMAL_TURN_MS} ms`, stack: "" });
	}

	#exceeded(attempt: Attempt, isolate: FunctionIsolate): void {
		this.#condemn(isolate, "cut");
		const used = Math.round(attempt.cpuUs / 1000);
		this.#fail(attempt, {
			code: "cpu_limit_exceeded",
			message: `the request used ${used} ms of CPU time; its limit is ${Math.round(attempt.budgetUs / 1000)} ms`,
			stack: "",
		});
	}

	/** What a message asks of the sandbox itself is done here; the rest goes to the edge. */
	#deliver(attempt: Attempt, isolate: FunctionIsolate, message: Outgoing): void {
		// An isolate speaks for the attempts that it runs, and for no other, whatever its code has done to the prelude.
		const owner = message.attempt === attempt.id ? attempt : this.#attempts[message.attempt];
		if (owner === undefined || owner.isolate !== isolate) return;
		if (sizeOf(message) > MAX_MESSAGE) {
			this.#tooLarge(owner, isolate, message);
			return;
		}
		switch (message.kind) {
			case Kind.setTimer:
				this.#setTimer(owner, message.op, Number(message.data) || 0);
				break;
			case Kind.clearTimer:
				clearTimeout(owner.timers.get(message.op));
				owner.timers.delete(message.op);
				break;
			case Kind.done:
				this.#done(owner, isolate);
				break;
			default:
				if (message.kind !== Kind.log) owner.light = false;
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
		this.#events.message(
			kind,
			version,
			attempt,
			op,
			typeof text === "string" ? text : "",
			typeof data === "string" ? Buffer.from(data) : data,
		);
	}

	#setTimer(attempt: Attempt, timer: number, delay: number): void {
		if (attempt.timers.size >= MAX_TIMERS) return;
		if (attempt.timers === NO_TIMERS) attempt.timers = new Map();
		const due = () => {
			attempt.timers.delete(timer);
			this.message(Kind.timer, attempt.id, timer, "", undefined);
			this.run();
		};
		attempt.timers.set(timer, setTimeout(due, delay));
	}

	#done(attempt: Attempt, isolate: FunctionIsolate): void {
		if (++this.#requests % MEASURE_EVERY === 0 || isolate.memoryBytes === 0) {
			isolate.measure();
			if (!isolate.retired) this.#warm.set(isolate.version, isolate, { size: Math.max(isolate.memoryBytes, 1) });
		}
		this.#end(attempt);
		this.#events.done(attempt.id, this.#report(attempt, isolate));
		if (isolate.retired && isolate.attempts.size === 0) this.#dispose(isolate);
	}

	#report(attempt: Attempt, isolate: FunctionIsolate | null) {
		return {
			cpuUs: Math.round(attempt.cpuUs),
			light: attempt.longestTurnUs <= LIGHT_TURN_US,
			memoryBytes: isolate?.memoryBytes ?? 0,
			cold: attempt.cold,
			startUs: attempt.startUs,
		};
	}

	#end(attempt: Attempt): void {
		for (const timer of attempt.timers.values()) clearTimeout(timer);
		this.#attempts[attempt.id] = undefined;
		attempt.isolate?.attempts.delete(attempt.id);
	}

	#fail(attempt: Attempt, failure: AttemptFailure): void {
		const { isolate } = attempt;
		this.#end(attempt);
		this.#events.failed(attempt.id, failure, this.#report(attempt, isolate));
		if (isolate?.retired && isolate.attempts.size === 0) this.#dispose(isolate);
	}

	/** An isolate whose turn did not complete takes nothing new; if it is gone, so are the requests that it held. */
	#condemn(isolate: FunctionIsolate, end: TurnEnd): void {
		const version = this.#versions.get(isolate.version);
		if (version?.isolate === isolate) {
			version.isolate = null;
			this.#warm.delete(isolate.version);
		}
		isolate.retired = true;
		if (end !== "disposed") return;
		const image = version?.image;
		for (const id of [...isolate.attempts]) {
			const attempt = this.#attempts[id];
			if (attempt === undefined) continue;
			this.#fail(attempt, {
				code: "memory_limit_exceeded",
				message: `the function needs more than its ${image?.memoryMb ?? ""} MB`,
				stack: "",
			});
		}
		this.#dispose(isolate);
	}

	#retire(isolate: FunctionIsolate): void {
		isolate.retired = true;
		this.#statsChanged = true;
		const version = this.#versions.get(isolate.version);
		if (version?.isolate === isolate) version.isolate = null;
		if (isolate.attempts.size === 0) this.#dispose(isolate);
	}

	#dispose(isolate: FunctionIsolate): void {
		this.#all.delete(isolate);
		isolate.dispose();
		this.#statsChanged = true;
		const version = this.#versions.get(isolate.version);
		if (version !== undefined) this.#forget(isolate.version, version);
	}

	/** Disposes every isolate. Attempts that still run are dropped without a word. */
	close(): void {
		this.#closed = true;
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		for (const attempt of this.#attempts.splice(0))
			for (const timer of attempt?.timers.values() ?? []) clearTimeout(timer);
		for (const isolate of this.#all) isolate.dispose();
		this.#all.clear();
		this.#warm.clear();
		this.#parking.close();
	}
}

/** The largest message an isolate may send: a body's window in UTF-8, and a generous head. */
const MAX_MESSAGE = 2 * 1024 * 1024;

/** How much a message may come to on the link; strings in UTF-8 at their worst. */
function sizeOf({ text, data }: Outgoing): number {
	const size =
		typeof data === "string" ? data.length * 3 : typeof data === "number" || data === undefined ? 8 : data.byteLength;
	return (typeof text === "string" ? text.length * 3 : 0) + size;
}

/** Shared by the attempts that never start a timer, which are most. */
const NO_TIMERS: Map<number, NodeJS.Timeout> = new Map();
