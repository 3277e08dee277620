import fc from "fast-check";

/** How a client ends its connection: by waiting for the server, by its own FIN, or by a reset. */
export type Ending = "wait" | "end" | "reset";

export const endings: fc.Arbitrary<Ending> = fc.oneof(
	{ weight: 4, arbitrary: fc.constant<Ending>("wait") },
	{ weight: 1, arbitrary: fc.constantFrom<Ending>("end", "reset") },
);

export const repeats = fc.constantFrom(2, 10, 40, 100, 120);

/** Mostly of the first, now and then of the second. */
export function mostly<T, U>(common: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
	return fc.oneof({ weight: 6, arbitrary: common }, { weight: 1, arbitrary: rare });
}
