import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { BodySender } from "../../src/bindings/body.ts";
import { Calls } from "../../src/bindings/calls.ts";
import { AddressGuard } from "../../src/bindings/fetch/edge/addresses.ts";
import { Intake } from "../../src/bindings/fetch/edge/intake.ts";
import { Names } from "../../src/bindings/fetch/edge/names.ts";
import { Reception } from "../../src/bindings/fetch/edge/reception.ts";
import { Invocation } from "../../src/invocation/invocation.ts";
import { Recording } from "../../src/invocation/recording.ts";
import { IsolateHost } from "../../src/isolates/host.ts";
import { Gate } from "../../src/limits/admission.ts";
import { Rate } from "../../src/limits/rate.ts";
import { Kind } from "../../src/link/messages.ts";
import { Attempt } from "../../src/pool/attempt.ts";
import { Sandbox } from "../../src/pool/sandbox.ts";
import { Connections } from "../../src/server/connections.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { FetchSink } from "../../src/server/fetch-sink.ts";
import { HttpEvent } from "../../src/server/http-event.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { NodeSink } from "../../src/server/node-sink.ts";
import { WebSockets } from "../../src/server/web-sockets.ts";
import { exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const notices: { fault?: string; client?: string; requestId?: string }[] = [];
const log = (fields: object) => void notices.push(fields);
const logger = { debug: log, info: log, warn: log, error: log };
const atoll = new TestRuntime({
	isolation: "inline",
	logger,
	egress: { allow: ["127.0.0.1", "localhost"] },
});
const upstream = createServer((req, res) => {
	if (req.url === "/cut") res.socket?.destroy();
	else res.end("x".repeat(200_000));
});
let server: HttpServer;
let port: number;

before(async () => {
	await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
	const { port: upstreamPort } = upstream.address() as AddressInfo;
	await atoll.deploy(
		"guarded",
		`const part = new Uint8Array(100_000);
		const stream = (parts) => new ReadableStream({ pull(c) { if (parts-- > 0) c.enqueue(part); else c.close(); } });
		export default { async fetch(request) {
			const { pathname } = new URL(request.url);
			if (pathname === "/never") await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
			if (pathname === "/hang") await new Promise(() => {});
			if (pathname === "/log") console.log("a line");
			if (pathname === "/throw") throw new Error("thrown");
			if (pathname === "/loop") for (;;);
			if (pathname === "/timers") for (let i = 0; i < 20; i++) setTimeout(() => {}, 1);
			if (pathname === "/stream") return new Response(stream(10));
			if (pathname === "/self") await fetch("http://guarded.test/stream").then((r) => r.text());
			if (pathname === "/cancel") await fetch("http://guarded.test/stream").then((r) => r.body.cancel());
			if (pathname === "/out") await fetch("http://127.0.0.1:${upstreamPort}/").then((r) => r.text());
			if (pathname === "/named") await fetch("http://localhost:${upstreamPort}/").then((r) => r.text());
			if (pathname === "/upload") await fetch("http://127.0.0.1:${upstreamPort}/", { method: "POST", body: stream(3), duplex: "half" });
			if (pathname === "/cut") await fetch("http://127.0.0.1:${upstreamPort}/cut");
			if (request.headers.get("upgrade") === "websocket") {
				const { 0: client, 1: server } = new WebSocketPair();
				server.accept();
				server.addEventListener("message", ({ data }) => server.send(data));
				return new Response(null, { status: 101, webSocket: client });
			}
			return new Response("ok " + (await request.text()).length);
		} };`,
		{ limits: { cpuMs: 100, wallMs: 300, timers: 10 } },
	);
	await atoll.deploy("neighbour", `export default { fetch: () => new Response("served") };`);
	server = new HttpServer(atoll.runtime);
	({ port } = await server.listen(0, "127.0.0.1"));
});
after(async () => {
	upstream.close();
	upstream.closeAllConnections();
	await server.close();
});

const head = (path: string, more = "", method = "GET") =>
	`${method} ${path} HTTP/1.1\r\nHost: guarded.test\r\nConnection: close\r\n${more}\r\n`;
const get = (path = "/") => exchange(port, head(path));
const small = () => exchange(port, head("/", "Content-Length: 4\r\n", "POST"), "body");
const large = () => exchange(port, head("/", "Content-Length: 100000\r\n", "POST"), "x".repeat(100_000));

/** A client that goes before it has its answer. */
async function goes(bytes: string): Promise<void> {
	const { inFlight } = atoll.runtime.stats();
	const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
	await until(() => atoll.runtime.stats().inFlight > inFlight);
	socket.destroy();
}

/** A WebSocket that says something, and hears or is ended. */
async function talks(): Promise<void> {
	const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: "guarded.test" } });
	socket.on("error", () => undefined);
	socket.on("open", () => socket.send("hello"));
	socket.on("message", () => socket.close(4000));
	await new Promise((resolve) => socket.on("close", resolve));
}

