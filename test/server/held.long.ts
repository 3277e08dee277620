import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { HttpServer } from "../../src/server/http-server.ts";
import { exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const KB = 1024;
const MB = 1024 * KB;
const LARGE = 250_000;
const upgrade = (path: string) =>
	`GET ${path} HTTP/1.1\r\nHost: serves.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==\r\n\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: serves.test\r\n\r\n`;
const FINE = "GET / HTTP/1.1\r\nHost: neighbour.test\r\nConnection: close\r\n\r\n";

const SERVES = `
const LARGE = "x".repeat(${LARGE});
let named = null;
let go; const gone = new Promise((resolve) => (go = resolve));
export default { async fetch(request) {
	const { pathname, searchParams } = new URL(request.url);
	if (request.headers.get("upgrade") === "websocket") {
		const { 0: client, 1: server } = new WebSocketPair();
		server.accept();
		let heard = 0;
		server.addEventListener("message", ({ data }) => { if (data === "?") server.send(String(heard)); else heard++; });
		if (pathname === "/talks") {
			const talk = () => { for (let i = 0; i < 4; i++) server.send(LARGE); setTimeout(talk, 1); };
			talk();
		}
		if (pathname === "/named") named = server;
		return new Response(null, { status: 101, webSocket: client });
	}
	if (pathname === "/tell") named.send(LARGE);
	if (pathname === "/large") return new Response(LARGE);
	if (pathname === "/go") go();
	if (pathname === "/wait") await gone;
	if (pathname === "/stream") {
		let left = Number(searchParams.get("pieces"));
		return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(new Uint8Array(50_000)); else c.close(); } }));
	}
	if (pathname === "/calls") {
		const response = await fetch("http://serves.test/stream?pieces=100");
		await gone; // It reads nothing until then.
		return new Response(String((await response.bytes()).length));
	}
	return new Response(String((await request.text()).length));
} };`;

/** A server with two functions, and clients of it that do not read unless they are told to. */
function serving(options: ConstructorParameters<typeof TestRuntime>[0]) {
	const atoll = new TestRuntime(options);
	const clients: Socket[] = [];
	let server: HttpServer;
	const context = {
		atoll,
		port: 0,
		held: () => atoll.runtime.stats().heldBytes,
		client(text: string | Buffer): Socket {
			const socket = connect(context.port, "127.0.0.1");
			socket.on("error", () => undefined); // It may be the one that is cut.
			socket.pause();
			clients.push(socket);
			socket.write(text);
			return socket;
		},
	};
	before(async () => {
		await atoll.deploy("serves", SERVES);
		await atoll.deploy("neighbour", `export default { fetch: () => new Response("fine") };`);
		server = new HttpServer(atoll.runtime);
		context.port = (await server.listen(0, "127.0.0.1")).port;
	});
	after(async () => {
		for (const socket of clients) socket.destroy();
		await server.close();
	});
	return context;
}

/** All that comes until the connection closes, or so many bytes of it. */
async function readOn(socket: Socket, bytes = Number.POSITIVE_INFINITY): Promise<number> {
	let got = 0;
	socket.on("data", (chunk: Buffer) => {
		got += chunk.length;
	});
	socket.resume();
	await until(() => got >= bytes || socket.closed);
	return got;
}

describe("what waits for clients", () => {
	const context = serving({ isolation: "inline", limits: { cpuMs: 30_000 }, maxHeldBytes: 16 * MB });
	const { atoll, held, client } = context;

	test("of a connection's requests one is answered at a time, as its client takes the answers", async () => {
		const count = 100;
		const before = atoll.records.length;
		const socket = client(get("/large").repeat(count));
		await until(() => held() > 100 * KB);
		for (let i = 0; i < 20; i++) assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		assert.ok(held() < 2 * LARGE, `${held()} bytes are held`);
		const answered = atoll.records.slice(before).filter(({ function: name }) => name === "serves").length;
		assert.ok(answered < count, `${answered} of them are answered`);
		assert.ok((await readOn(socket, count * LARGE)) >= count * LARGE);
		socket.destroy();
		await until(() => held() === 0);
	});

	test("what a client has sent ahead does not wait for it in memory: it cannot send more", async () => {
		const upload = `POST / HTTP/1.1\r\nHost: serves.test\r\nContent-Length: ${16 * MB}\r\n\r\n`;
		const socket = client(get("/wait") + upload);
		await until(() => held() > 0);
		for (let i = 0; i < 16; i++) socket.write(Buffer.alloc(MB, "x"));
		for (let i = 0; i < 20; i++) assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		assert.ok(!socket.destroyed && socket.writableLength > MB, "what it sends stays with it");
		assert.ok(held() < MB, `${held()} bytes are held`);
		assert.equal(await atoll.text("serves", "/go"), "0");
		socket.destroy();
		await until(() => held() === 0);
	});

	test("a slow upload is held on its function's account, and given up with its connection", async () => {
		const sockets = Array.from({ length: 20 }, () =>
			client(`POST / HTTP/1.1\r\nHost: serves.test\r\nContent-Length: 60000\r\n\r\n${"x".repeat(50_000)}`),
		);
		await until(() => held() === 20 * 50_000);
		for (const socket of sockets.slice(1)) socket.destroy();
		await until(() => held() === 50_000);
		sockets[0].write("x".repeat(10_000));
		await readOn(sockets[0], 100);
		await until(() => held() === 0);
	});

	test("uploads beyond what a function may have held are cut, and its neighbour's requests are not", async () => {
		// Without a tenant it may have half of the 16 MB.
		const sockets = Array.from({ length: 200 }, () =>
			client(`POST / HTTP/1.1\r\nHost: serves.test\r\nContent-Length: 65000\r\n\r\n${"x".repeat(60_000)}`).resume(),
		);
		await until(() => sockets.some(({ closed }) => closed));
		assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		await until(() => held() <= 8 * MB);
		assert.ok(
			sockets.some(({ closed }) => !closed),
			"those that there is room for stay",
		);
		for (const socket of sockets) socket.destroy();
		await until(() => held() === 0);
	});

	test("heads that have not come in whole are held too", async () => {
		const sockets = Array.from({ length: 50 }, () =>
			client(`GET / HTTP/1.1\r\nHost: serves.test\r\n${`a: ${"b".repeat(400)}\r\n`.repeat(250)}`).resume(),
		);
		await until(() => held() > MB);
		await until(() => sockets.some(({ closed }) => closed));
		assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		for (const socket of sockets) socket.destroy();
		await until(() => held() === 0);
	});

	test("what a function sends over WebSockets that nobody reads ends them", async () => {
		const sockets = Array.from({ length: 4 }, () => client(upgrade("/talks")));
		const before = atoll.records.length;
		const cut = () =>
			atoll.records.slice(before).filter(({ outcome, status }) => status === 101 && outcome === "overloaded").length;
		await until(() => cut() > 0);
		assert.ok(held() < 12 * MB, `${held()}`);
		assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		for (const socket of sockets) socket.destroy();
		await until(() => held() === 0);
	});

	test("what is still sent over one that was ended reaches no other client", async () => {
		client(upgrade("/named"));
		const before = atoll.records.length;
		while (!atoll.records.slice(before).some(({ status }) => status === 101)) await atoll.text("serves", "/tell");
		// One of them has the number that stood for the other.
		const options = { headers: { host: "serves.test" } };
		const others = Array.from({ length: 4 }, () => new WebSocket(`ws://127.0.0.1:${context.port}/`, options));
		await Promise.all(others.map((socket) => once(socket, "open")));
		await atoll.text("serves", "/tell");
		for (const socket of others) {
			socket.send("?");
			const [{ length }] = (await once(socket, "message")) as [Buffer];
			assert.equal(length, 1, "what it hears first is its own answer");
			socket.terminate();
		}
		await until(() => held() === 0);
	});

	test("a subrequest's response that its function does not read is held, no more of it than the window", async () => {
		const calling = atoll.fetch("serves", "/calls");
		await until(() => held() > 100_000);
		assert.ok(held() < MB, `${held()}`);
		assert.equal(await atoll.text("serves", "/go"), "0");
		assert.equal(await (await calling).text(), "5000000");
		await until(() => held() === 0);
	});

	test("a client that goes away in the midst of a stream leaves nothing", async () => {
		const socket = client(get("/stream?pieces=1000"));
		await until(() => held() > 100_000);
		socket.destroy();
		await until(() => held() === 0);
	});
});

describe("clients that stand still", () => {
	const context = serving({ isolation: "inline", limits: { cpuMs: 30_000, wallMs: 60_000 }, stalledClientMs: 200 });
	const { atoll, held, client } = context;

	for (const [what, path] of [
		["a response that is whole for its function", "/large"],
		["a stream that goes on", "/stream?pieces=1000"],
		["a stream that is over for its function", "/stream?pieces=5"],
	])
		test(`a client that takes nothing of ${what} is cut`, async () => {
			const count = 100;
			const socket = client(get(path).repeat(count));
			await until(() => held() > 100_000);
			await until(() => held() === 0);
			await readOn(socket);
			assert.equal(atoll.runtime.stats().inFlight, 0);
			assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		});

	test("so is one that takes nothing of what comes over its WebSocket, whatever it sends itself", async () => {
		const socket = client(upgrade("/talks"));
		await until(() => held() > 100_000);
		const pongs = setInterval(() => socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0])), 20);
		await until(() => atoll.runtime.stats().inFlight === 0 && held() === 0);
		clearInterval(pongs);
	});
});

