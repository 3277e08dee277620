import { setFlagsFromString } from "node:v8";
import type ivm from "isolated-vm";
import { handlersAmong } from "../link/handlers.ts";
import { Kind } from "../link/messages.ts";
import type { AttemptId, Image, VersionNumber } from "../link/protocol.ts";
import type { Bytes, Megabytes, Microseconds, Milliseconds } from "../units.ts";
import { Collections } from "./collections.ts";
import { externalCopy } from "./external-copy.ts";
import type { IsolateProfiler } from "./isolate-profiler.ts";
import { type Answer, KeyStore } from "./keys.ts";
import { Entry, setEntry } from "./lent.ts";
import { forgery, type IsolateMessage, isNumber, Outbox } from "./outbox.ts";
import type { ParkedIsolate } from "./parked.ts";
import { advanceClock } from "./services.ts";
import { StartError, thrownAtStart, tooMuchMemory, tooMuchTime } from "./start-error.ts";
import { readThreadClock, usedUs } from "./thread-clock.ts";

/**
 * How a turn ended: by itself, cut off at its limit, or with the isolate gone: at the same limit, but in one of the
 * sandbox's own functions (`overdue`), or for its memory; or with a message that the prelude never sends. One that
 * ended by itself may have left a promise rejected and unhandled, of which isolated-vm tells by throwing its reason
 * once the turn is over.
 */
export type TurnEnd = "completed" | "cut" | "overdue" | "disposed" | "forged" | { rejected: unknown };

/**
 * Whether an error says what isolated-vm's does for a turn that was cut off; a function can throw one that reads the
 * same.
 */
function isTimeout(error: unknown): boolean {
	return error instanceof Error && error.message === "Script execution timed out.";
}

/** What an isolate asks and tells whoever runs it. */
export interface IsolateListener {
	/** How much CPU time an attempt may still use; 0 if it is over. */
	budget(attempt: AttemptId): Microseconds;
	/** An operation of WebCrypto has begun, of an attempt, or of the top level if that is 0. Each has an answer. */
	onOperation(isolate: FunctionIsolate, attempt: AttemptId): void;
	/** The answer to a call that may be given again; `undefined` where there is none. */
	reusable(version: VersionNumber, call: string): string | undefined;
	/** An operation of WebCrypto has ended; one of the top level's while the isolate starts goes to `resume`. */
	onAnswer(isolate: FunctionIsolate, answer: Answer): void;
}

/** So many calls of an attempt may find their answers here: all of what they say leaves when the turn ends. */
const MOST_REUSED = 1000;

/** What an isolate is made of. */
export interface FunctionIsolateSettings {
	parked: ParkedIsolate;
	version: VersionNumber;
	image: Image;
	listener: IsolateListener;
	/** Takes its profile, where it is to have one. */
	profiler?: IsolateProfiler | undefined;
	/** How long its script may run before it awaits anything. Default: the function's own limit for its start. */
	startMs?: Milliseconds;
}

/** One V8 isolate running one version. It runs one turn at a time, synchronously. */
export class FunctionIsolate {
	readonly version: VersionNumber;
	readonly #parked: ParkedIsolate;
	readonly #image: Image;
	readonly #keys: KeyStore;
	/** How many timers one attempt may have pending. */
	readonly maxTimers: number;
	readonly memoryMb: Megabytes;
	/** The attempts that it still works on. */
	readonly attempts = new Set<AttemptId>();
	/** It takes no new requests and goes when its last attempt is done. */
	retired = false;
	/** The top level awaits an operation that it has begun: there is no handler yet. */
	starting = false;
	/** The names of the handlers that its function has, once it has started. */
	handlers: string[] = [];
	/** CPU time that its start has taken. */
	startUs: Microseconds = 0;
	/** What operations of the top level have taken on other threads. */
	#operationsUs: Microseconds = 0;
	/** Answers to the top level's operations that came after it had ended: they wait for a request's turn. */
	readonly held: Answer[] = [];
	#lentUs: Microseconds = 0;
	memoryBytes: Bytes = 0;
	readonly #collections = new Collections();
	readonly #outbox: Outbox;
	readonly #profiler: IsolateProfiler | undefined;

