import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { bodyOf, exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

let seed = Number(process.env.FUZZ_SEED ?? 20_260_101);
const random = (below: number) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
};
const pick = <T>(values: T[]) => values[random(values.length)];

const atoll = new TestRuntime({ limits: { requestBodyBytes: 100_000 } });
let server: HttpServer;
let port: number;

before(async () => {
	await atoll.deploy(
		"echo",
		`export default { async fetch(r) { const text = await r.text(); return new Response(r.method + " " + text.length); } }`,
	);
	server = new HttpServer(atoll.runtime);
	({ port } = await server.listen(0, "127.0.0.1"));
});
after(() => server.close());

/** Sends bytes in pieces, then ends or resets the connection; gives what came back until it closed or nothing more came. */
function talk(bytes: Buffer, cuts: number[], reset: boolean): Promise<string> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		let text = "";
		socket.setEncoding("latin1");
		socket.on("data", (chunk: string) => {
			text += chunk;
		});
		socket.on("error", () => undefined);
		socket.on("close", () => resolve(text));
		let at = 0;
		const next = () => {
			const size = cuts.shift();
			if (size === undefined || at >= bytes.length) {
				if (reset) socket.resetAndDestroy();
				else socket.end();
				return;
			}
			socket.write(bytes.subarray(at, at + size), () => setImmediate(next));
			at += size;
		};
		socket.on("connect", next);
	});
}

function request(): string {
	const target = pick([
		"/",
		"/a?b=c",
		"*",
		"//",
		"/%zz",
		"/\u00e9",
		"http://echo.test/x",
		"/".repeat(20_000),
		"",
		"/..//../",
	]);
	const method = pick(["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "B@D", ""]);
	const headers = Array.from({ length: random(6) }, () =>
		pick([
			"Host: echo.test",
			"Host: echo.test",
			"host: elsewhere.test",
			"Content-Length: 5",
			"Content-Length: 5, 6",
			"Content-Length: -1",
			"Content-Length: 99999999999999999999",
			"Transfer-Encoding: chunked",
			"Transfer-Encoding: gzip, chunked",
			"Transfer-Encoding : chunked",
			"Expect: 100-continue",
			"Expect: nothing",
			"Connection: close",
			"Connection: upgrade",
			"Upgrade: websocket",
			`X-Long: ${"a".repeat(random(40_000))}`,
			"X-Null: a\0b",
			" Folded: yes",
			"NoColon",
			": empty",
			`Cookie: ${"=".repeat(100)}`,
		]),
	);
	const body = pick([
		"",
		"hello",
		"5\r\nhello\r\n0\r\n\r\n",
		"zz\r\nhello\r\n0\r\n\r\n",
		"fffffffffffffffff\r\n",
		"5\r\nhel",
		"x".repeat(200_000),
	]);
	const version = pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]);
	return `${method} ${target} ${version}\r\nHost: echo.test\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n${body}`;
}

test("whatever comes over a connection, others are served, every answer is HTTP, and nothing is left behind", async () => {
	for (let round = 0; round < 40; round++) {
		const talks = Array.from({ length: 10 }, () => {
			let bytes = Buffer.from(Array.from({ length: 1 + random(3) }, request).join(""), "latin1");
			for (let i = random(4); i > 0; i--) bytes[random(bytes.length)] = random(256);
			if (random(3) === 0) bytes = bytes.subarray(0, random(bytes.length));
			const cuts = Array.from({ length: 1 + random(20) }, () => 1 + random(pick([3, 100, 60_000])));
			return talk(bytes, cuts, random(4) === 0);
		});
		const good = await exchange(
			port,
			"POST / HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
		);
		assert.equal(statusOf(good), 200);
		assert.equal(bodyOf(good), "POST 4");
		for (const text of await Promise.all(talks))
			assert.ok(text === "" || /^HTTP\/1\.1 [1-5]\d\d /.test(text), `seed ${seed}: ${text.slice(0, 100)}`);
	}
	assert.equal(atoll.runtime.stats().restarts, 0);
	await until(() => atoll.runtime.stats().inFlight === 0);
});

test("a client that sends its head or its body a byte at a time costs others nothing", async () => {
	const slow = [
		connect(port, "127.0.0.1"),
		connect(port, "127.0.0.1"),
		...Array.from({ length: 200 }, () => connect(port, "127.0.0.1")),
	];
	for (const socket of slow) socket.on("error", () => undefined);
	slow[0].write("GET / HT");
	slow[1].write("POST / HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 90000\r\n\r\nx");
	for (const socket of slow.slice(2))
		socket.write("POST / HTTP/1.1\r\nHost: echo.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n");
	for (let i = 0; i < 20; i++) {
		slow[1].write("x");
		const good = await exchange(port, "GET / HTTP/1.1\r\nHost: echo.test\r\nConnection: close\r\n\r\n");
		assert.equal(statusOf(good), 200);
	}
	for (const socket of slow) socket.destroy();
	await until(() => atoll.runtime.stats().inFlight === 0);
});