/** Whoever asks through the library, and no longer wants the answer. */
async function aborts(): Promise<void> {
	const controller = new AbortController();
	const answer = atoll.fetch("guarded", "/never", { signal: controller.signal });
	await until(() => atoll.runtime.stats().inFlight === 1);
	controller.abort();
	await assert.rejects(answer);
}

/** `kind`: of the messages that the method is given, only this one meets the fault. */
type Break = [
	callback: string,
	target: { prototype: object },
	method: string,
	stimulus: () => Promise<unknown>,
	kind?: Kind,
];
const CALLBACKS: Break[] = [
	["connection", Connections, "add", get],
	["request", Connections, "request", get],
	["request, below the handler", Dispatcher, "dispatch", get],
	["checkContinue", Dispatcher, "dispatch", () => exchange(port, head("/", "Expect: 100-continue\r\n"))],
	["checkExpectation", Dispatcher, "dispatch", () => exchange(port, head("/", "Expect: more\r\n"))],
	["upgrade", Connections, "leave", talks],
	["upgrade, below the handler", WebSockets, "sink", talks],
	["connect", NodeSink, "respond", () => exchange(port, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")],
	["end of a body", Dispatcher, "dispatch", small],
	["a part of a body that streams", BodySender, "send", large],
	["a body that breaks off", Invocation, "onBodyFailure", () => goes(head("/", "Content-Length: 100000\r\n", "POST"))],
	["close of a response", Attempt, "abort", () => goes(head("/never"))],
	["the response is written", NodeSink, "respond", get],
	["the response begins", NodeSink, "begin", () => get("/stream")],
	["a part of the response is written", NodeSink, "write", () => get("/stream")],
	["the response ends", NodeSink, "end", () => get("/stream")],
	["a part of the response is taken", Rate, "take", () => get("/stream")],
	["a place in the queue", Gate, "enter", get],
	["the start of an attempt", Sandbox, "attempt", get],
	["the wall clock's timer", Recording, "failed", () => get("/hang")],
	["a message to the isolate", IsolateHost, "message", () => get("/self")],
	...(
		[
			["onLog", () => get("/log")],
			["onFailed", () => get("/loop")],
			["onExceeded", () => get("/timers")],
			["onDone", get],
		] as [string, () => Promise<unknown>][]
	).map(([method, stimulus]): Break => [`a message of the isolate`, Invocation, method, stimulus]),
	...(
		[
			["response", get],
			["body", () => get("/stream")],
			["end", () => get("/stream")],
			["exception", () => get("/throw")],
			["socket", talks],
			["credit", talks],
			["socketClose", talks],
		] as [keyof typeof Kind, () => Promise<unknown>][]
	).map(([kind, stimulus]): Break => [`what the function says: ${kind}`, HttpEvent, "hear", stimulus, Kind[kind]]),
	["a message of a WebSocket", Attempt, "socketMessage", talks],
	["close of a WebSocket", Attempt, "socketClose", talks],
	["a subrequest", Calls, "call", () => get("/self")],
	["a subrequest's credit", Calls, "credit", () => get("/out")],
	["a subrequest's body", Calls, "chunk", () => get("/upload")],
	["the end of a subrequest's body", Calls, "end", () => get("/upload")],
	["a subrequest that is not wanted", Calls, "cancel", () => get("/cancel")],
	["another function's response", FetchSink, "respond", () => atoll.fetch("guarded").catch(() => undefined)],
	["another function's response begins", FetchSink, "begin", () => get("/self")],
	["a part of another function's response", FetchSink, "write", () => get("/self")],
	["the end of another function's response", FetchSink, "end", () => get("/self")],
	["a reader that goes away", Attempt, "abort", () => get("/cancel")],
	["the signal of a request", Attempt, "abort", aborts],
	["the name is resolved", Names, "resolve", () => get("/named")],
	["the address is checked", AddressGuard, "refuseAddress", () => get("/named")],
	["a connection to the outside", Intake, "pace", () => get("/out")],
	["something is read from the outside", Intake, "heard", () => get("/out")],
	["undici", Reception, "onRequestStart", () => get("/out")],
	["undici", Reception, "onResponseStart", () => get("/out")],
	["undici", Reception, "onResponseData", () => get("/out")],
	["undici", Reception, "onResponseEnd", () => get("/out")],
	["undici", Reception, "onResponseError", () => get("/cut")],
];

/** What nobody has caught ends a process; here it fails the test. */
const uncaught: unknown[] = [];
process.on("uncaughtException", (error) => void uncaught.push(error));

describe("whatever goes wrong in a callback of the edge ends what it was for, and others are served", () => {
	for (const [callback, { prototype }, method, stimulus, kind] of CALLBACKS) {
		test(`${callback} (${method})`, async ({ mock }) => {
			const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
			const whole = methods[method];
			let thrown = 0;
			const broken = mock.method(methods, method, function (this: unknown, ...args: unknown[]) {
				if (kind !== undefined && (args[0] as { kind: Kind }).kind !== kind) return whole.apply(this, args);
				thrown++;
				throw new Error(`thrown in ${method}`);
			});
			// Again where the machine is so slow that a limit of time ends the request before it gets there.
			do {
				await stimulus();
				await until(() => thrown > 0 || atoll.runtime.stats().inFlight === 0);
			} while (thrown === 0);
			broken.mock.restore();
			const neighbour = await exchange(port, "GET / HTTP/1.1\r\nHost: neighbour.test\r\nConnection: close\r\n\r\n");
			assert.equal(statusOf(neighbour), 200);
			await until(() => atoll.runtime.stats().inFlight === 0);
			assert.deepEqual(uncaught, []);
		});
	}

	test("the log names the connection or the request, and the runtime counts", async ({ mock }) => {
		const { faults } = atoll.runtime.stats();
		const work = mock.method(Connections.prototype, "request", () => {
			throw new Error("thrown for one connection");
		});
		assert.equal(await get(), "");
		work.mock.restore();
		mock.method(Invocation.prototype, "onDone", () => {
			throw new Error("thrown for one request");
		});
		await get();
		await until(() => atoll.runtime.stats().inFlight === 0);
		assert.equal(atoll.runtime.stats().faults, faults + 2);
		const [first, second] = notices.filter(({ fault }) => fault?.includes("thrown for one"));
		assert.match(first.client ?? "", /127\.0\.0\.1 \d+/);
		assert.match(first.fault ?? "", /at .*:\d+/);
		assert.match(second.requestId ?? "", /\S/);
	});

	test("a connection that could not be accepted is logged, and the next one is served", async ({ mock }) => {
		const add = mock.method(Connections.prototype, "add");
		await get();
		const [socket] = add.mock.calls[0].arguments as unknown as [{ server: Server }];
		socket.server.emit("error", new Error("accept EMFILE"));
		assert.ok(notices.some(({ fault }) => fault?.includes("accept EMFILE")));
		assert.equal(statusOf(await get()), 200);
	});

	test("subscribers and loggers that throw cost no request", async ({ mock }) => {
		const warned: string[] = [];
		mock.method(process, "emitWarning", (text: string) => void warned.push(text));
		mock.method(logger, "error", ({ fault }: { fault: string }) => void warned.push(fault));
		const end = atoll.runtime.subscribe({
			record: () => {
				throw new Error("a subscriber's");
			},
			log: () => {
				throw new Error("a subscriber's");
			},
		});
		mock.method(logger, "info", () => {
			throw new Error("a logger's");
		});
		assert.equal(statusOf(await get("/log")), 200);
		// The record comes behind the line, which may wait to be mapped.
		const has = (whose: string) => warned.some((text) => text.includes(whose));
		await until(() => has("a subscriber's") && has("a logger's"));
		end();
	});
});
