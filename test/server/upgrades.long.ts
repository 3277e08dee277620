import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ isolation: "inline" });
before(() =>
	atoll.deploy(
		"chat",
		`const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
		export default { async fetch(request) {
			const { pathname } = new URL(request.url);
			const body = await request.text();
			if (pathname === "/slow") await sleep(30);
			if (pathname === "/never") await new Promise((resolve) => request.signal.addEventListener("abort", () => { console.log("gone"); resolve(); }));
			if (pathname === "/stream") return new Response(new ReadableStream({ async pull(c) {
				this.count = (this.count ?? 0) + 1;
				await sleep(5);
				if (this.count < 5) c.enqueue(new TextEncoder().encode("part" + this.count));
				else c.close();
			} }));
			if (pathname === "/breaks") return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(10)); c.error(new Error("broken")); } }));
			if (request.headers.get("upgrade") !== "websocket") return new Response("plain " + pathname + " " + body, { status: 426 });
			if (pathname === "/refused") return new Response("not today", { status: 403 });
			const { 0: client, 1: server } = new WebSocketPair();
			server.accept();
			server.addEventListener("message", ({ data }) => server.send("you said " + data));
			return new Response(null, { status: 101, webSocket: client });
		} };`,
	),
);

const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: chat.test\r\n${more}\r\n`;
const post = (path: string, body: string) =>
	`POST ${path} HTTP/1.1\r\nHost: chat.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const upgrade = (path = "/", more = "") =>
	get(
		path,
		`Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${"a".repeat(22)}==\r\nSec-WebSocket-Version: 13\r\n${more}`,
	);
const h2c = (path = "/") => get(path, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n");
/** A masked WebSocket frame with the text `hi`. */
const HI = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
const YOU_SAID_HI = "\x81\x0byou said hi";

/** Sends bytes in one write, and gives what has come back once all of it is there, or the connection has ended. */
function answers(port: number, sent: string | Buffer, complete: (text: string) => boolean): Promise<string> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => socket.write(sent));
		let text = "";
		socket.setEncoding("latin1").on("data", (chunk: string) => {
			text += chunk;
			if (complete(text)) socket.destroy();
		});
		socket.on("error", () => undefined);
		socket.on("close", () => resolve(text));
	});
}

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

function upgrades(name: string, start: () => Promise<{ port: number; close(): void }>): void {
	describe(name, () => {
		let port: number;
		let close: () => void;
		before(async () => {
			({ port, close } = await start());
		});
		after(() => close());

		for (const [what, sent, expected] of [
			["GET, upgrade", get("/slow") + upgrade(), [426, 426]],
			["GET that is answered at once, upgrade", get("/") + upgrade(), [426, 426]],
			["POST with a body, upgrade", post("/slow", "body") + upgrade(), [426, 426]],
			["GET, upgrade to h2c", get("/slow") + h2c("/slow"), [426, 426]],
			["upgrade to h2c alone", h2c(), [426]],
			["three GETs, upgrade", get("/slow") + get("/") + get("/slow") + upgrade(), [426, 426, 426, 426]],
			["a response that streams, upgrade", get("/stream") + upgrade(), [200, 426]],
			["an upgrade with a body", `${upgrade("/", "Content-Length: 4\r\n")}body`, [426]],
			["an upgrade with a body in chunks", `${upgrade("/", "Transfer-Encoding: chunked\r\n")}0\r\n\r\n`, [426]],
			["an upgrade that the function refuses", upgrade("/refused"), [403]],
			["GET to a hostname of nobody, upgrade", get("/").replace("chat", "nobody") + upgrade(), [404, 426]],
			["GET, CONNECT", `${get("/slow")}CONNECT chat.test:80 HTTP/1.1\r\nHost: chat.test\r\n\r\n`, [426, 400]],
		] as [string, string, number[]][]) {
			test(`${what}: ${expected.join(", ")}, in this order`, async () => {
				const text = await answers(port, sent, (got) => {
					const ends = got.split(/HTTP\/1\.1 \d+ /).slice(1);
					return (
						ends.length === expected.length &&
						/\r\n\r\n.*(plain|not today|bad_request|\r\n0\r\n)/s.test(ends.at(-1) ?? "")
					);
				});
				assert.deepEqual(statuses(text), expected, text);
				const bodies = text.match(/plain \S+( body)?/g) ?? [];
				const paths = [...sent.matchAll(/(?:GET|POST) (\S+)/g)].map(([, path]) => path);
				if (bodies.length === paths.length)
					assert.deepEqual(
						bodies.map((body) => body.split(" ")[1]),
						paths,
					);
			});
		}

		test("a WebSocket whose client speaks before it is answered, and one after the other", async () => {
			const sent = Buffer.concat([Buffer.from(upgrade()), HI, HI]);
			const text = await answers(port, sent, (got) => got.split(YOU_SAID_HI).length === 3);
			assert.deepEqual(statuses(text), [101]);
			const twice = await answers(port, upgrade() + upgrade(), () => false);
			assert.deepEqual(statuses(twice), [101]);
		});

		test("an answer that breaks off behind another ends the connection after that one", async () => {
			const text = await answers(port, get("/slow") + get("/breaks"), () => false);
			assert.equal(statuses(text)[0], 426);
			assert.doesNotMatch(text, /\r\n0\r\n\r\n$/, "the other is not whole");
		});

		test("whoever goes while an upgrade waits is heard of", async () => {
			const count = atoll.logs.length;
			const socket = connect(port, "127.0.0.1", () => socket.write(get("/never") + h2c("/never")));
			await until(() => atoll.runtime.stats().inFlight > 0);
			socket.destroy();
			await until(() => atoll.logs.slice(count).some(({ message }) => message === "gone"));
			await until(() => atoll.runtime.stats().inFlight === 0);
		});

		test("others are served, and nothing has gone wrong", async () => {
			assert.equal(statusOf(await exchange(port, get("/", "Connection: close\r\n"))), 426);
			assert.equal(atoll.runtime.stats().faults, 0);
		});
	});
}

upgrades("upgrades at the HTTP server", async () => {
	const server = new HttpServer(atoll.runtime);
	const { port } = await server.listen(0, "127.0.0.1");
	return { port, close: () => void server.close() };
});

/** Somebody else's server, which hands over whatever asks to upgrade, and answers some requests itself. */
async function embedded(): Promise<{ server: Server; port: number; close(): void }> {
	const server = createServer((req: IncomingMessage, res: ServerResponse) => {
		if (req.url === "/own") setTimeout(() => res.end("plain /own"), 20);
		else atoll.runtime.nodeHandler(req, res);
	});
	server.on("upgrade", atoll.runtime.upgradeHandler);
	server.on("connect", atoll.runtime.upgradeHandler);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const close = () => {
		server.close();
		server.closeAllConnections();
	};
	return { server, port, close };
}

upgrades("upgrades where atoll is embedded", embedded);

test("an upgrade waits for the answers of the program that atoll is embedded in", async (t) => {
	const { port, close } = await embedded();
	t.after(close);
	const text = await answers(port, get("/own") + upgrade(), () => false);
	assert.deepEqual(statuses(text), [200, 426]);
	assert.match(text, /plain \/own.*plain \/ $/s);
});
