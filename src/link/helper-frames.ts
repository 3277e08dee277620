import type { Microseconds } from "../units.ts";
import type { Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";

/**
 * The frames between the edge and a helper. Each that asks for something, but `open` and `drop`, is answered by one.
 */
export const HelperKind = {
	/** To a helper: decompress a stream; the text is its content coding. Not answered by itself. */
	open: 96,
	/** To a helper: more of a stream's input, or none, where there is more to come of what it has. */
	input: 97,
	/** To a helper: the last of a stream's input. */
	inputEnd: 98,
	/** To a helper: nobody wants the rest of a stream. Not answered. */
	drop: 99,
	/** From a helper: a part of a stream's output, and there is more of it already. */
	output: 100,
	/** From a helper: what output there was, and nothing more comes without more input. */
	hungry: 101,
	/** From a helper: the last of a stream's output, whatever input may follow. */
	ended: 102,
	/** To a helper: a version's source map, as JSON. */
	sourceMap: 103,
	/** To a helper: map a stack of a version; the text is a `StackRequest`. */
	stack: 104,
	/** From a helper: what was asked for is done; for a stack, the text is a `MappedStack`. */
	done: 105,
	/** From a helper: it lacks the version's source map. */
	lacking: 106,
	/** From a helper: what was asked for cannot be done, and why. */
	failed: 107,
	/** To a helper: map a profile of a version; the text is the name of its script, the data the profile. */
	profile: 108,
} as const;

/** What a helper is asked for, or told. */
export interface HelperRequest {
	kind: number;
	/** What it is about: a stream's number, or a version's. */
	id: number;
	text: string;
	data: Uint8Array;
}

/** What a helper has to say to what it was asked. */
export interface HelperAnswer {
	kind: number;
	/** The CPU time that it took. */
	us: Microseconds;
	text: string;
	data: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function writeHelperRequest(
	writer: FrameWriter,
	{ kind, id, text = "", data = NOTHING }: Partial<HelperRequest> & Pick<HelperRequest, "kind" | "id">,
): void {
	writer.begin(kind).u32(id).text(text).bytes(data).end();
}

export function readHelperRequest(frame: Frame): HelperRequest & { data: Buffer } {
	return { kind: frame.kind, id: frame.u32(), text: frame.text(), data: frame.bytes() };
}

export function writeHelperAnswer(
	writer: FrameWriter,
	{ kind, us, text = "", data = NOTHING }: Partial<HelperAnswer> & Pick<HelperAnswer, "kind" | "us">,
): void {
	writer.begin(kind).f64(us).text(text).bytes(data).end();
}

/** Throws FrameError where it is none. */
export function readHelperAnswer(frame: Frame): HelperAnswer {
	return { kind: frame.kind, us: frame.amount(), text: frame.text(), data: frame.bytes() };
}
