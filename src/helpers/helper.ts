import {
	type HelperAnswer,
	HelperKind,
	type HelperRequest,
	readHelperAnswer,
	writeHelperRequest,
} from "../link/helper-frames.ts";
import type { TenantNumber } from "../link/protocol.ts";
import { Child } from "../processes/child.ts";
import { confined } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Microseconds, Milliseconds } from "../units.ts";
import { Turns } from "./turns.ts";

/** Nothing that a helper is asked for takes more than a few hundredths of a second. */
const MOST_MS: Milliseconds = 15_000;
const MAX_FRAME_BYTES: Bytes = 2 ** 20;
const HEAP_MB = 512;
const MAX_BYTES: Bytes = 1.5 * 2 ** 30;
/** What it takes the edge to ask for something and to hear of it, whatever that is. */
const ASKING_US: Microseconds = 100;
/** A helper that is lost counts for so much of its time, for whoever it did work for. */
const LOST_US: Microseconds = 5_000_000;

/** A helper did not live to do what it was asked for, or has lost what it had been given for it. */
export class HelperLost extends Error {
	override name = "HelperLost";
	/** Whether this is what it was doing. */
	readonly blamed: boolean;

	constructor(why: string, blamed: boolean) {
		super(why);
		this.blamed = blamed;
	}
}

interface Job {
	tenant: TenantNumber;
	ask: () => void | Promise<void>;
	resolve: (answer: HelperAnswer) => void;
	reject: (error: Error) => void;
	/** When it takes too long; from its start on. */
	deadline: Milliseconds;
}

/**
 * A confined process that does for the edge what bytes of strangers ask for more than the edge wants to give them. It
 * does one thing at a time, of one tenant after the other, so that it is known what it takes and for whom; started
 * when first needed, and then kept.
 */
export class Helper {
	readonly #launcher: Launcher;
	readonly #turns: Turns<Job>;
	readonly #maxFrameBytes: Bytes;
	#child: Child | null = null;
	#job: Job | null = null;
	#timer: NodeJS.Timeout | null = null;
	#closed = false;
	/** Counts the processes: what one has been given, the next does not have. */
	generation = 0;
	/** How much has been done. */
	jobs = 0;

	/** Of each tenant so much may wait, and no honest answer has more bytes. */
	constructor(launcher: Launcher, mostWaiting: number, maxFrameBytes = MAX_FRAME_BYTES) {
		this.#launcher = launcher;
		this.#turns = new Turns(mostWaiting);
		this.#maxFrameBytes = maxFrameBytes;
	}

	/** Starts the process, so that whoever needs it soon need not wait for it. */
	warm(): void {
		if (!this.#closed) this.#child ??= this.#launch();
	}

	#launch(): Child {
		this.generation++;
		const child: Child = new Child(
			this.#launcher,
			{
				launch: { ...confined({ entry: "helpers/main", heapMb: HEAP_MB }), niceness: niceness(BELOW_EDGE), file: null },
				maxFrameBytes: this.#maxFrameBytes,
				maxBytes: MAX_BYTES,
			},
			{
				onFrame: (frame) => this.#onAnswer(readHelperAnswer(frame)),
				overdue: () => {
					if (this.#job === null) child.watch(false);
					return this.#job !== null && performance.now() > this.#job.deadline ? "it took too long" : null;
				},
				onEnded: (why) => this.#onEnded(child, why),
			},
		);
		return child;
	}

	/**
	 * Has something done for a tenant, once it is its turn: `ask` sends what it takes, with one answer to come.
	 * Rejects with HelperLost, with what `ask` throws, or with what the helper says.
	 */
	run(tenant: TenantNumber, ask: () => void | Promise<void>): Promise<HelperAnswer> {
		const { promise, resolve, reject } = Promise.withResolvers<HelperAnswer>();
		if (this.#closed) reject(new HelperLost("the runtime is closing", false));
		else if (this.#turns.add(tenant, { tenant, ask, resolve, reject, deadline: 0 })) this.#next();
		else reject(new Error("too much of it waits already"));
		return promise;
	}

	#next(): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		while (this.#job === null) {
			const now = performance.now();
			const turn = this.#turns.next(now);
			if ("wait" in turn) {
				if (turn.wait !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#next(), turn.wait);
				return;
			}
			this.#start(turn.next, now);
		}
	}

	#start(job: Job, now: Milliseconds): void {
		this.warm();
		job.deadline = now + MOST_MS;
		this.#job = job;
		this.#child?.watch(true);
		try {
			job.ask()?.catch((error: Error) => {
				this.#giveUp(job, error);
				this.#next();
			});
		} catch (error) {
			this.#giveUp(job, error as Error);
		}
	}

	/** What a job takes could not be sent. */
	#giveUp(job: Job, error: Error): void {
		if (this.#job !== job) return;
		this.#job = null;
		job.reject(error);
	}

	/** Says something to the process; from within `ask`, or where no answer comes. */
	send(request: Partial<HelperRequest> & Pick<HelperRequest, "kind" | "id">): void {
		if (this.#child !== null) writeHelperRequest(this.#child.writer, request);
	}

	/** A tenant has had something done that takes the edge so much time. */
	charge(tenant: TenantNumber, us: Microseconds): void {
		this.#turns.charge(tenant, us, performance.now());
	}

	#onAnswer(answer: HelperAnswer): void {
		const job = this.#job;
		if (job === null) throw new Error("an answer that nobody has asked for");
		if (answer.kind === HelperKind.output && answer.data.length === 0) throw new Error("output without any");
		this.#job = null;
		this.jobs++;
		this.charge(job.tenant, ASKING_US + Math.min(answer.us, LOST_US));
		if (answer.kind === HelperKind.failed) job.reject(new Error(answer.text));
		else job.resolve(answer);
		this.#next();
	}

	#onEnded(child: Child, why: string): void {
		if (this.#child !== child) return;
		this.#child = null;
		const job = this.#job;
		this.#job = null;
		if (job !== null) {
			this.charge(job.tenant, LOST_US);
			job.reject(new HelperLost(`the helper was lost (${why})`, true));
		}
		if (!this.#closed) this.#next();
	}

	/** Ends it; what it has not done has failed. */
	async close(): Promise<void> {
		this.#closed = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		for (const { reject } of this.#turns.clear()) reject(new HelperLost("the runtime is closing", false));
		await this.#child?.close();
	}
}
