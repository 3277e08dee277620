import { type Frame, FrameError } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { MessageData } from "./outgoing.ts";

const NONE = 0;
const BYTES = 1;
const NUMBER = 2;

/** Writes what a message carries as its frame's last fields: what kind of data (u8), a text, then the data. */
export function writeContent(writer: FrameWriter, text: string, data: MessageData): void {
	if (data === undefined) writer.u8(NONE).text(text);
	else if (typeof data === "number") writer.u8(NUMBER).text(text).f64(data);
	else writer.u8(BYTES).text(text).bytes(data);
}

/** Reads what `writeContent` has written, into a message. */
export function readContent(frame: Frame, message: { text: string; data: MessageData }): void {
	const type = frame.u8();
	message.text = frame.text();
	if (type === BYTES) message.data = frame.bytes();
	else if (type === NUMBER) message.data = frame.f64();
	else if (type !== NONE) throw new FrameError(`data of the type ${type}`);
}
