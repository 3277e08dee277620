import fc from "fast-check";
import { demands, plain, upgrades } from "./requests.ts";
import { type Ending, endings, mostly, repeats } from "./wire.ts";

/** So many bytes a client sends at most, repetitions included: a flood is another matter. */
const MOST_SENT = 2 ** 20;

/** A request as a client writes it, and how often it does. */
export interface WrittenRequest {
	text: string;
	times: number;
}

/** What clients do with some connections: all of them the same at the same time. */
export interface Client {
	connections: number;
	requests: WrittenRequest[];
	cuts: number[];
	reads: boolean;
	ending: Ending;
}

const MANY = /\{(\d+) (\w)\}/g;

/** What is sent on one connection. */
export function renderRequests(requests: WrittenRequest[]): string {
	return requests
		.map(({ text, times }) => {
			const once = text.replace(MANY, (_, size: string, letter: string) => letter.repeat(Number(size)));
			return once.repeat(Math.max(1, Math.min(times, Math.floor(MOST_SENT / once.length))));
		})
		.join("");
}

const requests = fc.array(
	fc.record({
		text: fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: upgrades }),
		times: mostly(fc.constant(1), repeats),
	}),
	{ minLength: 1, maxLength: 5 },
);

const client: fc.Arbitrary<Client> = fc.record({
	connections: mostly(fc.constant(1), fc.constantFrom(2, 10, 30)),
	requests,
	cuts: mostly(fc.constant([]), fc.array(fc.constantFrom(1, 2, 3, 50, 1000, 60_000), { minLength: 1, maxLength: 5 })),
	reads: mostly(fc.constant(true), fc.boolean()),
	ending: endings,
});

/** Many that ask for much, and may well read none of it. */
const greedy: fc.Arbitrary<Client> = fc.record({
	connections: fc.constantFrom(10, 30),
	requests: fc.tuple(fc.record({ text: demands, times: repeats })),
	cuts: fc.constant<number[]>([]),
	reads: fc.boolean(),
	ending: endings,
});

export const clients: fc.Arbitrary<Client[]> = fc.array(
	fc.oneof({ weight: 4, arbitrary: client }, { weight: 1, arbitrary: greedy }),
	{ minLength: 1, maxLength: 3 },
);
