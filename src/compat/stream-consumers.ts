/** `node:stream/consumers`: https://nodejs.org/api/webstreams.html#utility-consumers */
import { Buffer } from "./buffer.ts";

type Source = AsyncIterable<unknown> | Iterable<unknown>;

export async function buffer(source: Source): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const part of source)
		parts.push(typeof part === "string" ? Buffer.from(part) : Buffer.from(part as Uint8Array));
	return Buffer.concat(parts);
}
export async function arrayBuffer(source: Source): Promise<ArrayBuffer> {
	const { buffer: whole, byteOffset, byteLength } = await buffer(source);
	return whole.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
export const bytes = async (source: Source): Promise<Uint8Array> => new Uint8Array(await arrayBuffer(source));
export const blob = async (source: Source): Promise<Blob> => new Blob([await arrayBuffer(source)]);
export const text = async (source: Source): Promise<string> => new TextDecoder().decode(await arrayBuffer(source));
export const json = async (source: Source): Promise<unknown> => JSON.parse(await text(source));

export default { arrayBuffer, blob, buffer, bytes, json, text };
