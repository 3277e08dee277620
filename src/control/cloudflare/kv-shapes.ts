import type { Content } from "../../bindings/binding.ts";
import type { Entry } from "../../bindings/kv/namespace.ts";
import { refusalIn } from "../../stores/data-process.ts";
import { CloudflareError, Code } from "./envelope.ts";

/** What a namespace refuses, in Cloudflare's form. */
export function toldOf(error: Error): Error {
	const refusal = refusalIn(error);
	return refusal === null ? error : new CloudflareError(refusal.status, Code.invalid, refusal.why);
}

/** What a sandbox has put there as metadata is JSON, as long as it is an honest one. */
export function metadataIn(text: string | null): unknown {
	try {
		return text === null ? null : (JSON.parse(text) as unknown);
	} catch {
		return text;
	}
}

/** A value as the body of an answer. */
export function streamOf(content: Content): ReadableStream | Uint8Array<ArrayBuffer> | null {
	if (content === null || content instanceof Uint8Array) return content as Uint8Array<ArrayBuffer> | null;
	return ReadableStream.from(content) as ReadableStream;
}

/** What a call says of an entry. */
export function entryOf(given: {
	key: string;
	metadata: string | null;
	expiration?: number | null | undefined;
	expiration_ttl?: number | null | undefined;
}): Entry {
	const { key, metadata, expiration = null, expiration_ttl: expirationTtl = null } = given;
	return { key, metadata, expiration, expirationTtl };
}
