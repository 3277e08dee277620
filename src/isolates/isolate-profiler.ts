import ivm from "isolated-vm";
import type { Microseconds } from "../units.ts";

/** Whatever is called so often in an isolate meets what is to interrupt it. */
const LOOP = `((call) => {
	const step = (i) => i + 1;
	return (then) => { then(); let x = 0; for (let i = 0; i < 1000; i++) x = step(x); };
})()`;

const START = 1;
const STOP = 2;

/** What the inspector answers. */
interface Answer {
	result?: { profile?: unknown };
}

/**
 * Takes the CPU profile of one isolate, over all turns that it runs from now on, by V8's inspector.
 *
 * Of isolated-vm's inspector two things are to be known. A session may be made only while the isolate is entered, by a
 * function that it calls: V8 ends the process else (`IsCreationThread`). And what is dispatched is done on another
 * thread, where a profiler finds the samples of that thread alone, unless the isolate is at work: then it is
 * interrupted, and does it on its own. It counts as at work as soon as a first message has come.
 */
export class IsolateProfiler {
	readonly #isolate: ivm.Isolate;
	readonly #context: ivm.Context;
	readonly #enter: ivm.Reference<(then: ivm.Callback) => void>;
	#session: ivm.InspectorSession | null = null;
	readonly #profile = Promise.withResolvers<unknown>();
	/** Resolves with the profile, which nobody has looked at, some time after `end`; with `null` where there is none. */
	readonly profile = this.#profile.promise;
	#ended = false;

	/** The isolate was made with an inspector, and lives. A sample is taken every so often. */
	constructor(isolate: ivm.Isolate, every: Microseconds) {
		this.#isolate = isolate;
		// Nothing of the function's reaches this context, and nothing of it the function's.
		this.#context = isolate.createContextSync();
		this.#enter = this.#context.evalSync(LOOP, { reference: true, filename: "atoll:profiler" });
		this.#within(() => {
			const session = isolate.createInspectorSession();
			session.onResponse = (id, message) => this.#onAnswer(id, message);
			session.onNotification = () => undefined;
			this.#session = session;
			this.#send(0, "Profiler.enable");
			this.#send(0, "Profiler.setSamplingInterval", { interval: every });
			this.#send(START, "Profiler.start");
		});
	}

	#within(then: () => void): void {
		this.#enter.applySync(undefined, [new ivm.Callback(then)]);
	}

	#send(id: number, method: string, params: object = {}): void {
		this.#session?.dispatchProtocolMessage(JSON.stringify({ id, method, params }));
	}

	#onAnswer(id: number, message: string): void {
		if (id !== STOP) return;
		// What a promise has waiting is not looked at when isolated-vm's call returns.
		setImmediate(() => this.#profile.resolve((JSON.parse(message) as Answer).result?.profile ?? null));
	}

	/** The profile ends here. The isolate may be disposed of right after, and if it was before then there is none. */
	end(): void {
		if (this.#ended) return;
		this.#ended = true;
		if (this.#isolate.isDisposed) {
			this.#profile.resolve(null);
			return;
		}
		this.#within(() => {
			this.#send(0, "Profiler.enable");
			this.#send(STOP, "Profiler.stop");
		});
		this.#within(() => this.#session?.dispose());
		this.#enter.release();
		this.#context.release();
	}
}
