import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Kind } from "../../src/link/messages.ts";
import { Attempt } from "../../src/pool/attempt.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const MB = 2 ** 20;
/** Bytes of which each megabyte is another. */
const BODY = Buffer.alloc(3 * MB, (() => Buffer.from(Array.from({ length: 65_537 }, (_, i) => i % 251)))());

/** What attempts have said of bodies since it was asked last: pieces that have left isolates, and bodies handed on. */
let pieces = 0;
let handedOn = 0;
const { message } = Attempt.prototype;
Attempt.prototype.message = function (said) {
	if (said.kind === Kind.body) pieces++;
	if (said.kind === Kind.handOn) handedOn++;
	message.call(this, said);
};
after(() => {
	Attempt.prototype.message = message;
});

function said(): { pieces: number; handedOn: number } {
	const now = { pieces, handedOn };
	pieces = 0;
	handedOn = 0;
	return now;
}

/** The server that functions fetch from: `/slow` waits for the test, which has its responses. */
const held: ServerResponse[] = [];
let closed = 0;
let arriving = 0;
const received: Buffer[] = [];
const origin = createServer((req, res) => {
	res.on("close", () => closed++);
	if (req.method === "POST") {
		const parts: Buffer[] = [];
		arriving = 0;
		req.on("data", (part: Buffer) => {
			arriving += part.length;
			parts.push(part);
		});
		req.on("end", () => {
			received.push(Buffer.concat(parts));
			res.end("got it");
		});
	} else if (req.url === "/slow") {
		held.push(res);
		res.write(BODY);
	} else res.end(BODY);
});
before(async () => {
	origin.listen(0, "127.0.0.1");
	await once(origin, "listening");
});
after(() => {
	origin.closeAllConnections();
	origin.close();
});
const at = (path = "/") => `http://127.0.0.1:${(origin.address() as AddressInfo).port}${path}`;

