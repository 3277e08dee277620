import type { Milliseconds } from "../units.ts";
import { readContent, writeContent } from "./content.ts";
import { type Frame, FrameError } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { Kind } from "./messages.ts";
import type { MessageData } from "./outgoing.ts";
import type { AttemptId, Image, RequestStart, SandboxCommands, SandboxSettings, VersionNumber } from "./protocol.ts";

/** The frames to a sandbox, beside those of messages: the numbers of `Kind` are not among these. */
export const CommandKind = {
	/** First of all: its settings. */
	settings: 64,
	load: 65,
	unload: 66,
	/** An image that it lacks is on its way. */
	expect: 71,
	preload: 74,
	keep: 75,
	endProfile: 76,
	reuse: 78,
	forget: 79,
} as const;

/** How many bytes stand before those of a body: its attempt and its operation. */
export const BODY_FIELDS = 8;

/** Of a request's flags, below the milliseconds at which its turns are cut early: its body comes with it. */
const WHOLE = 1;
const CUT_SHIFT = 1;

/** Puts what a sandbox is told on the link. */
export class CommandWriter implements SandboxCommands {
	readonly #writer: FrameWriter;

	constructor(writer: FrameWriter) {
		this.#writer = writer;
	}

	settings({ snapshot, ...rest }: SandboxSettings): void {
		this.#writer.begin(CommandKind.settings).text(JSON.stringify(rest)).bytes(snapshot).end();
	}

	load(version: VersionNumber, { code, codeCache, ...rest }: Image): void {
		this.#writer
			.begin(CommandKind.load)
			.u32(version)
			.text(JSON.stringify(rest))
			.u32(code.byteLength)
			.bytes(Buffer.concat([code, codeCache]))
			.end();
	}

	expect(version: VersionNumber): void {
		this.#writer.begin(CommandKind.expect).u32(version).end();
	}

	unload(version: VersionNumber): void {
		this.#writer.begin(CommandKind.unload).u32(version).end();
	}

	keep(version: VersionNumber, kept: boolean): void {
		this.#writer.begin(CommandKind.keep).u32(version).u8(Number(kept)).end();
	}

	endProfile(): void {
		this.#writer.begin(CommandKind.endProfile).end();
	}

	preload(attempt: AttemptId, version: VersionNumber, startMs: Milliseconds): void {
		this.#writer.begin(CommandKind.preload).u32(attempt).u32(version).u32(startMs).end();
	}

	request({ attempt, version, cpuMs, cutMs, head, body }: RequestStart): void {
		const flags = (cutMs << CUT_SHIFT) | (body === undefined ? 0 : WHOLE);
		const writer = this.#writer.begin(Kind.request).u32(attempt).u32(version).u32(cpuMs).u8(flags).text(head);
		if (body !== undefined) writer.bytes(body);
		writer.end();
	}

	message(kind: Kind, attempt: AttemptId, op: number, text: string, data: MessageData): void {
		const writer = this.#writer.begin(kind).u32(attempt).u32(op);
		if (kind === Kind.body) writer.bytes(data as Uint8Array);
		else writeContent(writer, text, data);
		writer.end();
	}

	reuse(version: VersionNumber, call: string, answer: string, untilMs: Milliseconds): void {
		this.#writer.begin(CommandKind.reuse).u32(version).f64(untilMs).text(call).text(answer).end();
	}

	forget(version: VersionNumber, call: string): void {
		this.#writer.begin(CommandKind.forget).u32(version).text(call).end();
	}

	clogged(resume: () => void): boolean {
		return this.#writer.clogged(resume);
	}
}

/** The settings, of the first frame. */
export function readSettings(frame: Frame): SandboxSettings {
	if (frame.kind !== CommandKind.settings) throw new FrameError("the first frame must hold the settings");
	const rest = JSON.parse(frame.text()) as Omit<SandboxSettings, "snapshot">;
	return { ...rest, snapshot: frame.bytes() };
}

/** Does what a frame from the edge says, any but the first. */
export function readCommand(frame: Frame, commands: SandboxCommands): void {
	switch (frame.kind) {
		case Kind.request: {
			const attempt = frame.u32();
			const version = frame.u32();
			const cpuMs = frame.u32();
			const flags = frame.u8();
			const head = frame.text();
			const body = (flags & WHOLE) === 0 ? undefined : frame.bytes();
			commands.request({ attempt, version, cpuMs, cutMs: flags >> CUT_SHIFT, head, body });
			break;
		}
		case CommandKind.load: {
			const version = frame.u32();
			const rest = JSON.parse(frame.text()) as Omit<Image, "code" | "codeCache">;
			const codeBytes = frame.u32();
			const bytes = frame.bytes();
			commands.load(version, { ...rest, code: bytes.subarray(0, codeBytes), codeCache: bytes.subarray(codeBytes) });
			break;
		}
		case CommandKind.expect:
			commands.expect(frame.u32());
			break;
		case CommandKind.unload:
			commands.unload(frame.u32());
			break;
		case CommandKind.preload:
			commands.preload(frame.u32(), frame.u32(), frame.u32());
			break;
		case CommandKind.keep:
			commands.keep(frame.u32(), frame.u8() !== 0);
			break;
		case CommandKind.endProfile:
			commands.endProfile();
			break;
		case CommandKind.reuse: {
			const version = frame.u32();
			const untilMs = frame.f64();
			commands.reuse(version, frame.text(), frame.text(), untilMs);
			break;
		}
		case CommandKind.forget:
			commands.forget(frame.u32(), frame.text());
			break;
		case Kind.body:
			commands.message(Kind.body, frame.u32(), frame.u32(), "", frame.bytes());
			break;
		default: {
			const attempt = frame.u32();
			const op = frame.u32();
			const content = { text: "", data: undefined };
			readContent(frame, content);
			commands.message(frame.kind as Kind, attempt, op, content.text, content.data);
		}
	}
	frame.finish();
}
