import fc from "fast-check";
import { mostly } from "./wire.ts";

/** What a server answers that a function has fetched from: to each connection the same. */
export interface UpstreamAnswer {
	/** What the function does with it: a path of fuzz/functions/fetcher.js. */
	use: string;
	method: string;
	redirect: string;
	/** The head, to the byte. */
	head: string;
	/** Content codings, the outermost last; each is applied to so many copies of what is inside, one behind the other. */
	codings: { name: string; members: number }[];
	/** What is inside of them all. */
	size: number;
	/** How the body is framed. */
	framing: "length" | "chunked" | "close" | "short" | "long";
	/** Bytes that follow all that. */
	tail: string;
	cuts: number[];
	/** How many requests are made at the same time. */
	requests: number;
}

const fields = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.constantFrom(
			"X-A: 1",
			"Set-Cookie: a=b",
			"X-Atoll-Error: forged",
			"x-atoll-request-id: forged",
			"Connection: close",
			"Connection: x-a, keep-alive",
			"Keep-Alive: timeout=1000",
			"Upgrade: h2c",
			"Trailer: x-a",
			"Content-Type: text/html",
		),
	},
	{
		weight: 2,
		arbitrary: fc.constantFrom(
			"Location: http://127.0.0.1:1/",
			"Location: ",
			"Location: //",
			"Location: http://neighbour0.test/",
			"Location: /again",
			"Content-Length: 3",
			"Transfer-Encoding: chunked",
			"Transfer-Encoding: gzip, chunked",
			"Content-Encoding: x",
			"Content-Encoding: gzip, br, zstd, gzip, gzip",
		),
	},
	{
		weight: 1,
		arbitrary: fc.constantFrom(
			"X-High: \xe9\xff",
			"X-Null: a\0b",
			" Folded",
			"NoColon",
			": empty",
			`X-Long: ${"a".repeat(60_000)}`,
			Array.from({ length: 800 }, (_, i) => `x${i}: a`).join("\r\n"),
			Array.from({ length: 5000 }, () => "a:").join("\r\n"),
		),
	},
);

const statusLines = mostly(
	fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 404 Not Found", "HTTP/1.1 302 Found", "HTTP/1.1 307 x"),
	fc.constantFrom(
		"HTTP/1.0 200 OK",
		"HTTP/1.1 204 x",
		"HTTP/1.1 304 x",
		"HTTP/1.1 101 Switching Protocols",
		"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK",
		"HTTP/1.1 199 x",
		"HTTP/1.1 999 x",
		"HTTP/1.1 20 x",
		"HTTP/2 200",
		"ICY 200 OK",
		"",
		"HTTP/1.1 200 \xe9\xff",
		`HTTP/1.1 200 ${"r".repeat(20_000)}`,
		`${"HTTP/1.1 100 Continue\r\n\r\n".repeat(30)}HTTP/1.1 200 OK`,
	),
);

const heads = fc
	.tuple(statusLines, fc.array(fields, { maxLength: 4 }))
	.map(([line, headers]) => [line, ...headers].map((text) => `${text}\r\n`).join(""));

const codings: fc.Arbitrary<UpstreamAnswer["codings"]> = fc.array(
	fc.record({
		name: fc.constantFrom("gzip", "deflate", "br", "zstd"),
		members: fc.oneof(
			{ weight: 2, arbitrary: fc.constant(1) },
			{ weight: 1, arbitrary: fc.constantFrom(0, 2, 100, 10_000, 200_000) },
		),
	}),
	{ minLength: 1, maxLength: 3 },
);

export const upstreamAnswers: fc.Arbitrary<UpstreamAnswer> = fc.record({
	use: fc.constantFrom("/", "/", "/text", "/copy", "/tee", "/cancel", "/unread"),
	method: mostly(fc.constant("GET"), fc.constantFrom("HEAD", "POST")),
	redirect: mostly(fc.constant("follow"), fc.constantFrom("manual", "error")),
	head: heads,
	codings: fc.oneof(
		{ weight: 1, arbitrary: fc.constant<UpstreamAnswer["codings"]>([]) },
		{ weight: 1, arbitrary: codings },
	),
	size: fc.constantFrom(0, 1, 100, 70_000, 300_000, 4_000_000, 64_000_000),
	framing: fc.constantFrom("length", "length", "chunked", "chunked", "close", "short", "long"),
	tail: mostly(
		fc.constant(""),
		fc.constantFrom(
			"junk",
			"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
			"\r\n".repeat(10_000),
			"0\r\n".repeat(10_000),
		),
	),
	cuts: mostly(fc.constant<number[]>([]), fc.array(fc.constantFrom(1, 7, 100, 5000), { minLength: 1, maxLength: 3 })),
	requests: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(3, 8) }),
});
