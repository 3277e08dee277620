import type { Bytes } from "../units.ts";

/** A bundle made ready to run, whatever variables and limits it will run with. */
export interface Artifact {
	/** Names its content and the toolchain that made it. */
	key: string;
	/** The bundle, in UTF-8. */
	code: Uint8Array;
	codeCache: Uint8Array;
}

interface Head {
	format: 2;
	key: string;
	codeBytes: Bytes;
	codeCacheBytes: Bytes;
}

/** An artifact as bytes: a line of JSON, then code and code cache. */
export function encodeArtifact(artifact: Artifact): Buffer {
	const head: Head = {
		format: 2,
		key: artifact.key,
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
		code: bytes.subarray(codeAt, cacheAt),
		codeCache: bytes.subarray(cacheAt, cacheAt + head.codeCacheBytes),
	};
}
