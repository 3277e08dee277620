/** JSON of what the prelude itself made out of lists and records: no `toJSON` that a function put on a prototype is called. */
export function toJson(value: unknown): string {
	// Object.prototype is behind Array's, so this sees a `toJSON` on either.
	return (Array.prototype as { toJSON?: unknown }).toJSON === undefined
		? JSON.stringify(value)
		: JSON.stringify(withoutToJson(value));
}

function withoutToJson(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return value;
	const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
	for (const key of Object.keys(value))
		(copy as Record<string, unknown>)[key] = withoutToJson((value as Record<string, unknown>)[key]);
	Object.defineProperty(copy, "toJSON", { value: undefined });
	return copy;
}