	/** Compiles and runs the script. Throws StartError where that fails; the isolate is gone then. */
	constructor({ parked, version, image, listener, profiler, startMs = image.startupCpuMs }: FunctionIsolateSettings) {
		readThreadClock();
		const started = performance.now();
		this.version = version;
		this.#profiler = profiler;
		this.#image = image;
		this.maxTimers = image.timers;
		this.memoryMb = image.memoryMb;
		this.#outbox = new Outbox(image.memoryMb * 2 ** 20, image.logBytes, this.attempts);
		this.#parked = parked;
		this.#keys = new KeyStore({
			tenant: image.tenant,
			maxBytes: image.memoryMb * 2 ** 20,
			budget: (attempt) => (attempt === 0 ? this.#startupUs : listener.budget(attempt)),
			onAnswer: (answer) => listener.onAnswer(this, answer),
		});
		parked.outlet.emit = (kind, attempt, op, text, data, last) => this.#outbox.put(kind, attempt, op, text, data, last);
		parked.outlet.crypto = (attempt, op, method, args) => {
			const id = Number(attempt) >>> 0;
			listener.onOperation(this, id);
			this.#keys.start(id, Number(op) >>> 0, String(method), args);
		};
		const mostReused = Math.min(image.subrequests, MOST_REUSED);
		parked.outlet.reuse = (attempt, op, call) => {
			if (!isNumber(attempt) || !isNumber(op) || typeof call !== "string") return null;
			// Operations are counted from 1: up to there a request has made no more calls than it may.
			if (!this.attempts.has(attempt) || op === 0 || op > mostReused) return null;
			const answer = listener.reusable(version, call);
			if (answer === undefined) return null;
			this.#outbox.addReused(attempt, op, call);
			return answer;
		};
		try {
			this.#start(image, startMs);
			this.#finish();
		} catch (error) {
			this.dispose();
			throw error;
		}
		this.#account(started);
	}

	/**
	 * Hands in the answer to an operation that the top level awaits, after which it may have come to its end, or
	 * await the next. Throws StartError where it fails; the isolate is gone then.
	 */
	resume({ op, text, data, us }: Answer): void {
		readThreadClock();
		const started = performance.now();
		this.#operationsUs += us;
		const ms = Math.ceil(this.#startupUs / 1000);
		const end = ms > 0 ? this.turn(Kind.answer, 0, op, text, data, ms) : "cut";
		try {
			if (end === "disposed") throw tooMuchMemory(this.memoryMb);
			if (end === "cut" || end === "overdue") throw tooMuchTime(this.#image.startupCpuMs);
			this.#finish();
		} catch (error) {
			this.dispose();
			throw error;
		}
		this.#account(started);
	}

	#account(started: Milliseconds): void {
		this.startUs += Math.round(usedUs((performance.now() - started) * 1000));
		if (!this.starting) this.measure();
	}

	/** What is left of the time for its start. */
	get #startupUs(): Microseconds {
		return this.#image.startupCpuMs * 1000 - this.cpuUs - this.#operationsUs;
	}

	/** An attempt is over. */
	forget(attempt: AttemptId): void {
		this.attempts.delete(attempt);
		this.#outbox.forget(attempt);
	}

	#start(image: Image, startMs: Milliseconds): void {
		advanceClock();
		const { isolate, context, begin } = this.#parked;
		const { env, bindings, flags, timers } = image;
		begin.applySync(undefined, [env, bindings, flags, timers, bytesOf(image.code).includes("Temporal")]);
		begin.release();
		const run = { filename: image.filename, timeout: startMs };
		const entry = new Entry(isolate, performance.now(), startMs);
		const before = setEntry(entry);
		// Most of what a top level calls it calls once: V8 would keep note of it for nothing (a bundle with zod starts in 33
		// ms, and in 47).
		setFlagsFromString("--lazy-feedback-allocation");
		try {
			const script = compile(isolate, image);
			this.#outbox.begin();
			script.runSync(context, run);
			script.release();
		} catch (error) {
			throw this.#startError(error, entry.overdue);
		} finally {
			setFlagsFromString("--no-lazy-feedback-allocation");
			setEntry(before);
		}
	}

	/** Asks whether there is a handler now. */
	#finish(): void {
		const { finish } = this.#parked;
		const told = finish.applySync(undefined, []) as unknown as string | null;
		this.starting = told === null;
		if (this.#outbox.forged) throw new StartError(forgery());
		if (told === null) return;
		finish.release();
		const end = told.indexOf("\n");
		const why = end === -1 ? "" : told.slice(end + 1);
		this.handlers = handlersAmong(told.slice(0, end === -1 ? told.length : end).split(","));
		if (why !== "") throw new StartError({ code: "startup_failed", message: `no handler found: ${why}`, stack: "" });
	}

	#startError(error: unknown, overdue: boolean): StartError {
		if (!overdue && this.#parked.isolate.isDisposed) return tooMuchMemory(this.memoryMb);
		if (overdue || isTimeout(error)) return tooMuchTime(this.#image.startupCpuMs);
		return thrownAtStart(error);
	}

	/** CPU time that the isolate has used since it was made, and that the sandbox's functions took for it. */
	get cpuUs(): Microseconds {
		return Number(this.#parked.isolate.cpuTime) / 1000 + this.#lentUs;
	}

	/**
	 * Runs one turn. What it leaves in the outbox is handed over by `takeOutbox`, or thrown away if the turn did not
	 * complete.
	 */
	turn(
		kind: Kind,
		attempt: AttemptId,
		op: number,
		text: string,
		data: Uint8Array | string | number | undefined,
		timeout: Milliseconds,
	): TurnEnd {
		const started = performance.now();
		advanceClock();
		const entry = new Entry(this.#parked.isolate, started, timeout);
		const before = setEntry(entry);
		this.#outbox.begin();
		try {
			const collects = kind === Kind.request && this.#collections.due(started);
			this.#parked.turn.applySync(undefined, [kind, attempt, op, text, transferable(data), collects], { timeout });
			if (this.#outbox.forged) return "forged";
			if (!this.#outbox.overflown) return "completed";
			this.dispose();
			return "disposed";
		} catch (error) {
			if (entry.overdue) return "overdue";
			const disposed = this.#parked.isolate.isDisposed;
			const cut = !disposed && isTimeout(error) && performance.now() - started >= timeout;
			if (!disposed && !cut) return this.#outbox.forged ? "forged" : { rejected: error };
			this.#outbox.take();
			return disposed ? "disposed" : "cut";
		} finally {
			setEntry(before);
			this.#lentUs += entry.lentUs;
		}
	}

	/** How much the turn has said. */
	get saidBytes(): Bytes {
		return this.#outbox.bytes;
	}

	takeOutbox(): IsolateMessage[] {
		return this.#outbox.take();
	}

	/** Reads the isolate's memory, as V8 counts it. */
	measure(): Bytes {
		if (this.#parked.isolate.isDisposed) return 0;
		const heap = this.#parked.isolate.getHeapStatisticsSync();
		this.memoryBytes = heap.total_physical_size + heap.malloced_memory + heap.externally_allocated_size;
		return this.memoryBytes;
	}

	dispose(): void {
		this.#keys.close();
		this.#profiler?.end();
		if (!this.#parked.isolate.isDisposed) this.#parked.isolate.dispose();
	}
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
	return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * The code cache holds every function of the script already compiled, and V8 takes it only if the flag under which it
 * was made is set again; with V8's usual lazy functions a cold start would compile them one by one (4.1 ms instead of
 * 1.2).
 */
function compile(isolate: ivm.Isolate, image: Image): ivm.Script {
	const code = bytesOf(image.code).toString();
	if (image.codeCache.byteLength === 0) return isolate.compileScriptSync(code, { filename: image.filename });
	const cachedData = externalCopy(image.codeCache);
	setFlagsFromString("--no-lazy");
	try {
		return isolate.compileScriptSync(code, { filename: image.filename, cachedData });
	} finally {
		setFlagsFromString("--lazy");
		cachedData.release();
	}
}

function transferable(
	data: Uint8Array | string | number | undefined,
): ivm.Copy<ArrayBuffer> | string | number | undefined {
	if (!(data instanceof Uint8Array)) return data;
	return externalCopy(data).copyInto({ release: true, transferIn: true });
}
