import fc from "fast-check";
import { mostly } from "./wire.ts";

/** So many of one letter, written such that a finding can be read. */
const many = (letter: string, size: number) => (size > 40 ? `{${size} ${letter}}` : letter.repeat(size));

const methods = fc.oneof(
	{ weight: 8, arbitrary: fc.constant("GET") },
	{ weight: 4, arbitrary: fc.constant("POST") },
	{ weight: 2, arbitrary: fc.constantFrom("HEAD", "OPTIONS", "PUT", "DELETE") },
	{ weight: 1, arbitrary: fc.constantFrom("CONNECT", "TRACE", "get", "B@D", "", "PRI", "G\u00e9T", many("M", 300)) },
);

const sizes = fc.constantFrom(0, 1, 100, 8192, 70_000, 262_144, 2 ** 20);
const larges = sizes.map((size) => `/bytes/${size}`);
const streams = fc.tuple(fc.constantFrom(1, 3, 20), sizes).map(([pieces, size]) => `/stream/${pieces}/${size}`);
const paths = fc.oneof(
	{
		weight: 2,
		arbitrary: fc.constantFrom("/", "/unread", "/through", "/wait/30", "/throw", "/status/204", "/status/304"),
	},
	{ weight: 2, arbitrary: larges },
	{ weight: 1, arbitrary: streams },
	{ weight: 1, arbitrary: fc.tuple(sizes, sizes).map(([said, sent]) => `/length/${said}/${sent}`) },
	{ weight: 2, arbitrary: fc.constant("/socket/echo") },
);
const targets = mostly(
	paths,
	fc.constantFrom(
		"*",
		"//",
		"/%zz",
		"/\u00e9",
		"http://stage.test/",
		"http://other.test/x",
		"https://stage.test/",
		"",
		"/../..//",
		"/a b",
		"stage.test:80",
		"/#x",
		`/${many("a", 20_000)}`,
		"http://[::1",
		"http://a@stage.test/",
	),
);

const hosts = mostly(
	fc.constant("Host: stage.test\r\n"),
	fc.constantFrom(
		"",
		"Host: stage.test\r\nHost: stage.test\r\n",
		"Host: other.test\r\n",
		"Host: STAGE.test:80\r\n",
		"Host: stage.test.\r\n",
		"Host:\r\n",
		"Host: a b\r\n",
		"Host: stage.test, x\r\n",
	),
);

const fields = fc.oneof(
	fc.constantFrom(
		"Accept: text/html",
		"Expect: 100-continue",
		"Expect: nothing",
		"Connection: close",
		"Connection: keep-alive",
		"Connection: host, x-a",
		"TE: trailers",
	),
	fc.constantFrom(
		" Folded: yes",
		"NoColon",
		": empty",
		"X-Null: a\0b",
		"X-Bare: a\rb",
		"Space : x",
		"X-High: \u00e9\u00ff",
		`X-Long: ${many("a", 20_000)}`,
		`X-Huge: ${many("a", 140_000)}`,
	),
	fc.constantFrom(
		"Content-Length: 5",
		"Content-Length: +5",
		"Content-Length: 5, 5",
		"Content-Length: 99999999999999999999",
		"Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding : chunked",
		"Transfer-Encoding: identity",
	),
);

/** Framing and body, most of the time such that they agree. */
const bodies = fc.oneof(
	{ weight: 8, arbitrary: fc.constant("\r\n") },
	{
		weight: 3,
		arbitrary: fc
			.constantFrom(0, 5, 70_000, 300_000)
			.map((size) => `Content-Length: ${size}\r\n\r\n${many("x", size)}`),
	},
	{
		weight: 3,
		arbitrary: fc
			.array(fc.constantFrom(1, 5, 4096, 70_000), { maxLength: 4 })
			.map(
				(parts) =>
					`Transfer-Encoding: chunked\r\n\r\n${parts.map((size) => `${size.toString(16)}\r\n${many("x", size)}\r\n`).join("")}0\r\n\r\n`,
			),
	},
	{
		weight: 1,
		arbitrary: fc.constantFrom(
			"Content-Length: 9\r\n\r\nhello",
			"Content-Length: 2\r\n\r\nhello",
			"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
			'Transfer-Encoding: chunked\r\n\r\n5;ext="a"\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n',
			"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo0\r\n\r\n",
		),
	},
);

/** A request for an answer in the same protocol. */
export const plain = fc
	.record({
		method: methods,
		target: targets,
		version: mostly(fc.constant("HTTP/1.1"), fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "HTTP/1.1 ")),
		host: hosts,
		fields: mostly(fc.constant<string[]>([]), fc.array<string>(fields, { maxLength: 3 })),
		body: bodies,
	})
	.map(
		({ method, target, version, host, fields, body }) =>
			`${method} ${target} ${version}\r\n${host}${fields.map((field) => `${field}\r\n`).join("")}${body}`,
	);

/** A request to go on with another protocol: of a WebSocket's handshake, most of the time. */
export const upgrades = fc
	.record({
		method: mostly(fc.constant("GET"), methods),
		target: mostly(fc.constantFrom("/socket/echo", "/socket/flood/20/100", "/", "/bytes/100", "/wait/30"), targets),
		protocol: mostly(fc.constant("websocket"), fc.constantFrom("WebSocket", "h2c", "websocket, h2c", "tls/1.0", "")),
		connection: mostly(
			fc.constant("Upgrade"),
			fc.constantFrom("Upgrade, HTTP2-Settings", "keep-alive, Upgrade", "close, Upgrade", "close"),
		),
		key: mostly(fc.constant("dGhlIHNhbXBsZSBub25jZQ=="), fc.constantFrom("", "short", "a, b")),
		version: mostly(fc.constant("13"), fc.constantFrom("8", "")),
		body: mostly(fc.constant("\r\n"), bodies),
	})
	.map(
		({ method, target, protocol, connection, key, version, body }) =>
			`${method} ${target} HTTP/1.1\r\nHost: stage.test\r\nConnection: ${connection}\r\nUpgrade: ${protocol}\r\n` +
			`Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${version}\r\n${body}`,
	);

/** A request for a lot. */
export const demands = fc
	.tuple(fc.constantFrom("GET", "POST", "HEAD"), fc.oneof(larges, streams))
	.map(([method, path]) => `${method} ${path} HTTP/1.1\r\nHost: stage.test\r\n\r\n`);
