import { createHash } from "node:crypto";
import { Refused } from "../../../stores/store.ts";
import type { Bytes } from "../../../units.ts";
import { ObjectCode, type UploadComplete } from "../calls.ts";
import type { Part } from "./bodies.ts";

/** https://developers.cloudflare.com/r2/objects/multipart-objects/ */
const LEAST_PART: Bytes = 5 * 2 ** 20;

/**
 * Those of an upload's parts that are to be an object, in the order of their numbers. Throws Refused where one is not
 * there, or has not the size that it has to have: all of them are as large as the first, but for the last.
 */
export function chosenParts(all: readonly Part[], named: UploadComplete["parts"]): Part[] {
	const there = new Map(all.map((part) => [part.number, part]));
	const chosen = new Map<number, Part>();
	for (const { number, etag } of named) {
		const part = there.get(number);
		if (part === undefined || part.md5 !== etag)
			throw new Refused(`400 ${ObjectCode.invalidPart} One or more of the specified parts could not be found.`);
		if (chosen.has(number))
			throw new Refused(`500 ${ObjectCode.internal} We encountered an internal error. Please try again.`);
		chosen.set(number, part);
	}
	const parts = [...chosen.values()].sort((a, b) => a.number - b.number);
	const last = parts.pop();
	if (last === undefined)
		throw new Refused(`400 ${ObjectCode.invalidPart} One or more of the specified parts could not be found.`);
	if (parts.some(({ size }) => size < LEAST_PART))
		throw new Refused(
			`400 ${ObjectCode.tooSmall} Your proposed upload is smaller than the minimum allowed object size.`,
		);
	if (parts.some(({ size }) => size !== parts[0].size) || (parts.length > 0 && last.size > parts[0].size))
		throw new Refused(`500 ${ObjectCode.badUpload} There was a problem with the multipart upload.`);
	return [...parts, last];
}

/** Of an object that was uploaded by parts: a hash over theirs, and how many there are. */
export function etagOfParts(parts: readonly Part[]): string {
	const hash = createHash("md5");
	for (const { md5 } of parts) hash.update(md5, "hex");
	return `${hash.digest("hex")}-${parts.length}`;
}
