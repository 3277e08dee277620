import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { HttpServer } from "../../src/server/http-server.ts";
import { bodyOf, exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const MOST = 16;
const REQUEST = "GET / HTTP/1.1\r\nHost: waits.test\r\n\r\n";
const CLOSING = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
const atoll = new TestRuntime({ isolation: "inline" });
const clients: Socket[] = [];
let server: HttpServer;
let port: number;

/** A client that is connected, has sent something, and keeps what it gets. */
async function client(text: string): Promise<{ socket: Socket; got: () => string }> {
	const socket = connect(port, "127.0.0.1");
	let got = "";
	socket.setEncoding("latin1").on("data", (chunk: string) => {
		got += chunk;
	});
	socket.on("error", () => undefined); // It may be the one that makes room.
	clients.push(socket);
	await once(socket, "connect");
	socket.write(text);
	return { socket, got: () => got };
}

before(async () => {
	await atoll.deploy(
		"waits",
		`let go; const gone = new Promise((resolve) => (go = resolve));
		export default { async fetch(request) {
			if (request.headers.get("upgrade") === "websocket") {
				const { 0: client, 1: server } = new WebSocketPair();
				server.accept();
				server.addEventListener("message", ({ data }) => server.send(data));
				return new Response(null, { status: 101, webSocket: client });
			}
			const { pathname } = new URL(request.url);
			if (pathname === "/go") go();
			else if (pathname === "/wait") await gone;
			return new Response("ok");
		} };`,
	);
	server = new HttpServer(atoll.runtime, { connections: MOST });
	({ port } = await server.listen(0, "127.0.0.1"));
});
after(async () => {
	for (const socket of clients) socket.destroy();
	await server.close();
});

test("clients that never finish a head keep nobody else out, and cost nobody the request that is worked on", async () => {
	const waiting = await client(REQUEST.replace("/ ", "/wait "));
	const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: "waits.test" } });
	await once(webSocket, "open");
	await until(() => atoll.runtime.stats().inFlight === 2);
	const first = await client("GET / HTTP/1.1\r\nHost: waits.test\r\nX-Slow: ");
	const idle = await client(REQUEST);
	await until(() => idle.got().endsWith("ok"));
	// Three times as many as there may be, and one request between every two of them.
	for (let i = 0; i < 3 * MOST; i++) {
		await client("GET / HTTP/1.1\r\nHost: waits.test\r\nX-Slow: ");
		assert.equal(statusOf(await exchange(port, CLOSING)), 200);
	}
	await until(() => clients.filter(({ destroyed }) => !destroyed).length <= MOST);
	assert.ok(first.socket.destroyed, "the longest without a request has made room");
	assert.ok(!idle.socket.destroyed, "one that was answered, and whose next request may be on its way, has not");
	idle.socket.write(REQUEST);
	await until(() => idle.got().split("HTTP/1.1 200").length === 3);
	webSocket.send("still here");
	assert.equal(String((await once(webSocket, "message"))[0]), "still here");
	webSocket.close();
	assert.equal(await atoll.text("waits", "/go"), "ok");
	await until(() => waiting.got().endsWith("ok"));
});

test("heads that made room are recorded as overloaded, and connections that had begun none are not", async () => {
	for (const socket of clients.splice(0)) socket.destroy();
	const refused = () => atoll.records.filter(({ outcome }) => outcome === "overloaded");
	const before = refused().length;
	const begun: Socket[] = [];
	for (let i = 0; i < MOST - 1; i++) begun.push((await client(i % 2 === 0 ? "GET / HTTP/1.1\r\n" : "")).socket);
	// What they have sent has been read by the time that a request after it is answered.
	assert.equal(statusOf(await exchange(port, CLOSING)), 200);
	for (let i = 0; i < MOST; i++) await client("");
	await until(() => begun.every(({ destroyed }) => destroyed));
	const records = refused().slice(before);
	assert.equal(records.length, MOST / 2);
	for (const { status, requestId, responseBytes } of records)
		assert.deepEqual([status, responseBytes, requestId !== ""], [0, 0, true]);
});

test("where every connection has had its answer, those that have been idle for longest make room", async () => {
	for (const socket of clients.splice(0)) socket.destroy();
	const idle: Awaited<ReturnType<typeof client>>[] = [];
	for (let i = 0; i < 2 * MOST; i++) {
		idle.push(await client(REQUEST));
		await until(() => idle[i].got().endsWith("ok"));
	}
	await until(() => idle.filter(({ socket }) => !socket.destroyed).length <= MOST);
	assert.ok(idle[0].socket.destroyed && !idle[2 * MOST - 1].socket.destroyed);
});

test("a connection with more requests than anyone waits for is ended, and others are served", async () => {
	const before = atoll.records.length;
	const flood = await client(REQUEST.repeat(5000));
	await until(() => flood.socket.destroyed);
	const refused = atoll.records.slice(before).filter(({ outcome }) => outcome === "overloaded");
	assert.deepEqual(
		refused.map(({ status }) => status),
		[0],
		"what was refused is one record, however many they were",
	);
	assert.equal(statusOf(await exchange(port, CLOSING)), 200);
	await until(() => atoll.runtime.stats().inFlight === 0);
	assert.ok(atoll.records.length - before < 1000, `${atoll.records.length - before} of them were worked on`);
	const some = await client(REQUEST.repeat(100));
	await until(() => some.got().split("HTTP/1.1 200").length === 101);
});

test("a head that takes too long is answered with 408, and leaves a record", async () => {
	const hurried = new HttpServer(atoll.runtime, { headMs: 50, checkMs: 10 });
	const { port: at } = await hurried.listen(0, "127.0.0.1");
	const before = atoll.records.length;
	const answer = await exchange(at, "GET / HTTP/1.1\r\nHost: waits.test\r\n");
	assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
	assert.match(answer, /connection: close\r\n/);
	assert.equal(JSON.parse(bodyOf(answer)).error.code, "request_timeout");
	const [record] = atoll.records.slice(before);
	assert.deepEqual([record.outcome, record.status], ["request_timeout", 408]);
	await hurried.close();
});

test("a client that asks without a pause is told at the end that its connection ends", async () => {
	const other = new HttpServer(atoll.runtime);
	const { port: at } = await other.listen(0, "127.0.0.1");
	const socket = connect(at, "127.0.0.1");
	clients.push(socket);
	let got = "";
	socket.setEncoding("latin1").on("data", (chunk: string) => {
		got += chunk;
		if (chunk.endsWith("ok") && socket.writable) socket.write(REQUEST);
	});
	socket.write(REQUEST);
	await until(() => got.split("HTTP/1.1 200").length > 10);
	const closed = other.close();
	await once(socket, "close");
	assert.match(got, /Connection: close\r\n(?:[^\r]+\r\n)*\r\nok$/i);
	await closed;
});
