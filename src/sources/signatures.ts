import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Milliseconds } from "../units.ts";

/** A signature that is older is not taken any more, nor one of so far in the future. */
const TOLERANCE_MS: Milliseconds = 300_000;
/** A sender signs with each of its keys, while it changes them. */
export const MOST_SIGNATURES = 10;

/** The HMAC-SHA256 of some parts under each of some keys. */
export function signaturesOf(keys: readonly (string | Buffer)[], ...parts: (string | Buffer)[]): Buffer[] {
	return keys.map((key) => {
		const hmac = createHmac("sha256", key);
		for (const part of parts) hmac.update(part);
		return hmac.digest();
	});
}

/** Whether one of some signatures is one of those that are right. All are looked at, for as long as it takes. */
export function isSigned(given: readonly Buffer[], right: readonly Buffer[]): boolean {
	let found = false;
	for (const one of given)
		for (const other of right) if (one.length === other.length && timingSafeEqual(one, other)) found = true;
	return found;
}

/** Whether a text is one of some secrets, however long each is. */
export function isOneOf(text: string, secrets: readonly string[]): boolean {
	const hashed = (one: string) => createHash("sha256").update(one).digest();
	return isSigned([hashed(text)], secrets.map(hashed));
}

/** Whether a time in seconds is about now; `null` for what is no time. */
export function isRecent(seconds: string, now: Milliseconds): boolean {
	return /^\d{1,12}$/.test(seconds) && Math.abs(Number(seconds) * 1000 - now) <= TOLERANCE_MS;
}
