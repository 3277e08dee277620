import { createHash } from "node:crypto";

/** What names a file of a site by all that is served of it: the SHA-256 of its media type, a zero byte and its bytes. */
export function assetHash(type: string, bytes: Uint8Array): string {
	return createHash("sha256").update(`${type}\0`).update(bytes).digest("hex");
}
