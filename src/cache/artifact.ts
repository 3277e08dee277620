import { createHash } from "node:crypto";
import type { AttemptFailure, Bytes, Microseconds } from "../isolates/protocol.ts";

/** A version made ready to run. */
export interface Artifact {
	/** Names its content and the toolchain that made it. */
	key: string;
	code: string;
	sourceMap: string;
	codeCache: Uint8Array;
	/** How long a cold start took when it was built. */
	startUs: Microseconds;
	/** Why the top level failed when it was built, if it did. */
	failure: AttemptFailure | null;
}

interface Head {
	format: 1;
	key: string;
	startUs: Microseconds;
	failure: AttemptFailure | null;
	codeBytes: Bytes;
	sourceMapBytes: Bytes;
	codeCacheBytes: Bytes;
}

const CHECKSUM = 32;

/** An artifact as one file: SHA-256 of the rest, a line of JSON, then code, source map and code cache. */
export function encodeArtifact(artifact: Artifact): Buffer {
	const code = Buffer.from(artifact.code);
	const sourceMap = Buffer.from(artifact.sourceMap);
	const head: Head = {
		format: 1,
		key: artifact.key,
		startUs: artifact.startUs,
		failure: artifact.failure,
		codeBytes: code.length,
		sourceMapBytes: sourceMap.length,
		codeCacheBytes: artifact.codeCache.length,
	};
	const rest = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), code, sourceMap, artifact.codeCache]);
	return Buffer.concat([createHash("sha256").update(rest).digest(), rest]);
}

/** Reads an artifact's file; `null` if it is not whole and unchanged, or is another's. */
export function decodeArtifact(bytes: Buffer, key: string): Artifact | null {
	const rest = bytes.subarray(CHECKSUM);
	if (bytes.length <= CHECKSUM || !createHash("sha256").update(rest).digest().equals(bytes.subarray(0, CHECKSUM)))
		return null;
	const line = rest.indexOf(10);
	const head = JSON.parse(rest.toString("utf8", 0, line)) as Head;
	if (head.format !== 1 || head.key !== key) return null;
	let at = line + 1;
	const next = (length: Bytes) => {
		at += length;
		return rest.subarray(at - length, at);
	};
	return {
		key,
		startUs: head.startUs,
		failure: head.failure,
		code: next(head.codeBytes).toString(),
		sourceMap: next(head.sourceMapBytes).toString(),
		codeCache: next(head.codeCacheBytes),
	};
}
