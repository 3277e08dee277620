import type { Socket } from "node:net";
import type { Frame } from "../link/frame.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import type { Launch } from "./launch.ts";
import type { LaunchedProcess, Launcher } from "./launcher.ts";
import { residentBytesOfTree } from "./resident.ts";

/** How often a child at work is looked at. */
const WATCH_MS: Milliseconds = 100;
/** One that is to end by itself is given so long for it. */
const GENTLE_MS: Milliseconds = 2000;

export interface ChildSettings {
	launch: Launch;
	/** No honest child sends a larger frame. */
	maxFrameBytes: Bytes;
	/** How much memory it may use, together with what it has started itself. */
	maxBytes: Bytes;
}

/** What a child tells the one who has it started. */
export interface ChildEvents {
	/** What it says over its link. An exception here ends the child. */
	onFrame(frame: Frame): void;
	/** Asked every now and then while it is watched: why it has to end, or `null`. */
	overdue(): string | null;
	/** It has ended, and why; `unasked` where this side has not ended it. Told once, last of all. */
	onEnded(why: string, unasked: boolean): void;
}

/**
 * A process that does work for the edge, with a link to ask it by. One that is late, too large or makes no sense is
 * ended.
 */
export class Child {
	readonly #events: ChildEvents;
	readonly #maxBytes: Bytes;
	readonly #process: LaunchedProcess;
	/** What is written here it gets as soon as it runs. */
	readonly writer = new FrameWriter();
	#link: Socket | null = null;
	#watch: NodeJS.Timeout | null = null;
	/** Why it was ended, as far as this side has ended it. */
	#why: string | null = null;
	#closing = false;

	constructor(launcher: Launcher, { launch, maxFrameBytes, maxBytes }: ChildSettings, events: ChildEvents) {
		this.#events = events;
		this.#maxBytes = maxBytes;
		const reader = new FrameReader({ maxBytes: maxFrameBytes }, (frame) => events.onFrame(frame));
		this.#process = launcher.launch(launch, {
			onLaunched: (_, link) => this.#onLaunched(link, reader),
			onEnded: (how) => this.#onEnded(how),
		});
	}

	#onLaunched(link: Socket, reader: FrameReader): void {
		this.#link = link;
		link.on("data", (chunk: Buffer) => {
			try {
				reader.read(chunk);
			} catch (error) {
				this.kill(`it broke the link's protocol: ${(error as Error).message}`);
			}
		});
		// Most often the process has ended, and says itself why. One that goes on without its link does not go on.
		link.on("error", () => this.#process.kill());
		if (this.#closing) link.destroy();
		else this.writer.open(link);
	}

	#onEnded(how: string): void {
		this.watch(false);
		this.writer.close();
		this.#events.onEnded(this.#why ?? how, this.#why === null);
	}

	get ended(): boolean {
		return this.#process.ended;
	}

	/** 0 as long as it does not run yet. */
	get pid(): number {
		return this.#process.pid;
	}

	/** Whether it is at work, and so has to keep to its bounds. */
	watch(on: boolean): void {
		if (on && !this.ended) this.#watch ??= setInterval(() => this.#check(), WATCH_MS);
		else if (this.#watch !== null) {
			clearInterval(this.#watch);
			this.#watch = null;
		}
	}

	#check(): void {
		const { pid } = this.#process;
		const overdue = this.#events.overdue();
		if (overdue !== null) this.kill(overdue);
		else if (pid > 0 && residentBytesOfTree(pid) > this.#maxBytes)
			this.kill(`it needed more than ${this.#maxBytes / 2 ** 20} MB of memory`);
	}

	/** Ends it at once. */
	kill(why: string): void {
		this.#why ??= why;
		this.#process.kill();
	}

	/** Ends it: at once, or by closing its link, so that it ends by itself and keeps what it would. */
	async close({ gently = false } = {}): Promise<void> {
		this.#closing = true;
		if (gently) this.#link?.destroy();
		else this.#process.kill();
		// It may be in the midst of something that takes minutes, for which nobody waits any more.
		const late = setTimeout(() => this.#process.kill(), GENTLE_MS);
		await this.#process.exited;
		clearTimeout(late);
	}
}
