import type { ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import type { Duplex } from "node:stream";
import type {
	AttemptFailure,
	AttemptReport,
	Milliseconds,
	OwnerNumber,
	SandboxCommands,
	SandboxSettings,
	SandboxStats,
} from "../isolates/protocol.ts";
import type { Kind } from "../prelude/messages.ts";
import { LastWords, spawnConfined } from "./confinement.ts";
import { type Frame, FrameKind, FrameReader, FrameWriter } from "./frames.ts";
import { Progress } from "./progress.ts";
import { RunningNote } from "./running-note.ts";
import { type ImageSource, Sandbox } from "./sandbox.ts";

/** No honest sandbox sends a larger frame: bodies come in pieces, and what comes whole is no larger than the window. */
const MAX_FRAME = 4 * 1024 * 1024;

/** What a sandbox's process tells the pool. */
export interface SandboxProcessEvents {
	/** The process has ended unasked. Called before its attempts are told, so that they find its successor. */
	onLost(process: SandboxProcess, why: string): void;
	/** One turn keeps the others waiting: `stuckBy` says whose. */
	onLongTurn(process: SandboxProcess): void;
}

/** Priority of a sandbox of the heavy lane, or on probation, below those of the normal lane. */
const HEAVY_NICENESS = 10;

/** How long a turn may go on, beyond what its limits allow it, before the process is killed under it. */
const GRACE_MS = 250;

/** A sandbox in a process of its own, reached over the link. */
export class SandboxProcess {
	readonly sandbox: Sandbox;
	readonly #child: ChildProcess;
	readonly #socket: Duplex;
	readonly #writer: FrameWriter;
	readonly #note = RunningNote.create();
	readonly #progress: Progress;
	/** Whose turn keeps all others waiting at this moment. */
	stuckBy: OwnerNumber | null = null;
	/** Whether it has got as far as having its settings, and whether the process is gone. */
	started = false;
	ended = false;
	/** Resolves when the sandbox has its settings and can run turns; rejects if it never gets there. */
	readonly ready: Promise<void>;
	/** Resolves when the process has ended. */
	readonly exited: Promise<void>;
	#closing = false;

	constructor(settings: SandboxSettings, images: ImageSource, events: SandboxProcessEvents) {
		this.sandbox = new Sandbox(images);
		this.#child = spawnConfined("sandbox/main", { descriptors: [this.#note.descriptor] });
		this.#socket = this.#child.stdio[3] as Duplex;
		this.#writer = new FrameWriter(this.#socket);
		this.sandbox.commands = commandsOver(this.#writer);
		const { snapshot, ...rest } = settings;
		this.#writer.write(FrameKind.settings, 0, 0, 0, JSON.stringify(rest), snapshot);
		this.#progress = new Progress(this.pid, this.#note, {
			onLongTurn: (attempt) => {
				this.stuckBy = this.sandbox.ownerOf(attempt);
				events.onLongTurn(this);
			},
			onTurnOver: () => {
				this.stuckBy = null;
			},
			onStillRunning: (attempt, ms, starting) => {
				const most = this.sandbox.longestTurnMs(attempt, starting);
				if (ms > most + GRACE_MS) this.kill(`a turn ran for ${Math.round(ms)} ms and could not be ended`);
			},
			onMemory: (resident) => {
				// Without /proc there is only the sandbox's own word, which is better than none.
				const bytes = resident || this.sandbox.latest.bytes;
				if (bytes > settings.maxProcessBytes) this.kill(`it grew to ${Math.round(bytes / 2 ** 20)} MB`);
			},
		});
		this.sandbox.onLoad = (loaded) => {
			this.#idleSince = loaded ? null : performance.now();
			if (loaded) this.#progress.start();
			else this.#progress.stop();
		};
		const ready = Promise.withResolvers<void>();
		const exited = Promise.withResolvers<void>();
		this.ready = ready.promise;
		this.exited = exited.promise;
		this.ready.catch(() => undefined);
		const reader = new FrameReader(MAX_FRAME, (frame) => {
			if (frame.kind === FrameKind.ready) {
				this.started = true;
				ready.resolve();
			} else dispatch(frame, this.sandbox);
		});
		this.#socket.on("data", (chunk: Buffer) => {
			try {
				reader.read(chunk);
			} catch (error) {
				this.kill(`it broke the link's protocol: ${(error as Error).message}`);
			}
		});
		this.#socket.on("error", () => this.kill("the link failed"));
		const end = (why: string) => {
			if (this.ended) return;
			this.ended = true;
			this.#writer.close();
			this.#socket.destroy();
			this.#progress.close();
			const { attempt: running } = this.#note.read();
			this.#note.close();
			ready.reject(new Error(`a sandbox did not start: ${this.#why ?? why}`));
			if (!this.#closing) events.onLost(this, this.#why ?? why);
			this.sandbox.lost(running);
			exited.resolve();
		};
		this.#child.on("error", (error) => end(error.message));
		const lastWords = new LastWords(this.#child);
		this.#child.on("exit", (code, signal) => end(lastWords.describe(code, signal)));
	}
	#idleSince: Milliseconds | null = performance.now();
	#why: string | null = null;

	/** How long it has had nothing to do. */
	get idleMs(): Milliseconds {
		return this.#idleSince === null ? 0 : performance.now() - this.#idleSince;
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	/** From now on it has the processor when nobody else wants it: it serves what is not known to be light. There is no way back. */
	yieldToOthers(): this {
		try {
			setPriority(this.pid, HEAVY_NICENESS);
		} catch {
			// It has just ended, of which its exit tells.
		}
		return this;
	}

	/** Ends the process at once; its attempts are lost. */
	kill(why: string): void {
		this.#why ??= why;
		this.#child.kill("SIGKILL");
	}

	/** Ends the process. */
	async close(): Promise<void> {
		this.#closing = true;
		this.#child.kill("SIGKILL");
		await this.exited;
	}
}

function commandsOver(writer: FrameWriter): SandboxCommands {
	return {
		load(version, { code, codeCache, ...image }) {
			const text = JSON.stringify({ ...image, codeBytes: code.length });
			writer.write(FrameKind.load, 0, 0, version, text, Buffer.concat([code, codeCache]));
		},
		expect: (version) => writer.write(FrameKind.expect, 0, 0, version, ""),
		unload: (version) => writer.write(FrameKind.unload, 0, 0, version, ""),
		stock: (wanted) => writer.write(FrameKind.stock, 0, 0, 0, JSON.stringify(wanted)),
		request: (attempt, version, cpuMs, light, head, body) =>
			writer.write(light ? FrameKind.lightRequest : FrameKind.request, attempt, cpuMs, version, head, body),
		message: (kind, attempt, op, text, data) => writer.write(kind, attempt, op, 0, text, data),
	};
}

function dispatch({ kind, attempt, op, version, text, data }: Frame, sandbox: Sandbox): void {
	switch (kind) {
		case FrameKind.done:
		case FrameKind.doneHeavy:
			sandbox.done(attempt, {
				cpuUs: op,
				startUs: version,
				cold: version > 0,
				light: kind === FrameKind.done,
				memoryBytes: Number(data),
			});
			break;
		case FrameKind.failed: {
			const { failure, report } = JSON.parse(text) as { failure: AttemptFailure; report: AttemptReport };
			sandbox.failed(attempt, failure, report);
			break;
		}
		case FrameKind.want:
			sandbox.want(version);
			break;
		case FrameKind.stats:
			sandbox.stats(JSON.parse(text) as SandboxStats);
			break;
		default:
			sandbox.message(kind as Kind, version, attempt, op, text, data);
	}
}
