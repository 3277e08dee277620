import ivm from "isolated-vm";

/** Bytes as isolated-vm hands them into an isolate, which takes a whole buffer and no view of one. */
export function externalCopy(bytes: Uint8Array): ivm.ExternalCopy<ArrayBuffer> {
	const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
	return new ivm.ExternalCopy(buffer, { transferOut: true });
}
