import { readContent, writeContent } from "./content.ts";
import { type Frame, FrameError } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { Kind } from "./messages.ts";
import { isWellFormed, type Outgoing } from "./outgoing.ts";
import {
	type AttemptFailure,
	type AttemptId,
	type AttemptReport,
	FAILURES,
	type Profiled,
	type SandboxEvents,
	type SandboxStats,
	type VersionNumber,
} from "./protocol.ts";

/** The frames from a sandbox, beside those of messages: the numbers of `Kind` are not among these. */
export const EventKind = {
	/** Its settings are in place. */
	ready: 67,
	want: 68,
	failed: 69,
	stats: 70,
	profiled: 77,
} as const;

/** How many bytes stand before those of a body: its version, its attempt and its operation. */
export const BODY_FIELDS = 12;

const NOTHING = new Uint8Array(0);

/** Of a report's flags. */
const LIGHT = 1;
const COLD = 2;

/** Puts what a sandbox tells on the link. */
export class EventWriter implements SandboxEvents {
	readonly #writer: FrameWriter;

	constructor(writer: FrameWriter) {
		this.#writer = writer;
	}

	ready(): void {
		this.#writer.begin(EventKind.ready).end();
	}

	want(version: VersionNumber): void {
		this.#writer.begin(EventKind.want).u32(version).end();
	}

	message(version: VersionNumber, attempt: AttemptId, { kind, op, text, data }: Outgoing): void {
		const writer = this.#writer.begin(kind).u32(version).u32(attempt).u32(op);
		if (kind === Kind.body) writer.bytes(data as Uint8Array);
		else writeContent(writer, text, data);
		writer.end();
	}

	done(version: VersionNumber, attempt: AttemptId, report: AttemptReport): void {
		this.#report(this.#writer.begin(Kind.done).u32(version).u32(attempt), report).end();
	}

	failed(version: VersionNumber, attempt: AttemptId, failure: AttemptFailure, report: AttemptReport): void {
		const { code, message, stack } = failure;
		this.#report(this.#writer.begin(EventKind.failed).u32(version).u32(attempt), report)
			.u8(FAILURES.indexOf(code))
			.text(message)
			.text(stack)
			.end();
	}

	#report(writer: FrameWriter, { light, cold, cpuUs, memoryBytes, startUs }: AttemptReport): FrameWriter {
		writer
			.u8((light ? LIGHT : 0) | (cold ? COLD : 0))
			.f64(cpuUs)
			.f64(memoryBytes);
		return cold ? writer.f64(startUs) : writer;
	}

	stats({ isolates, bytes, hits, coldStarts, evictions }: SandboxStats): void {
		this.#writer.begin(EventKind.stats).f64(isolates).f64(bytes).f64(hits).f64(coldStarts).f64(evictions).end();
	}

	profiled(profile: Profiled): void {
		const [problem, json] = "json" in profile ? ["", profile.json] : [profile.problem, NOTHING];
		this.#writer.begin(EventKind.profiled).text(problem).bytes(json).end();
	}

	flush(): void {
		this.#writer.flush();
	}

	clogged(resume: () => void): boolean {
		return this.#writer.clogged(resume);
	}
}

function readReport(frame: Frame): AttemptReport {
	const flags = frame.u8();
	const cold = (flags & COLD) !== 0;
	return {
		light: (flags & LIGHT) !== 0,
		cold,
		cpuUs: frame.amount(),
		memoryBytes: frame.amount(),
		startUs: cold ? frame.amount() : 0,
	};
}

/** Tells what frames from a sandbox say. One that no honest sandbox sends throws FrameError, whatever it is. */
export class EventReader {
	readonly #events: SandboxEvents;
	readonly #onReady: () => void;
	/** Whom the frame names that is being read, or could not be; 0 where it names none. */
	version: VersionNumber = 0;
	attempt: AttemptId = 0;

	constructor(events: SandboxEvents, onReady: () => void) {
		this.#events = events;
		this.#onReady = onReady;
	}

	read(frame: Frame): void {
		switch (frame.kind) {
			case Kind.done: {
				this.#readNames(frame);
				const report = readReport(frame);
				frame.finish();
				this.#events.done(this.version, this.attempt, report);
				break;
			}
			case EventKind.failed: {
				this.#readNames(frame);
				const report = readReport(frame);
				const code = FAILURES[frame.u8()];
				if (code === undefined) throw new FrameError("a failure of an unknown kind");
				const failure = { code, message: frame.text(), stack: frame.text() };
				frame.finish();
				this.#events.failed(this.version, this.attempt, failure, report);
				break;
			}
			case EventKind.ready:
				frame.finish();
				this.#onReady();
				break;
			case EventKind.want:
				this.version = frame.u32();
				frame.finish();
				this.#events.want(this.version);
				break;
			case EventKind.stats: {
				const stats = {
					isolates: frame.amount(),
					bytes: frame.amount(),
					hits: frame.amount(),
					coldStarts: frame.amount(),
					evictions: frame.amount(),
				};
				frame.finish();
				this.#events.stats(stats);
				break;
			}
			case EventKind.profiled: {
				const problem = frame.text();
				const json = frame.bytes();
				frame.finish();
				this.#events.profiled(problem === "" ? { json } : { problem });
				break;
			}
			default:
				this.#readMessage(frame);
		}
		this.version = this.attempt = 0;
	}

	#readNames(frame: Frame): void {
		this.version = frame.u32();
		this.attempt = frame.u32();
	}

	#readMessage(frame: Frame): void {
		const kind = frame.kind as Kind;
		this.#readNames(frame);
		const message: Outgoing = { kind, op: frame.u32(), text: "", data: undefined };
		if (kind === Kind.body) message.data = frame.bytes();
		else readContent(frame, message);
		frame.finish();
		if (!isWellFormed(message)) throw new FrameError(`a message of the kind ${kind} that makes no sense`);
		this.#events.message(this.version, this.attempt, message);
	}
}