inBothIsolations("a body that a function only hands on", (isolation) => {
	const atoll = new TestRuntime({
		isolation,
		egress: { allow: ["127.0.0.0/8"] },
		limits: { requestBodyBytes: 100 * MB, streamedBytesPerSecond: 1000 * MB },
	});
	let server: HttpServer;
	let port: number;
	before(async () => {
		server = new HttpServer(atoll.runtime);
		port = (await server.listen(0, "127.0.0.1")).port;
		await atoll.deploy(
			"handler",
			`const say = (body) => new Response(body);
			export default { async fetch(r, env) {
				const { pathname, searchParams } = new URL(r.url);
				const url = searchParams.get("url");
				switch (pathname) {
					case "/echo": return new Response(r.body);
					case "/proxy": return fetch(url);
					case "/wrapped": { const got = await fetch(url); return new Response(got.body, got); }
					case "/sent-on": return fetch(url, { method: "POST", body: r.body, duplex: "half" });
					case "/put": { const { size } = await env.B.put("k", r.body); return say(String(size)); }
					case "/get": return say((await env.B.get("k")).body);
					case "/tee": { const [one, two] = r.body.tee(); const reading = new Response(two).arrayBuffer(); globalThis.read = reading; return say(one); }
					case "/through": return say(r.body.pipeThrough(new TransformStream()));
					case "/later": { const { body } = r; await scheduler.wait(20); return say(body); }
					case "/short": return new Response((await fetch(url)).body, { headers: { "content-length": "10" } });
					case "/given-up": {
						const giving = new AbortController();
						const got = await fetch(url, { signal: giving.signal });
						setTimeout(() => giving.abort(), 20);
						return got;
					}
					case "/left": { void fetch(url, { method: "POST", body: r.body, duplex: "half" }); return say("left"); }
				}
			} };`,
			{ bindings: { B: { type: "objects", bucket: "handed-on" } } },
		);
	});
	after(() => server.close());

	/** Sends a request over a connection of its own, and gives its response's body, and whether that broke off. */
	function ask(path: string, body?: Buffer): Promise<{ bytes: Buffer; broke: boolean }> {
		const { promise, resolve, reject } = Promise.withResolvers<{ bytes: Buffer; broke: boolean }>();
		const headers = { host: "handler.test", ...(body !== undefined && { "content-length": body.length }) };
		const method = body === undefined ? "GET" : "POST";
		const req = request({ port, host: "127.0.0.1", method, path, headers, agent: false }, (res) => {
			const parts: Buffer[] = [];
			res.on("data", (part: Buffer) => parts.push(part));
			res.on("error", () => undefined);
			res.on("close", () => resolve({ bytes: Buffer.concat(parts), broke: !res.complete }));
		});
		req.on("error", reject);
		req.end(body);
		return promise;
	}
	const from = (path: string, url: string) => `${path}?url=${encodeURIComponent(url)}`;

	test("is as it came, and does not leave the isolate", async () => {
		for (const [path, body] of [
			["/echo", BODY],
			["/later", BODY],
			[from("/proxy", at()), undefined],
			[from("/wrapped", at()), undefined],
		] as const) {
			said();
			const { bytes, broke } = await ask(path, body);
			assert.ok(bytes.equals(BODY), `${path}: ${bytes.length} bytes`);
			assert.deepEqual([said(), broke], [{ pieces: 0, handedOn: 1 }, false], path);
		}
	});

	test("is sent on to another server, and into a bucket and out of it", async () => {
		said();
		assert.equal((await ask(from("/sent-on", at()), BODY)).bytes.toString(), "got it");
		assert.ok(received.pop()?.equals(BODY));
		// The short answer had come in by then.
		assert.deepEqual(said(), { pieces: 1, handedOn: 2 });
		assert.equal((await ask("/put", BODY)).bytes.toString(), String(BODY.length));
		assert.ok((await ask("/get")).bytes.equals(BODY));
		assert.deepEqual(said(), { pieces: 0, handedOn: 2 });
	});

	test("of which something was read goes through the isolate, and is as it came", async () => {
		for (const path of ["/tee", "/through"]) {
			said();
			assert.ok((await ask(path, BODY)).bytes.equals(BODY), path);
			const { pieces, handedOn } = said();
			assert.ok(pieces > 0 && handedOn === 0, path);
		}
	});

	test("that has come in whole by then does as well", async () => {
		for (const size of [0, 1, 64 * 1024 + 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 300_000]) {
			const body = BODY.subarray(0, size);
			for (const path of ["/echo", "/later"]) {
				const { bytes, broke } = await ask(path, body);
				assert.ok(bytes.equals(body) && !broke, `${path} of ${size}: ${bytes.length}`);
			}
		}
	});

	test("to whoever is asked no longer once there is a response holds nothing up", async () => {
		assert.equal((await ask(from("/left", at()), BODY)).bytes.toString(), "left");
		assert.equal((await ask("/echo", BODY)).bytes.length, BODY.length);
	});

	test("breaks off where its source does", async () => {
		const before = atoll.records.length;
		const asked = ask(from("/proxy", at("/slow")));
		await until(() => held.length > 0);
		held.pop()?.destroy();
		assert.equal((await asked).broke, true);
		await until(() => atoll.records.slice(before).some(({ outcome }) => outcome === "exception"));
	});

	test("breaks off where the function gives up what it comes from, which ends, too", async () => {
		const before = closed;
		assert.equal((await ask(from("/given-up", at("/slow")))).broke, true);
		await until(() => closed === before + 1);
		held.pop();
	});

	test("that its client does not send to its end is none for whoever gets it", async () => {
		const before = received.length;
		arriving = 0;
		const req = request({
			...{ port, host: "127.0.0.1", path: from("/sent-on", at()), method: "POST", agent: false },
			headers: { host: "handler.test", "content-length": BODY.length },
		});
		req.on("error", () => undefined);
		const ended = closed;
		req.write(BODY.subarray(0, 2 * MB));
		await until(() => arriving > 0);
		req.destroy();
		await until(() => closed === ended + 1);
		assert.equal(received.length, before);
	});

	test("is not asked for any longer when the client has gone", async () => {
		const before = closed;
		const outcomes = atoll.records.length;
		const req = request({
			...{ port, host: "127.0.0.1", path: from("/proxy", at("/slow")), agent: false },
			headers: { host: "handler.test" },
		}).end();
		const [res] = (await once(req, "response")) as [NodeJS.ReadableStream];
		await once(res, "data");
		req.on("error", () => undefined);
		req.destroy();
		await until(() => closed === before + 1);
		await until(() => atoll.records.slice(outcomes).some(({ outcome }) => outcome === "client_gone"));
		held.pop();
	});

	test("ends where its response said that it would, and the response with it", async () => {
		const { bytes, broke } = await ask(from("/short", at()));
		assert.ok(bytes.length <= 10 && broke);
	});
});
