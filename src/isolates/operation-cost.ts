import type { Bytes, Microseconds } from "../units.ts";

/** An operation of WebCrypto cannot be stopped once it runs, so what it takes at least is known before. */
export interface Cost {
	us: Microseconds;
	/** The size of its result, where the caller says that. */
	resultBytes: Bytes;
}

/** One iteration of PBKDF2 on a fast machine. */
const ITERATION_US: Microseconds = 0.1;
/**
 * To make an RSA key of 2048 bits, and to use one; the first grows by the fourth power of its length, the second by
 * the third.
 */
const RSA_KEY_US: Microseconds = 20_000;
const RSA_USE_US: Microseconds = 200;

const HASH_BITS: Record<string, number> = { "SHA-1": 160, "SHA-256": 256, "SHA-384": 384, "SHA-512": 512 };

interface Parameters {
	name?: unknown;
	hash?: unknown;
	iterations?: unknown;
	length?: unknown;
	modulusLength?: unknown;
}

function nameOf(algorithm: unknown): string {
	return String(
		typeof algorithm === "object" && algorithm !== null ? (algorithm as Parameters).name : algorithm,
	).toUpperCase();
}

/** What an operation costs at least. Arguments that make no sense cost nothing: WebCrypto refuses them. */
export function costOf(method: string, args: unknown[]): Cost {
	const algorithm = Object(args[0]) as Parameters;
	switch (method) {
		case "deriveBits":
		case "deriveKey": {
			const bits = Number(method === "deriveBits" ? args[2] : (Object(args[2]) as Parameters).length) || 0;
			const blocks = Math.max(1, Math.ceil(bits / (HASH_BITS[nameOf(algorithm.hash)] ?? 256)));
			const iterations = nameOf(algorithm) === "PBKDF2" ? Number(algorithm.iterations) || 0 : 0;
			return { us: iterations * blocks * ITERATION_US, resultBytes: bits / 8 };
		}
		case "generateKey": {
			const scale = (Number(algorithm.modulusLength) || 0) / 2048;
			return { us: RSA_KEY_US * scale ** 4, resultBytes: (Number(algorithm.length) || 0) / 8 };
		}
		default: {
			let us = 0;
			for (const argument of args) {
				if (!(argument instanceof CryptoKey)) continue;
				const { modulusLength = 0 } = argument.algorithm as { modulusLength?: number };
				us += RSA_USE_US * (modulusLength / 2048) ** 3;
			}
			return { us, resultBytes: 0 };
		}
	}
}
