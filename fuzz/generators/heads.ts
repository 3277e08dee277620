import fc from "fast-check";

/** Names that no function may send, or that frame a message, in whatever case. */
const NAMES = [
	"x-atoll-error",
	"x-atoll-request-id",
	"content-length",
	"transfer-encoding",
	"connection",
	"keep-alive",
];
const OTHERS = [
	"upgrade",
	"trailer",
	"set-cookie",
	"content-type",
	"date",
	"x-own",
	"sec-websocket-accept",
	"host",
	"",
];

const recased = fc
	.tuple(fc.constantFrom(...NAMES, ...OTHERS), fc.constantFrom("lower", "upper", "title"))
	.map(([name, letters]) =>
		letters === "lower"
			? name
			: letters === "upper"
				? name.toUpperCase()
				: name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()),
	);

const names = fc.oneof(
	{ weight: 8, arbitrary: recased },
	{
		weight: 1,
		arbitrary: fc.constantFrom("a b", "a:b", "a\r\nb: c", "a\0", "\u00e9", "content-length ", "x".repeat(1000)),
	},
);

const values = fc.oneof(
	{ weight: 5, arbitrary: fc.constantFrom("0", "5", "7", "chunked", "close", "keep-alive", "websocket", "forged", "") },
	{
		weight: 2,
		arbitrary: fc.constantFrom(
			"a\r\nx-split: yes",
			"a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
			"a\nb",
			"a\0b",
			"\u20ac",
			"\u00e9",
		),
	},
);

/** Heads of responses as a function would send them that has got between the prelude and its JSON. */
export const hostileHeads: fc.Arbitrary<unknown> = fc.record(
	{
		status: fc.oneof(
			{ weight: 6, arbitrary: fc.constantFrom(200, 200, 200, 101, 204, 304, 404) },
			{ weight: 1, arbitrary: fc.constantFrom<unknown>(100, 0, 1000, 200.5, "200", null, -1) },
		),
		statusText: fc.oneof(
			{ weight: 6, arbitrary: fc.constantFrom<unknown>("", "OK") },
			{ weight: 1, arbitrary: fc.constantFrom<unknown>("a\r\nx-split: yes", "\u20ac", 5, null) },
		),
		headers: fc.oneof(
			{
				weight: 8,
				arbitrary: fc.array(fc.tuple(names, values), { maxLength: 4 }).map((pairs) => pairs.flat()),
			},
			{ weight: 1, arbitrary: fc.constantFrom<unknown>(null, ["odd"], [1, 2], "text", {}, { length: 1e9 }) },
		),
		body: fc.constantFrom("none", "whole", "stream", "other"),
		socket: fc.constantFrom<unknown>(1, 2, 0, "1"),
	},
	{ requiredKeys: ["status", "statusText", "headers", "body"] },
);

/** Parts of a head as the link carries them. */
export const lineOf = (parts: unknown[]) => parts.join("\n");

const own = fc.record({
	status: fc.constantFrom(200, 200, 101, 204, 304, 404, 500),
	body: fc.constantFrom("none", "whole", "stream"),
	statusText: fc.constantFrom("", "OK", "\u20ac"),
	headers: fc.array(
		fc.tuple(fc.constantFrom(...NAMES, ...OTHERS.filter(Boolean)), fc.constantFrom("0", "5", "chunked", "forged", "")),
		{ maxLength: 4 },
	),
});

/** Heads of responses on the link: most are well-formed, and say what no function may. */
export const headLines: fc.Arbitrary<string> = fc.oneof(
	{
		weight: 4,
		arbitrary: own.map(({ status, body, statusText, headers }) =>
			lineOf([status, ...(status === 101 ? ["none", 1] : [body, 0]), statusText, ...headers.flat()]),
		),
	},
	{
		weight: 1,
		arbitrary: hostileHeads.map((head) => {
			const { status, body, socket = 0, statusText, headers } = head as Record<string, unknown>;
			return lineOf([status, body, socket, statusText, ...(Array.isArray(headers) ? headers : [headers])]);
		}),
	},
);
