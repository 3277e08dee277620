import { z } from "zod";
import { check } from "./check.ts";

/** Checks an event by the schema that its type has, one of these. */
export function checkEvent(
	types: Readonly<Record<string, { readonly input: z.ZodType }>>,
	event: unknown,
): { type: string } {
	const { type } = check<{ type: string }>(z.looseObject({ type: z.enum(Object.keys(types)) }), event, "dispatch");
	return check<{ type: string }>(types[type].input, event, "dispatch");
}
