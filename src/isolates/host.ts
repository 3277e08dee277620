import { Kind } from "../link/messages.ts";
import type { MessageData } from "../link/outgoing.ts";
import type {
	AttemptFailure,
	AttemptId,
	Image,
	RequestStart,
	SandboxCommands,
	SandboxEvents,
	SandboxSettings,
	SandboxStats,
	VersionNumber,
} from "../link/protocol.ts";
import type { Bytes, Microseconds, Milliseconds } from "../units.ts";
import { asciiOf } from "./ascii.ts";
import { FunctionIsolate, type IsolateListener } from "./isolate.ts";
import type { Answer } from "./keys.ts";
import { Parking } from "./parking.ts";
import { Profiling } from "./profiling.ts";
import { ReusableAnswers } from "./reusable-answers.ts";
import { Runner, type Task } from "./runner.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { Schedule } from "./schedule.ts";
import { runClocks } from "./services.ts";
import { StartError } from "./start-error.ts";
import { readThreadClock } from "./thread-clock.ts";
import type { Unsaid } from "./unsaid.ts";
import { WarmIsolates } from "./warm.ts";

interface Version {
	image: Image | null;
	/** Its next isolate, whose top level has not come to its end yet. */
	starting: FunctionIsolate | null;
	/** Turns to run; those of one version run in a row, because what an isolate touches is then still in the cache. */
	queue: Task[];
	/** What its turns have said and has not left yet, if anything; none of them runs before it has. */
	unsaid: Unsaid | null;
	wanted: boolean;
}

/** How many turns of one function run in a row before others have theirs. */
const QUANTUM = 16;
/** So much is said before the edge is asked whether it has read it. */
const MOST_SAID: Bytes = 2 ** 20;
/** How long turns run before the link is looked at again. */
const SLICE_MS = 1;

const CROWDED_OUT: AttemptFailure = {
	code: "crowded_out",
	message: "isolates that are kept have half of a sandbox's room at most",
	stack: "",
};

/** Whether it starts an isolate where there is none. */
function needsIsolate({ kind }: Task): boolean {
	return kind === Kind.request || kind === "preload";
}

