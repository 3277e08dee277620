import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { HttpServer } from "../../src/server/http-server.ts";
import { bodyOf, exchange, statusOf } from "../support/raw-http.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const CHAT = `
export default { fetch(request) {
	const { pathname } = new URL(request.url);
	if (request.headers.get("upgrade") !== "websocket") return new Response("no websocket asked for", { status: 426 });
	if (pathname === "/refused") return new Response("not today", { status: 403 });
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.send("welcome");
	server.addEventListener("message", ({ data }) => {
		if (data === "loop") for (;;);
		if (data === "throw") throw new Error("thrown in a listener");
		if (data === "bye") server.close(4001, "as asked");
		else if (typeof data === "string") server.send("you said " + data);
		else server.send(new Uint8Array(data).reverse());
	});
	server.addEventListener("close", ({ code, reason, wasClean }) => console.log("closed", code, reason, wasClean));
	return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "chat", "x-own": "yes" } });
} };`;

inBothIsolations("WebSockets", (isolation) => {
	const atoll = new TestRuntime({ isolation, limits: { cpuMs: 150, wallMs: 2000 } });
	let server: HttpServer;
	let port: number;

	before(async () => {
		await atoll.deploy("chat", CHAT);
		server = new HttpServer(atoll.runtime);
		({ port } = await server.listen(0, "127.0.0.1"));
	});
	after(() => server.close());

	const open = (path = "/", protocols: string[] = []) =>
		new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers: { host: "chat.test" } });
	/** The next message, as text or as a list of bytes. */
	const next = async (socket: WebSocket) => {
		const [data, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
		return isBinary ? [...data] : data.toString();
	};
	const closing = async (socket: WebSocket) => {
		const [code, reason] = (await once(socket, "close")) as [number, Buffer];
		return [code, reason.toString()];
	};

	test("messages go both ways, as text and as bytes, with the function's headers on the handshake", async () => {
		const socket = open("/", ["other", "chat"]);
		const upgraded = once(socket, "upgrade") as Promise<[import("node:http").IncomingMessage]>;
		const welcome = next(socket);
		const [{ headers }] = await upgraded;
		assert.equal(headers["x-own"], "yes");
		assert.ok(headers["x-atoll-request-id"]);
		assert.equal(await welcome, "welcome");
		assert.equal(socket.protocol, "chat");
		socket.send("hello ü");
		assert.equal(await next(socket), "you said hello ü");
		socket.send(new Uint8Array([1, 2, 3]));
		assert.deepEqual(await next(socket), [3, 2, 1]);
		socket.send("");
		assert.equal(await next(socket), "you said ");
		const lengths: number[] = [];
		const all = new Promise<void>((resolve) =>
			socket.on("message", (data: Buffer) => {
				if (lengths.push(data.length) === 200) resolve();
			}),
		);
		for (let i = 0; i < 200; i++) socket.send("x".repeat(20_000));
		await all;
		assert.deepEqual(new Set(lengths), new Set([20_009]));
		socket.close(4000, "done");
		assert.deepEqual(await closing(socket), [4000, "done"]);
		assert.equal((await atoll.log("closed 4000")).message, "closed 4000 done true");
		const record = await atoll.record("chat");
		assert.deepEqual([record.status, record.outcome], [101, "ok"]);
	});

	test("text that is longer in UTF-8 than in UTF-16 is taken as fast as any", async () => {
		const socket = open();
		await next(socket);
		const text = "語".repeat(40_000);
		for (let i = 0; i < 40; i++) {
			socket.send(text);
			assert.equal(await next(socket), `you said ${text}`);
		}
		socket.close(4000, "done");
		assert.deepEqual(await closing(socket), [4000, "done"]);
	});

	test("the function closes, with its code and reason", async () => {
		const socket = open();
		await next(socket);
		socket.send("bye");
		assert.deepEqual(await closing(socket), [4001, "as asked"]);
		await atoll.log("closed 4001 as asked true");
	});

	test("a listener that throws is logged, and the connection goes on", async () => {
		const socket = open();
		await next(socket);
		socket.send("throw");
		await atoll.log("thrown in a listener");
		socket.send("still there");
		assert.equal(await next(socket), "you said still there");
		socket.terminate();
		await atoll.log("closed 1006");
	});

	test("each message has the CPU budget of a request, and what exceeds it ends the connection", async () => {
		const socket = open();
		await next(socket);
		const count = atoll.records.length;
		socket.send("loop");
		assert.deepEqual(await closing(socket), [1011, ""]);
		await until(() => atoll.records.length !== count);
		assert.equal(atoll.records.at(-1)?.outcome, "cpu_limit_exceeded");
	});

	test("a message larger than a megabyte ends the connection with 1009", async () => {
		const socket = open();
		await next(socket);
		socket.send("x".repeat(1024 * 1024 + 1));
		assert.deepEqual((await closing(socket))[0], 1009);
	});

	test("a function may answer with an ordinary response, and a request without upgrade gets no WebSocket", async () => {
		const refused = open("/refused");
		const [, response] = (await once(refused, "unexpected-response")) as [unknown, import("node:http").IncomingMessage];
		assert.equal(response.statusCode, 403);
		response.resume();
		refused.on("error", () => undefined).terminate();
		assert.equal((await atoll.fetch("chat")).status, 426);
		await atoll.deploy(
			"eager",
			`export default { fetch: () => new Response(null, { status: 101, webSocket: new WebSocketPair()[0] }) };`,
		);
		const text = await exchange(port, "GET / HTTP/1.1\r\nHost: eager.test\r\nConnection: close\r\n\r\n");
		assert.equal(statusOf(text), 500);
		assert.match(bodyOf(text), /invalid_response/);
	});

	test("what asks to upgrade to something else is an ordinary request", async () => {
		await atoll.deploy("plain", `export default { fetch: () => new Response("plain") }`);
		for (const headers of [
			"Connection: Upgrade, close\r\nUpgrade: h2c",
			"Connection: Upgrade, close\r\nUpgrade: websocket",
		])
			assert.equal(bodyOf(await exchange(port, `GET / HTTP/1.1\r\nHost: plain.test\r\n${headers}\r\n\r\n`)), "plain");
	});

	test("a handshake with a key or protocols that are none is an ordinary request", async () => {
		const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
		for (const wrong of [
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j_Q==",
			`${key}\r\nSec-WebSocket-Protocol: ,`,
			`${key}\r\nSec-WebSocket-Protocol:`,
			`${key}\r\nSec-WebSocket-Protocol: chat other`,
			`${key}\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat`,
		]) {
			const head = "Host: chat.test\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
			const response = await exchange(port, `GET / HTTP/1.1\r\n${head}\r\n${wrong}\r\n\r\n`);
			assert.equal(statusOf(response), 426, wrong);
			assert.equal(bodyOf(response), "no websocket asked for");
		}
	});

	test("whoever is connected when the server closes hears of it", async () => {
		const own = new HttpServer(atoll.runtime);
		const { port: other } = await own.listen(0, "127.0.0.1");
		const socket = new WebSocket(`ws://127.0.0.1:${other}/`, { headers: { host: "chat.test" } });
		await next(socket);
		const closed = closing(socket);
		await own.close();
		assert.deepEqual((await closed)[0], 1001);
	});
});
