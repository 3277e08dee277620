import {
	BuildKind,
	type BuildMessage,
	readBuildMessage,
	readStarting,
	writeBuildMessage,
} from "../link/build-frames.ts";
import type { Frame } from "../link/frame.ts";
import { Child } from "../processes/child.ts";
import { confined } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import { OwnClock } from "../processes/own-clock.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** Bounds of one job of a build process. */
const MAX_WALL_MS: Milliseconds = 60_000;
const MAX_BYTES: Bytes = 2 * 2 ** 30;
const MAX_FRAME_BYTES: Bytes = 256 * 2 ** 20;
/** How much longer than its CPU time a start may take, by its process's clock: not every start can be ended by V8. */
const START_GRACE_MS: Milliseconds = 5000;

type BuildAnswer = ReturnType<typeof readBuildMessage>;

/** A build process did not finish a job: too slow, too large, or dead. */
export class BuildProcessError extends Error {
	override name = "BuildProcessError";
}

interface Job {
	resolve: (answer: BuildAnswer) => void;
	reject: (error: Error) => void;
	/** When it takes too long, by the clock on the wall. */
	deadline: number;
	/** Once the function is started: what that has taken, and may take at most. */
	start: { clock: OwnClock; most: Milliseconds } | null;
}

/** Why a job's process has to end, if it has. A machine that is busy is not taken for a start that hangs. */
function overdue({ start, deadline }: Job): string | null {
	if (start !== null && start.clock.read() > start.most) return "the start took too long";
	if (Date.now() > deadline) return "the build took too long";
	return null;
}

/** One confined process that builds, one job at a time, under limits of time and memory. */
export class BuildProcess {
	readonly #child: Child;
	#job: Job | null = null;
	#why = "the build process has ended";

	constructor(launcher: Launcher) {
		this.#child = new Child(
			launcher,
			{
				launch: { ...confined({ entry: "build/main", heapMb: 1024 }), niceness: niceness(BELOW_EDGE), file: null },
				maxFrameBytes: MAX_FRAME_BYTES,
				maxBytes: MAX_BYTES,
			},
			{
				onFrame: (frame) => this.#onFrame(frame),
				overdue: () => (this.#job === null ? null : overdue(this.#job)),
				onEnded: (why, unasked) => this.#onEnded(unasked ? `the build process was lost (${why})` : why),
			},
		);
	}

	#onFrame(frame: Frame): void {
		const job = this.#job;
		if (job === null) return;
		if (frame.kind === BuildKind.starting) {
			job.start ??= { clock: new OwnClock(this.#child.pid), most: readStarting(frame) + START_GRACE_MS };
			return;
		}
		this.#job = null;
		job.resolve(readBuildMessage(frame));
	}

	#onEnded(why: string): void {
		this.#why = why;
		this.#job?.reject(new BuildProcessError(why));
		this.#job = null;
	}

	get ended(): boolean {
		return this.#child.ended;
	}

	send(message: Partial<BuildMessage> & { kind: number }): void {
		writeBuildMessage(this.#child.writer, message);
	}

	/**
	 * Asks for one thing and waits for its answer. Rejects with BuildProcessError if the process does not live to
	 * give it.
	 */
	async ask(message: Partial<BuildMessage> & { kind: number }): Promise<BuildAnswer> {
		if (this.ended) throw new BuildProcessError(this.#why);
		const { promise, resolve, reject } = Promise.withResolvers<BuildAnswer>();
		const job: Job = { resolve, reject, deadline: Date.now() + MAX_WALL_MS, start: null };
		this.#job = job;
		this.send(message);
		this.#child.watch(true);
		try {
			return await promise;
		} finally {
			this.#child.watch(false);
			job.start?.clock[Symbol.dispose]();
		}
	}

	async close(): Promise<void> {
		await this.#child.close();
	}
}
