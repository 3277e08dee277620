import type { Bytes, Microseconds, Milliseconds } from "../units.ts";
import { type Frame, FrameError } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { handlersAmong } from "./handlers.ts";
import { type AttemptFailure, FAILURES, type Image } from "./protocol.ts";

/**
 * The frames between the edge and the processes that build. Both ways, those of one kind hold the question and its
 * answer.
 */
export const BuildKind = {
	/** Make the base snapshot of a prelude, by its texts as JSON; it comes back as bytes. */
	snapshot: 80,
	/** Here is the base snapshot. */
	base: 81,
	/** Make the code cache of a script: the script's name, its code as bytes; the cache comes back, as bytes. */
	compile: 82,
	/** Bundle a function: a request as JSON; its bundle comes back as the bytes of JSON. */
	bundle: 83,
	/** What it is asked to start is started now. */
	starting: 84,
	/** Start a version once: its image, as `writeImage` puts it; a StartResult comes back as JSON. */
	start: 85,
	/** Convert a module: its path, its source as bytes; its bundle comes back as a function's does, or `null`. */
	convert: 86,
} as const;

/** A module that is larger is bundled, and not converted: it goes to the bundler in one frame. */
export const MOST_MODULE: Bytes = 16 * 2 ** 20;

/** A job for a process that builds, or what has come of it. */
export interface BuildMessage {
	kind: number;
	/** Which job it is, of several at a time; else 0. */
	job: number;
	text: string;
	data: Uint8Array;
}

/** What came of starting a version once, with the variables and limits that it is to have. */
export interface StartResult {
	/** Why the function did not start. It may yet, on a request; a missing handler or a syntax error stays. */
	failure: AttemptFailure | null;
	/**
	 * The names of the function's handlers (`handlers.ts`); none where it did not start, so that they are not known.
	 */
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

/** Reads what came of a start, from the process in which it ran: that is not trusted to have got over it. */
export function readStartResult(text: string): StartResult {
	const { failure, handlers, startUs } = Object(JSON.parse(text)) as StartResult;
	if (typeof startUs !== "number" || !(failure === null || isFailure(failure)))
		throw new FrameError("not a start's end");
	return { failure, handlers: handlersAmong(handlers), startUs };
}

function isFailure(value: unknown): value is AttemptFailure {
	const { code, message, stack } = Object(value) as AttemptFailure;
	return FAILURES.includes(code) && typeof message === "string" && typeof stack === "string";
}

/** Writes an image: what is text of it as JSON, its code and code cache behind one another as bytes. */
export function writeImage({ code, codeCache, ...rest }: Image): Pick<BuildMessage, "text" | "data"> {
	const text = JSON.stringify({ ...rest, codeBytes: code.length });
	return { text, data: Buffer.concat([code, codeCache]) };
}

export function readImage({ text, data }: Pick<BuildMessage, "text" | "data">): Image {
	const { codeBytes, ...rest } = JSON.parse(text) as Omit<Image, "code" | "codeCache"> & { codeBytes: Bytes };
	return { ...rest, code: data.subarray(0, codeBytes), codeCache: data.subarray(codeBytes) };
}
