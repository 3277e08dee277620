import { type Frame, FrameReader, FrameWriter } from "../link/frames.ts";
import { confined } from "../processes/confinement.ts";
import { BELOW_EDGE, type LaunchedProcess, type Launcher, niceness } from "../processes/launcher.ts";
import { residentBytes } from "../processes/resident.ts";
import { BuildFrame } from "./messages.ts";

/** Bounds of one job of a build process. */
const MAX_WALL_MS = 60_000;
const MAX_RSS_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_MS = 100;
/** How much longer than its CPU time a start may take, by the clock on the wall: not every start can be ended by V8. */
const START_GRACE_MS = 5000;

/** A build process did not finish a job: too slow, too large, or dead. */
export class BuildProcessError extends Error {
	override name = "BuildProcessError";
}

interface Job {
	resolve: (frame: Frame) => void;
	reject: (error: Error) => void;
	/** When it takes too long, and what does. */
	deadline: number;
	what: string;
}

/** One confined process that builds, one job at a time, under limits of time and memory. */
export class BuildProcess {
	readonly #process: LaunchedProcess;
	readonly #writer = new FrameWriter();
	#job: Job | null = null;
	#why: string | null = null;

	constructor(launcher: Launcher) {
		const reader = new FrameReader(256 * 1024 * 1024, (frame) => {
			const job = this.#job;
			if (job === null) return;
			if (frame.kind === BuildFrame.starting) {
				job.what = "the start";
				job.deadline = Math.min(job.deadline, Date.now() + frame.op + START_GRACE_MS);
				return;
			}
			this.#job = null;
			job.resolve(frame);
		});
		this.#process = launcher.launch(
			{ ...confined("build/main", 1024), niceness: niceness(BELOW_EDGE), file: null },
			{
				onLaunched: (_, link) => {
					link.on("data", (chunk: Buffer) => reader.read(chunk));
					link.on("error", () => this.#process.kill());
					this.#writer.open(link);
				},
				onEnded: (how) => {
					this.#writer.close();
					this.#why ??= `the build process was lost (${how})`;
					this.#job?.reject(new BuildProcessError(this.#why));
					this.#job = null;
				},
			},
		);
	}

	get ended(): boolean {
		return this.#process.ended;
	}

	send(kind: number, text: string, data?: Uint8Array): void {
		this.#writer.write(kind, 0, 0, 0, text, data);
	}

	/** Asks for one thing and waits for its answer. Rejects with BuildProcessError if the process does not live to give it. */
	async ask(kind: number, text: string, data?: Uint8Array): Promise<Frame> {
		if (this.ended) throw new BuildProcessError(this.#why ?? "the build process has ended");
		const { promise, resolve, reject } = Promise.withResolvers<Frame>();
		const job: Job = { resolve, reject, deadline: Date.now() + MAX_WALL_MS, what: "the build" };
		this.#job = job;
		this.send(kind, text, data);
		const watch = setInterval(() => {
			if (Date.now() > job.deadline) this.#kill(`${job.what} took too long`);
			else if (residentBytes(this.#process.pid) > MAX_RSS_BYTES)
				this.#kill(`it needed more than ${MAX_RSS_BYTES / 2 ** 20} MB of memory`);
		}, WATCH_MS);
		try {
			return await promise;
		} finally {
			clearInterval(watch);
		}
	}

	#kill(why: string): void {
		this.#why = why;
		this.#process.kill();
	}

	async close(): Promise<void> {
		this.#process.kill();
		await this.#process.exited;
	}
}
