import { md5 } from "@noble/hashes/legacy.js";

/**
 * The hash that WebCrypto has not and Workers have, for what is old enough to ask for it:
 * https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#supported-algorithms. Computed here, where it
 * counts.
 */
export function digestMd5(bytes: Uint8Array): ArrayBuffer {
	return new Uint8Array(md5(bytes)).buffer;
}
