import type { z } from "zod";
import { ControlError } from "./control-error.ts";

/** What is kept is written again by recursion, for whose depth there has to be a stack wherever that is. */
const MOST_DEPTH = 64;

/** What a text in JSON says. Throws ControlError `invalid` for what is none, or is nothing that could be kept. */
export function parseJson(text: string, what = "the body"): unknown {
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
	throw new ControlError("invalid", `${what}: ${message}`);
}