/** Runs functions' turns: in a sandbox process behind the link, or inline. All of it happens on one thread. */
export class IsolateHost implements SandboxCommands, IsolateListener {
	readonly #events: SandboxEvents;
	readonly #note: (attempt: AttemptId, starting: boolean) => void;
	readonly #parking: Parking;
	/** Where this sandbox is there for a profile. */
	readonly #profiling: Profiling | null;
	readonly #warm: WarmIsolates;
	readonly #reusable = new ReusableAnswers();
	readonly #versions = new Map<VersionNumber, Version>();
	readonly #runner: Runner;
	readonly #schedule = new Schedule(
		(number) => this.#versions.get(number)?.image?.tenant ?? 0,
		(number) => this.#needsStart(number),
	);
	#scheduled: NodeJS.Immediate | null = null;
	/** What was said is to be read before more is. */
	#clogged = false;
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
		const { profileEveryUs } = settings;
		this.#profiling = profileEveryUs === undefined ? null : new Profiling(profileEveryUs);
		this.#parking = new Parking(settings.snapshot, settings.parked, settings.memoryMb, this.#profiling !== null);
		this.#warm = new WarmIsolates(settings, (number) => {
			const version = this.#versions.get(number);
			if (version !== undefined) this.#forget(number, version);
		});
		this.#runner = new Runner(events, this.#warm, (task) => this.#enqueue(task));
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

	keep(number: VersionNumber, kept: boolean): void {
		this.#warm.keep(number, kept);
	}

	endProfile(): void {
		void this.#profiling?.end().then((profile) => {
			this.#events.profiled(profile);
			this.#events.flush();
		});
	}

	preload(id: AttemptId, number: VersionNumber, startMs: Milliseconds): void {
		const attempt = this.#runner.begin(id, number, startMs, 0);
		this.#enqueue({ kind: "preload", attempt, op: 0, text: "", data: undefined });
	}

	request({ attempt: id, version, cpuMs, cutMs, head, body }: RequestStart): void {
		const attempt = this.#runner.begin(id, version, cpuMs, cutMs);
		this.#enqueue({ kind: Kind.request, attempt, op: 0, text: head, data: asciiOf(body) });
	}

	message(kind: Kind, id: AttemptId, op: number, text: string, data: MessageData): void {
		const attempt = this.#runner.get(id);
		if (kind === Kind.credit) attempt?.windows.credit(op, data as number);
		if (attempt !== undefined)
			this.#enqueue({ kind, attempt, op, text, data: kind === Kind.answer ? asciiOf(data) : data });
	}

	reuse(version: VersionNumber, call: string, answer: string, untilMs: Milliseconds): void {
		this.#reusable.add(version, call, answer, untilMs);
	}

	forget(version: VersionNumber, call: string): void {
		this.#reusable.forget(version, call);
	}

	reusable(version: VersionNumber, call: string): string | undefined {
		return this.#reusable.get(version, call);
	}

	clogged(): boolean {
		return false; // What is told directly is told at once.
	}

	#version(number: VersionNumber): Version {
		let version = this.#versions.get(number);
		if (version === undefined) {
			version = { image: null, starting: null, queue: [], unsaid: null, wanted: false };
			this.#versions.set(number, version);
		}
		return version;
	}

	#enqueue(task: Task): void {
		this.#version(task.attempt.version).queue.push(task);
		this.#wake(task.attempt.version);
	}

	#wake(number: VersionNumber): void {
		this.#schedule.add(number);
		if (this.#scheduled === null && !this.#closed) this.#scheduled = setImmediate(() => this.run());
	}

	/**
	 * Runs turns that wait, a few of each function in turn, so that one with a thousand requests does not keep
	 * another with one waiting; and for a slice of time, so that what has arrived meanwhile is seen. Whoever has
	 * handed in the last message of a batch calls this; else the event loop does.
	 */
	run(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		if (this.#clogged) return;
		readThreadClock();
		const until = performance.now() + SLICE_MS;
		this.#runner.saidBytes = 0;
		while (performance.now() < until && this.#runner.saidBytes < MOST_SAID) {
			const number = this.#schedule.next();
			if (number === undefined) break;
			const version = this.#versions.get(number);
			if (version !== undefined) this.#drain(number, version);
		}
		this.#note(0, false);
		if (this.#warm.changed) this.#events.stats(this.#warm.stats());
		this.#events.flush();
		this.#clogged = this.#events.clogged(() => {
			this.#clogged = false;
			this.#goOn();
		});
		if (!this.#clogged) this.#goOn();
	}

	#goOn(): void {
		if (!this.#schedule.empty && !this.#closed) this.#scheduled ??= setImmediate(() => this.run());
	}

	/** Whether a function has something waiting that needs an isolate, and none. */
	#needsStart(number: VersionNumber): boolean {
		if (this.#warm.has(number)) return false;
		return this.#versions.get(number)?.queue.some(needsIsolate) ?? false;
	}

	stats(): SandboxStats {
		return this.#warm.stats();
	}

	#drain(number: VersionNumber, version: Version): void {
		this.#runner.usedUs = 0;
		if (version.unsaid !== null) {
			this.#runner.say(version.unsaid);
			if (version.unsaid.empty) version.unsaid = null;
			this.#charge(number, version);
			return;
		}
		const { queue } = version;
		const most = queue.length <= QUANTUM ? queue.length : QUANTUM;
		/** The next request can have no isolate yet. */
		let waits = false;
		let i = 0;
		while (i < most && !this.#runner.hasUnsaid && !this.#schedule.isSpent(this.#runner.usedUs)) {
			const task = queue[i++];
			const { attempt } = task;
			if (!this.#runner.has(attempt)) continue;
			if (task.kind === Kind.drop && attempt.isolate === null) {
				this.#runner.done(attempt);
				continue;
			}
			if (needsIsolate(task)) {
				let isolate = this.#warm.get(number);
				if (isolate !== undefined) {
					if (task.kind !== "preload") this.#warm.hit();
				} else if (version.image === null) {
					if (!version.wanted) this.#events.want(number);
					version.wanted = true;
					waits = true;
					break;
				} else {
					this.#note(attempt.id, true);
					const { startupCpuMs } = version.image;
					const startMs = task.kind === "preload" ? Math.min(startupCpuMs, attempt.leftUs / 1000) : startupCpuMs;
					isolate = version.starting ?? this.#start(version, version.image, attempt, startMs);
					if (isolate === undefined) continue;
					if (isolate.starting) {
						waits = true;
						break;
					}
				}
				if (task.kind === "preload") {
					if (this.#warm.isCrowdedOut(number)) this.#runner.fail(attempt, CROWDED_OUT);
					else this.#runner.done(attempt);
					continue;
				}
				attempt.isolate = isolate;
				isolate.attempts.add(attempt.id);
			}
			const { isolate } = attempt;
			if (isolate === null) continue;
			this.#note(attempt.id, false);
			if (task.kind === "preload") continue;
			if (task.kind === Kind.request || task.kind === "held") this.#runner.tellHeld(attempt, isolate);
			if (task.kind === "held" || !this.#runner.has(attempt)) continue;
			if (task.kind === Kind.socket) attempt.renew();
			this.#runner.turn(attempt, isolate, { ...task, kind: task.kind, attempt: attempt.id });
		}
		version.unsaid = this.#runner.takeUnsaid();
		version.queue = queue.slice(waits ? i - 1 : i);
		if (waits && version.unsaid === null) this.#schedule.charge(number, this.#runner.usedUs);
		else this.#charge(number, version);
	}

	/** Charges a function with what its turns have used, and gives it its next round if anything waits. */
	#charge(number: VersionNumber, version: Version): void {
		this.#schedule.charge(number, this.#runner.usedUs);
		if (version.queue.length > 0 || version.unsaid !== null) this.#schedule.add(number);
		else this.#forget(number, version);
	}

	/** Drops what is kept of a version that has no isolate and nothing waiting. */
	#forget(number: VersionNumber, version: Version): void {
		if (
			this.#warm.has(number) ||
			version.queue.length > 0 ||
			version.unsaid !== null ||
			version.wanted ||
			version.starting !== null
		)
			return;
		this.#versions.delete(number);
	}

	#start(version: Version, image: Image, attempt: RunningAttempt, startMs: Milliseconds): FunctionIsolate | undefined {
		try {
			const parked = this.#parking.take(image.memoryMb);
			const profiler = this.#profiling?.begin(parked.isolate);
			const settings = { parked, version: attempt.version, image, listener: this, startMs, profiler };
			const isolate = new FunctionIsolate(settings);
			this.#runner.usedUs += isolate.startUs;
			attempt.cold = true;
			attempt.startUs = isolate.startUs;
			if (isolate.starting) version.starting = isolate;
			else this.#warm.add(isolate);
			this.#runner.sendStrays(isolate);
			return isolate;
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			this.#runner.fail(attempt, error.failure);
			return undefined;
		}
	}

	budget(id: AttemptId): Microseconds {
		return this.#runner.budget(id);
	}

	onOperation(isolate: FunctionIsolate, id: AttemptId): void {
		this.#runner.onOperation(isolate, id);
	}

	onAnswer(isolate: FunctionIsolate, answer: Answer): void {
		if (answer.attempt !== 0) this.#runner.onAnswer(isolate, answer);
		else if (isolate.starting) this.#resume(isolate, answer);
		else if (this.#warm.alive(isolate)) {
			isolate.held.push(answer);
			this.#runner.offerHeld(isolate);
		}
	}

	/** The top level goes on, on the account of the request that has waited for it longest. */
	#resume(isolate: FunctionIsolate, answer: Answer): void {
		const version = this.#versions.get(isolate.version);
		if (version?.starting !== isolate) return;
		const waiting = version.queue
			.filter(needsIsolate)
			.map(({ attempt }) => attempt)
			.filter((attempt) => this.#runner.has(attempt));
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
			this.#runner.sendStrays(isolate);
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			version.starting = null;
			for (const attempt of waiting) this.#runner.fail(attempt, error.failure);
		}
		this.#note(0, false);
		this.#wake(isolate.version);
	}

	/** Disposes every isolate. Attempts that still run are dropped without a word. */
	close(): void {
		this.#closed = true;
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#runner.close();
		for (const version of this.#versions.values()) this.#abandon(version);
		this.#warm.close();
		this.#parking.close();
	}
}
