import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const HEAD = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/** Writes the same again and again, for as long as it is taken. */
function endlessly(socket: Socket, head: string, rest: string): void {
	const more = () => {
		while (!socket.destroyed && socket.write(rest));
		socket.once("drain", more);
	};
	socket.write(head);
	more();
}

/** What a server does to whoever asks for a path. */
const SERVER: Record<string, (socket: Socket) => void> = {
	"/informational": (socket) => endlessly(socket, "", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)),
	"/early": (socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
	"/headers": (socket) => endlessly(socket, "HTTP/1.1 200 OK\r\n", "a: x\r\n".repeat(1000)),
	"/trailers": (socket) => endlessly(socket, `${HEAD}0\r\n`, "a: x\r\n".repeat(1000)),
	"/extension": (socket) => endlessly(socket, `${HEAD}1;a=`, "x".repeat(10_000)),
	"/zeros": (socket) => endlessly(socket, HEAD, "0".repeat(10_000)),
	"/tiny": (socket) => socket.write(`${HEAD}${"1\r\nx\r\n".repeat(50_000)}0\r\n\r\n`),
	"/large": (socket) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n${"x".repeat(1e7)}`),
	"/fields": (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"a:x\r\n".repeat(2000)}content-length: 2\r\n\r\nok`),
	"/early-fields": (socket) => endlessly(socket, "", `HTTP/1.1 103 Early Hints\r\n${"a:x\r\n".repeat(2000)}\r\n`),
	"/last-fields": (socket) => socket.write(`${HEAD}0\r\n${"a:x\r\n".repeat(2000)}\r\n`),
	"/cookies": (socket) =>
		socket.write(`HTTP/1.1 200 OK\r\n${"set-cookie: a=b\r\n".repeat(200)}content-length: 2\r\n\r\nok`),
	"/moved": (socket) => endlessly(socket, "HTTP/1.1 302 Found\r\nlocation: /early\r\n\r\n", "x".repeat(10_000)),
	"/reset": (socket) => endlessly(socket, "HTTP/1.1 205 Reset Content\r\n\r\n", "x".repeat(10_000)),
};

const sockets = new Set<Socket>();
const server = createServer((socket) => {
	sockets.add(socket);
	socket.on("error", () => undefined);
	socket.on("close", () => sockets.delete(socket));
	socket.on("data", (data) => SERVER[String(data).split(" ")[1]]?.(socket));
});
const atoll = new TestRuntime({ isolation: "inline", egress: { allow: ["127.0.0.1"] }, limits: { cpuMs: 5000 } });
let origin: string;

/** What a function gets that reads a response of the server's. */
async function fetched(
	path: string,
	name = "reads",
): Promise<{ status?: number; bytes?: number; pieces?: number; error?: string }> {
	return JSON.parse(await atoll.text(name, `/?${origin}${path}`));
}

before(async () => {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const source = `export default { async fetch(request) {
		try {
			const response = await fetch(new URL(request.url).search.slice(1));
			let bytes = 0, pieces = 0;
			for await (const piece of response.body ?? []) { bytes += piece.length; pieces++; }
			return Response.json({ status: response.status, bytes, pieces });
		} catch (error) { return Response.json({ error: error.message }); }
	} };`;
	for (const name of ["reads", "other"]) await atoll.deploy(name, source);
});
after(() => {
	for (const socket of sockets) socket.destroy();
	server.close();
});

test("informational responses are passed over, but not without end", async () => {
	assert.deepEqual(await fetched("/early"), { status: 200, bytes: 2, pieces: 1 });
	assert.match((await fetched("/informational")).error ?? "", /more than 16 informational responses/);
});

for (const what of ["headers", "trailers", "extension", "zeros"]) {
	test(`${what} without end are not read without end`, async () => {
		assert.match((await fetched(`/${what}`)).error ?? "", /sent \d+ bytes that are no part of a response/);
		await until(() => sockets.size <= 1); // The one that is kept alive.
	});
}

test("a body in chunks of one byte comes whole, in fewer pieces", async () => {
	const { status, bytes, pieces = Number.NaN } = await fetched("/tiny");
	assert.deepEqual([status, bytes], [200, 50_000]);
	assert.ok(pieces < 5000, `${pieces} pieces`);
});

test("a large body comes whole", async () => {
	const { status, bytes } = await fetched("/large");
	assert.deepEqual([status, bytes], [200, 10_000_000]);
});

test("a head with thousands of fields is refused, and so are trailers", async () => {
	assert.deepEqual(await fetched("/cookies"), { status: 200, bytes: 2, pieces: 1 });
	for (const path of ["/fields", "/early-fields", "/last-fields"])
		assert.match((await fetched(path)).error ?? "", /more than 256 header fields/, path);
	await until(() => sockets.size <= 1);
});

test("a body that nobody reads ends its connection", async () => {
	assert.deepEqual(await fetched("/moved"), { status: 200, bytes: 2, pieces: 1 });
	assert.equal((await fetched("/reset")).status, 205);
	await until(() => sockets.size <= 1);
});

test("tenants share no connection", async () => {
	await fetched("/early");
	const before = new Set(sockets);
	await fetched("/early");
	assert.deepEqual([...sockets], [...before], "the same tenant's is used again");
	await fetched("/early", "other");
	assert.equal(sockets.size, before.size + 1);
});
