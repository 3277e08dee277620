import type { BindingNumber } from "../../../link/calls.ts";
import { Call } from "../../../prelude/call.ts";
import type { Body } from "../../../prelude/fetch/body.ts";
import { ObjectCode } from "../calls.ts";
import { encodeObjectsAsked, type ObjectsAsked } from "../schema.ts";

/** Asks the bucket of a binding. Rejects with an Error like `get: The specified key does not exist. (10007)`. */
export async function ask(
	binding: BindingNumber,
	what: string,
	asked: ObjectsAsked,
	body: Body | null = null,
): Promise<Call> {
	const call = new Call(binding, { what: `R2 ${what}`, argument: encodeObjectsAsked(asked), body, signal: null });
	await call.answered;
	if (call.failure !== null) throw failed(what, call.failure);
	return call;
}

function failed(what: string, failure: string): Error {
	const found = /^([45]\d\d) (?:(\d{5,6}) )?(.*)$/s.exec(failure);
	if (found === null) return new Error(`${what}: ${failure} (${ObjectCode.internal})`);
	return new Error(`${what}: ${found[3]} (${found[2] ?? codeOf(found[1])})`);
}

/** For what was refused before it was known what it was for. */
function codeOf(status: string): number {
	switch (status) {
		case "400":
			return ObjectCode.invalidArgument;
		case "413":
			return ObjectCode.tooLarge;
		case "429":
			return ObjectCode.tooMany;
		case "503":
			return ObjectCode.unavailable;
		default:
			return ObjectCode.internal;
	}
}
