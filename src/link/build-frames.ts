import type { Microseconds, Milliseconds } from "../units.ts";
import { type Frame, FrameError } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { AttemptFailure } from "./protocol.ts";

/**
 * The frames between the edge and the processes that build. Both ways, those of one kind hold the question and its
 * answer.
 */
export const BuildKind = {
	/** Make the base snapshot of a prelude, by its texts as JSON; it comes back as bytes. */
	snapshot: 80,
	/** Here is the base snapshot. */
	base: 81,
	/**
	 * Make a version's code cache, and start it once: its image as JSON, its code as bytes; a CompileResult comes
	 * back, and the cache.
	 */
	compile: 82,
	/** Bundle a function: a request as JSON; its bundle comes back as the bytes of JSON. */
	bundle: 83,
	/** What it is asked to compile is compiled, and is started now. */
	starting: 84,
} as const;

/** A job for a process that builds, or what has come of it. */
export interface BuildMessage {
	kind: number;
	/** Which job it is, of several at a time; else 0. */
	job: number;
	text: string;
	data: Uint8Array;
}

export interface CompileResult {
	/** Why the function did not start. It may yet, on a request; a missing handler or a syntax error stays. */
	failure: AttemptFailure | null;
	/** The handlers that the function has (`link/handlers.ts`). */
	handlers: string[];
	/** How long a cold start took. */
	startUs: Microseconds;
}

export function writeBuildMessage(writer: FrameWriter, message: Partial<BuildMessage> & { kind: number }): void {
	const { kind, job = 0, text = "", data = NOTHING } = message;
	writer.begin(kind).u32(job).text(text).bytes(data).end();
}
const NOTHING = new Uint8Array(0);

export function readBuildMessage(frame: Frame): BuildMessage & { data: Buffer } {
	return { kind: frame.kind, job: frame.u32(), text: frame.text(), data: frame.bytes() };
}

/** Tells how much CPU time the start may take. */
export function writeStarting(writer: FrameWriter, startupCpuMs: Milliseconds): void {
	writer.begin(BuildKind.starting).u32(startupCpuMs).end();
}

export function readStarting(frame: Frame): Milliseconds {
	if (frame.kind !== BuildKind.starting) throw new FrameError("not a start");
	return frame.u32();
}
