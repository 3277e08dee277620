/** By which numbers the edge knows the request whose sandbox was taken over. */
export interface OwnNumbers {
	attempt: number;
	version: number;
}

/** A field of a frame: a number, where it may be one of the request's own; a text; or so many bytes. */
export type Field =
	| { u8: number }
	| { u32: number | keyof OwnNumbers }
	/** A text for what JSON has no number for. */
	| { f64: number | string }
	/** `lengthOff` is how much longer than it is it says that it is. */
	| { text: string; lengthOff: number }
	| { bytes: number };

/** A frame as somebody writes it who does not keep to the protocol. */
export interface HostileFrame {
	to: "edge" | "sandbox";
	kind: number;
	fields: Field[];
	/** How much longer than it is it says that it is. */
	lengthOff: number;
	times: number;
}

/** A frame's bytes, in the format that `src/link/frame.ts` describes. */
export function renderFrame({ kind, fields, lengthOff }: HostileFrame, own: OwnNumbers): Buffer {
	const parts = fields.map((field) => renderField(field, own));
	const length = 1 + parts.reduce((sum, part) => sum + part.length, 0);
	return Buffer.concat([u32(length + lengthOff), Buffer.of(kind), ...parts]);
}

function renderField(field: Field, own: OwnNumbers): Buffer {
	if ("u8" in field) return Buffer.of(field.u8);
	if ("u32" in field) return u32(typeof field.u32 === "string" ? own[field.u32] : field.u32);
	if ("bytes" in field) return Buffer.alloc(field.bytes, "d");
	if ("text" in field) {
		const text = Buffer.from(field.text);
		return Buffer.concat([u32(text.length + field.lengthOff), text]);
	}
	const bytes = Buffer.alloc(8);
	bytes.writeDoubleLE(Number(field.f64));
	return bytes;
}

function u32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(value >>> 0);
	return bytes;
}
