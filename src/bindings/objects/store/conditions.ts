import { Refused } from "../../../stores/store.ts";
import type { Bytes } from "../../../units.ts";
import { type EtagMatch, ObjectCode, type ObjectCondition, type ObjectHead, type ObjectRange } from "../calls.ts";

/** Whether a condition holds of an object, or of there being none: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2 */
export function holds(condition: ObjectCondition, head: Pick<ObjectHead, "etag" | "uploaded"> | null): boolean {
	const { etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter, secondsGranularity } = condition;
	if (head === null) return etagMatches === null && uploadedAfter === null;
	const time = (ms: number) => (secondsGranularity ? Math.floor(ms / 1000) : ms);
	const uploaded = time(head.uploaded);
	const isMatched = etagMatches === null || matches(etagMatches, head.etag, false);
	const isOther = etagDoesNotMatch === null || !matches(etagDoesNotMatch, head.etag, true);
	// What is said of the ETag counts before what is said of the time.
	const isBefore = uploadedBefore === null || etagMatches !== null || uploaded < time(uploadedBefore);
	const isAfter = uploadedAfter === null || etagDoesNotMatch !== null || uploaded > time(uploadedAfter);
	return isMatched && isOther && isBefore && isAfter;
}

function matches(given: readonly EtagMatch[], etag: string, isWeak: boolean): boolean {
	return given.some((one) => one.value === "*" || (one.value === etag && (isWeak || !one.isWeak)));
}

/** Which bytes of so many a range is. Throws Refused for one that has none. */
export function bytesOf(range: ObjectRange | null, size: Bytes): { offset: Bytes; length: Bytes } {
	if (range === null) return { offset: 0, length: size };
	if ("suffix" in range) {
		const length = Math.min(range.suffix, size);
		if (length === 0) throw unsatisfiable();
		return { offset: size - length, length };
	}
	const length = Math.min(range.length ?? size, size - range.offset);
	if (length <= 0) throw unsatisfiable();
	return { offset: range.offset, length };
}

function unsatisfiable(): Refused {
	return new Refused(`416 ${ObjectCode.invalidRange} The requested range is not satisfiable`);
}
