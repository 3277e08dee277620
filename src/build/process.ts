import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { LastWords, spawnConfined } from "../sandbox/confinement.ts";
import { type Frame, FrameReader, FrameWriter } from "../sandbox/frames.ts";
import { residentBytes } from "../sandbox/resident.ts";

/** Bounds of one job of a build process. */
const MAX_WALL_MS = 60_000;
const MAX_RSS_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_MS = 100;

/** A build process did not finish a job: too slow, too large, or dead. */
export class BuildProcessError extends Error {
	override name = "BuildProcessError";
}

/** One confined process that builds, one job at a time, under limits of time and memory. */
export class BuildProcess {
	readonly #child: ChildProcess;
	readonly #socket: Duplex;
	readonly #writer: FrameWriter;
	#job: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | null = null;
	#why: string | null = null;
	ended = false;

	constructor() {
		this.#child = spawnConfined("build/main", { heapMb: 1024 });
		this.#socket = this.#child.stdio[3] as Duplex;
		this.#writer = new FrameWriter(this.#socket);
		const reader = new FrameReader(256 * 1024 * 1024, (frame) => {
			const job = this.#job;
			this.#job = null;
			job?.resolve(frame);
		});
		this.#socket.on("data", (chunk: Buffer) => reader.read(chunk));
		this.#socket.on("error", () => this.#child.kill("SIGKILL"));
		this.#child.on("error", (error) => {
			this.#why = error.message;
			this.#end();
		});
		const lastWords = new LastWords(this.#child);
		this.#child.on("exit", (code, signal) => {
			this.#why ??= `the build process was lost (${lastWords.describe(code, signal)})`;
			this.#end();
		});
	}

	#end(): void {
		this.ended = true;
		this.#job?.reject(new BuildProcessError(this.#why ?? "the build process has ended"));
		this.#job = null;
	}

	send(kind: number, text: string, data?: Uint8Array): void {
		this.#writer.write(kind, 0, 0, 0, text, data);
	}

	/** Asks for one thing and waits for its answer. Rejects with BuildProcessError if the process does not live to give it. */
	async ask(kind: number, text: string, data?: Uint8Array): Promise<Frame> {
		if (this.ended) throw new BuildProcessError(this.#why ?? "the build process has ended");
		const { promise, resolve, reject } = Promise.withResolvers<Frame>();
		this.#job = { resolve, reject };
		this.send(kind, text, data);
		const deadline = Date.now() + MAX_WALL_MS;
		const watch = setInterval(() => {
			if (Date.now() > deadline) this.#kill(`it took more than ${MAX_WALL_MS / 1000} s`);
			else if (residentBytes(this.#child.pid as number) > MAX_RSS_BYTES)
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
		this.#child.kill("SIGKILL");
	}

	async close(): Promise<void> {
		if (this.ended) return;
		const exited = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
		this.#writer.close();
		this.#socket.destroy();
		await exited;
	}
}
