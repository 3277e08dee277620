import { host } from "../host.ts";

const { isView } = ArrayBuffer;

/** A string as UTF-8. Short ASCII, which is what most code encodes, never leaves the isolate. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
	if (text.length <= 64) {
		const bytes = new Uint8Array(text.length);
		let i = 0;
		for (; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code > 0x7f) break;
			bytes[i] = code;
		}
		if (i === text.length) return bytes;
	}
	return new Uint8Array(host.encodeUtf8(text));
}

/**
 * UTF-8 bytes as a string. A byte order mark is dropped unless `keepBOM`:
 * https://encoding.spec.whatwg.org/#utf-8-decode
 */
export function decodeUtf8(bytes: Uint8Array, keepBOM = false): string {
	if (bytes.length === 0) return "";
	if (bytes.length <= 64) {
		let ascii = "";
		let i = 0;
		for (; i < bytes.length; i++) {
			const code = bytes[i];
			if (code > 0x7f) break;
			ascii += String.fromCharCode(code);
		}
		if (i === bytes.length) return ascii;
	}
	return host.decode(exactBytes(bytes), "utf-8", false, keepBOM) as string;
}

/** Bytes whose buffer holds nothing else, so that copying them to the sandbox copies no more than them. */
export function exactBytes(bytes: Uint8Array): Uint8Array {
	// A copy by the constructor, since `slice` asks for the species that a function may have given typed arrays.
	return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
		? bytes
		: new Uint8Array(bytes);
}

/** Whether a value is a BufferSource: an ArrayBuffer or a view of one. */
export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
	return isView(value) || value instanceof ArrayBuffer;
}

/**
 * A view of a BufferSource's bytes, without copying them; a detached one has none:
 * https://webidl.spec.whatwg.org/#dfn-get-buffer-source-copy
 */
export function viewBytes(source: ArrayBuffer | ArrayBufferView): Uint8Array {
	if (((isView(source) ? source.buffer : source) as ArrayBuffer).detached) return new Uint8Array(0);
	if (isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
	return new Uint8Array(source);
}

/** A copy of a BufferSource's bytes. */
export function copyBytes(source: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
	return new Uint8Array(viewBytes(source));
}

export function concatBytes(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	let length = 0;
	for (const part of parts) length += part.length;
	const whole = new Uint8Array(length);
	let offset = 0;
	for (const part of parts) {
		whole.set(part, offset);
		offset += part.length;
	}
	return whole;
}
