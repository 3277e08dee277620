import type { Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** The frames between whoever asks and a data process. Each `ask` is answered by one of the others, in any order. */
export const DataKind = {
	/** To a data process: do something; the text is a `DataCall` without its bytes. */
	ask: 112,
	/** From a data process: it is done, and if it was to be kept it is on disk; the text is what came of it, as JSON. */
	done: 113,
	/** From a data process: it cannot be done, and why, in words that a function may read. */
	refused: 114,
	/** From a process of SQL: what it has changed is about to last, so that who asks twice may change it twice. */
	begun: 115,
} as const;

/** What is asked of a store: an operation of its own, with what that takes. */
export interface DataCall {
	/** A store's name, as `data/main.ts` has them. */
	store: string;
	operation: string;
	/** What it is told; anything that JSON can hold. */
	said: object;
	bytes?: Uint8Array;
}

/** What came of a call, or why nothing did. */
export interface DataAnswer {
	kind: number;
	/** The call's number. */
	id: number;
	text: string;
	bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function writeDataCall(writer: FrameWriter, id: number, { bytes = NOTHING, ...call }: DataCall): void {
	writer.begin(DataKind.ask).u32(id).text(JSON.stringify(call)).bytes(bytes).end();
}

export function readDataCall(frame: Frame): DataCall & { id: number; bytes: Buffer } {
	const id = frame.u32();
	const call = JSON.parse(frame.text()) as DataCall;
	return { ...call, id, bytes: frame.bytes() };
}

export function writeDataAnswer(
	writer: FrameWriter,
	{ kind, id, text, bytes = NOTHING }: Omit<DataAnswer, "bytes"> & { bytes?: Uint8Array },
): void {
	writer.begin(kind).u32(id).text(text).bytes(bytes).end();
}

/** Throws FrameError where it is none. */
export function readDataAnswer(frame: Frame): DataAnswer {
	return { kind: frame.kind, id: frame.u32(), text: frame.text(), bytes: frame.bytes() };
}