describe("messages of WebSockets", () => {
	const context = serving({ sandboxes: 1, limits: { cpuMs: 30_000 } });
	const { atoll, held, client } = context;

	test("empty ones count, wait at the edge for a function that does not take them, and all get there", async () => {
		const webSocket = new WebSocket(`ws://127.0.0.1:${context.port}/`, { headers: { host: "serves.test" } });
		await once(webSocket, "open");
		const pids = atoll.runtime.sandboxPids();
		for (const pid of pids) process.kill(pid, "SIGSTOP");
		try {
			const count = 5000;
			for (let i = 0; i < count; i++) webSocket.send("");
			webSocket.send("?");
			await until(() => held() > count * 500);
		} finally {
			for (const pid of pids) process.kill(pid, "SIGCONT");
		}
		assert.equal(String((await once(webSocket, "message"))[0]), "5000");
		webSocket.terminate();
		await until(() => held() === 0);
	});

	test("pings are answered no faster than the client takes the answers, and all that it takes are", async () => {
		const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
		const socket = client(Buffer.concat([Buffer.from(upgrade("/")), ...Array<Buffer>(20_000).fill(ping)]));
		await until(() => held() > 0);
		assert.equal(statusOf(await exchange(context.port, FINE)), 200);
		assert.ok((await readOn(socket, 1000)) >= 1000);
		socket.destroy();
		await until(() => held() === 0);
	});

	test("a message that never ends is held", async () => {
		const socket = client(upgrade("/"));
		await readOn(socket, 100);
		socket.write(
			Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(900_000)]),
		);
		await until(() => held() > 900_000);
		socket.destroy();
		await until(() => held() === 0);
	});
});
