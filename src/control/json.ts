import type { z } from "zod";
import { ControlError } from "./control-error.ts";

/** What is kept is written again by recursion, for whose depth there has to be a stack wherever that is. */
const MOST_DEPTH = 64;

/** What is checked has no more values: each that is wrong costs as much as a thousand that are right. */
const MOST_VALUES = 250_000;
const MOST_LETTERS = 1000;

const [QUOTE, COMMA, BACKSLASH] = Buffer.from('",\\');
const [OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = Buffer.from("[{]}");

/**
 * Throws ControlError `invalid` for a text that would hold this thread for long, which all tenants share: V8 takes
 * seconds for a million brackets, and the checks as long for a million values that are wrong. Goes through it once.
 */
function refuseBomb(text: string, what: string, mostValues: number): void {
	let depth = 0;
	let commas = 0;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
		} else if (code === OPEN_LIST || code === OPEN_OBJECT) {
			if (++depth > MOST_DEPTH) throw new ControlError("invalid", `${what} is nested more than ${MOST_DEPTH} deep`);
		} else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
		else if (code === COMMA && ++commas > mostValues)
			throw new ControlError("invalid", `${what} has more than ${mostValues} values`);
	}
}

/** What the body of a call says, which is to be checked. Throws ControlError `invalid` as `parseJson` does. */
export function parseBody(text: string, what = "the body"): unknown {
	return parseJson(text, what, MOST_VALUES);
}

/** What a text in JSON says. Throws ControlError `invalid` for what is none, or is nothing that could be kept. */
export function parseJson(text: string, what: string, mostValues = Number.POSITIVE_INFINITY): unknown {
	refuseBomb(text, what, mostValues);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new ControlError("invalid", `${what} is no JSON: ${(error as Error).message}`);
	}
	let level = [value];
	for (let depth = 0; level.length > 0; depth++) {
		if (depth > MOST_DEPTH) throw new ControlError("invalid", `${what} is nested more than ${MOST_DEPTH} deep`);
		const objects = level.filter((one) => typeof one === "object" && one !== null) as object[];
		// An object that is made anew by assignments would not have it.
		if (objects.some((one) => Object.hasOwn(one, "__proto__")))
			throw new ControlError("invalid", `${what} has a property with the name __proto__`);
		level = objects.flatMap((one): unknown[] => Object.values(one));
	}
	return value;
}

/** A value as a schema has it. Throws ControlError `invalid` that names what is wrong, below `where`. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, where = ""): T {
	const { success, data, error } = schema.safeParse(value);
	if (success) return data;
	const [{ path, message }] = error.issues;
	const what = [...(where === "" ? [] : [where]), ...path].join(".") || "the body";
	// It names all that is too much.
	throw new ControlError("invalid", `${what}: ${message.slice(0, MOST_LETTERS)}`);
}
