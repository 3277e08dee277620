import { type DataAnswer, type DataCall, DataKind, readDataAnswer, writeDataCall } from "../link/data-frames.ts";
import { Child } from "../processes/child.ts";
import type { Launch } from "../processes/launch.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";

const MAX_FRAME_BYTES: Bytes = 64 * 2 ** 20;
/** After one that could not start the next is not started for so long. */
const REST_MS: Milliseconds = 1000;

/** A call, as whoever asks for it knows it. */
export interface Asked {
	call: DataCall;
	/** How often it was asked for. */
	times: number;
	/** Whether its process has said that it begins to change what is kept. */
	hasBegun: boolean;
	/** It is not waited for any longer than this. */
	deadline: Milliseconds;
}

export interface AskedChildSettings {
	launcher: Launcher;
	/** How it is started; throws where it cannot be. */
	launch: () => Launch;
	/** How much memory it may use. */
	maxBytes: Bytes;
}

/** What becomes of calls. */
export interface AskedChildEvents<One extends Asked> {
	onAnswered(one: One, answer: DataAnswer): void;
	/** The process has ended with these unanswered, and why; `unasked` where it was not this side that ended it. */
	onLost(ones: One[], why: string, unasked: boolean): void;
	/** Asked every now and then while calls are under way: why the process has to end, or `null`. */
	overdue?(pid: number): string | null;
}

/** A child that does what it is asked to by frames, started when it is first needed, and anew when it was lost. */
export class AskedChild<One extends Asked> {
	readonly #settings: AskedChildSettings;
	readonly #events: AskedChildEvents<One>;
	#child: Child | null = null;
	#nextId = 1;
	readonly #asked = new Map<number, One>();
	/** How often a process was started. */
	starts = 0;
	/** Whether the process that runs has answered anything. */
	#answered = false;
	/** Why none is started as long as this. */
	#failed = "";
	#restUntil: Milliseconds = 0;

	constructor(settings: AskedChildSettings, events: AskedChildEvents<One>) {
		this.#settings = settings;
		this.#events = events;
	}

	/** How many calls are under way. */
	get size(): number {
		return this.#asked.size;
	}

	/** 0 while it does not run. */
	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	/** Asks for something, to be done until `deadline`. Throws where no process can be started. */
	ask(one: One): void {
		if (this.#child === null && performance.now() < this.#restUntil) throw new Error(this.#failed);
		this.#child ??= this.#launch();
		const id = this.#nextId++ >>> 0;
		writeDataCall(this.#child.writer, id, one.call);
		one.times++;
		this.#asked.set(id, one);
		this.#child.watch(true);
	}

	#launch(): Child {
		this.starts++;
		this.#answered = false;
		const { launcher, launch, maxBytes } = this.#settings;
		const child: Child = new Child(
			launcher,
			{ launch: launch(), maxFrameBytes: MAX_FRAME_BYTES, maxBytes },
			{
				onFrame: (frame) => this.#onAnswer(readDataAnswer(frame)),
				overdue: () => {
					const [oldest] = this.#asked.values();
					if (oldest === undefined) {
						child.watch(false);
						return null;
					}
					if (performance.now() > oldest.deadline) return "it took too long";
					return this.#events.overdue?.(child.pid) ?? null;
				},
				onEnded: (why, unasked) => this.#onEnded(child, why, unasked),
			},
		);
		return child;
	}

	#onAnswer(answer: DataAnswer): void {
		const one = this.#asked.get(answer.id);
		if (one === undefined) throw new Error("an answer that nobody has asked for");
		if (answer.kind === DataKind.begun) {
			one.hasBegun = true;
			return;
		}
		this.#asked.delete(answer.id);
		this.#answered = true;
		this.#events.onAnswered(one, { ...answer, bytes: owned(answer.bytes) });
	}

	#onEnded(child: Child, why: string, unasked: boolean): void {
		if (this.#child !== child) return;
		this.#child = null;
		if (!this.#answered) {
			this.#failed = why;
			this.#restUntil = performance.now() + REST_MS;
		}
		const lost = [...this.#asked.values()];
		this.#asked.clear();
		this.#events.onLost(lost, why, unasked);
	}

	/** Ends it, if it runs, by closing its link; what it has not acknowledged has failed. */
	async close(): Promise<void> {
		await this.#child?.close({ gently: true });
	}
}

/** Bytes that may be kept. What is a small part of what was read with it is copied, so that it does not keep the rest. */
function owned(bytes: Uint8Array): Uint8Array {
	return bytes.byteLength * 2 > bytes.buffer.byteLength ? bytes : Uint8Array.prototype.slice.call(bytes);
}
