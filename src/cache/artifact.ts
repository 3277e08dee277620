import type { AttemptFailure } from "../link/protocol.ts";
import type { Bytes, Microseconds } from "../units.ts";

/** A version made ready to run. */
export interface Artifact {
	/** Names its content and the toolchain that made it. */
	key: string;
	/** The bundle, in UTF-8. */
	code: Uint8Array;
	codeCache: Uint8Array;
	/** The names of the function's handlers (`link/handlers.ts`). */
	handlers: string[];
	/** How long a cold start took when it was built. */
	startUs: Microseconds;
	/** Why the top level failed when it was built, if it did. */
	failure: AttemptFailure | null;
}

/** The id of the version that an artifact is. */
export function idOf(key: string): string {
	return key.slice(0, 12);
}

interface Head {
	format: 2;
	key: string;
	handlers: string[];
	startUs: Microseconds;
	failure: AttemptFailure | null;
	codeBytes: Bytes;
	codeCacheBytes: Bytes;
}

/** An artifact as bytes: a line of JSON, then code and code cache. */
export function encodeArtifact(artifact: Artifact): Buffer {
	const head: Head = {
		format: 2,
		key: artifact.key,
		handlers: artifact.handlers,
		startUs: artifact.startUs,
		failure: artifact.failure,
		codeBytes: artifact.code.length,
		codeCacheBytes: artifact.codeCache.length,
	};
	return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), artifact.code, artifact.codeCache]);
}

/** Reads an artifact back; `null` if it is another's. */
export function decodeArtifact(bytes: Buffer, key: string): Artifact | null {
	const line = bytes.indexOf(10);
	const head = JSON.parse(bytes.toString("utf8", 0, line)) as Head;
	if (head.format !== 2 || head.key !== key) return null;
	const codeAt = line + 1;
	const cacheAt = codeAt + head.codeBytes;
	return {
		key,
		handlers: head.handlers,
		startUs: head.startUs,
		failure: head.failure,
		code: bytes.subarray(codeAt, cacheAt),
		codeCache: bytes.subarray(cacheAt, cacheAt + head.codeCacheBytes),
	};
}
