/** Requests and responses where Workers have more than the Fetch standard, or something else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { Evaluator } from "../support/evaluate.ts";
import { Listening } from "../support/listening.ts";
import { bodyOf, exchange } from "../support/raw-http.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("requests and responses as on Workers", (isolation) => {
	const evaluator = new Evaluator(isolation);
	const value = (code: string) => evaluator.value(code);

	test("a stream is a request's body without duplex", async () => {
		assert.deepEqual(
			await value(`
				const stream = () => new Response("streamed").body.pipeThrough(new TransformStream());
				const request = new Request("http://a/", { method: "POST", body: stream() });
				return [await request.text(), await new Request(request.url, { method: "PUT", body: stream(), duplex: "half" }).text(), request.duplex];
			`),
			["streamed", "streamed", "half"],
		);
	});

	test("cf is what was given, and goes with a request to its copies", async () => {
		assert.deepEqual(
			await value(`
				const cf = { cacheTtl: 5, image: { width: 1 } };
				const request = new Request("http://a/", { cf });
				const clone = request.clone(), copy = new Request(request, { method: "PUT" });
				const refused = (run) => { try { run(); } catch (error) { return error.name; } };
				return [
					new Request("http://a/").cf === undefined, request.cf, clone.cf, clone.cf !== cf, copy.cf.image,
					new Request(request, { cf: { other: 1 } }).cf, refused(() => new Request("http://a/", { cf: 5 })),
				];
			`),
			[
				true,
				{ cacheTtl: 5, image: { width: 1 } },
				{ cacheTtl: 5, image: { width: 1 } },
				true,
				{ width: 1 },
				{ other: 1 },
				"TypeError",
			],
		);
	});

	test("a Response takes cf, encodeBody and webSocket", async () => {
		assert.deepEqual(
			await value(`
				const response = new Response("x", { cf: { a: 1 }, encodeBody: "manual" });
				const refused = (init) => { try { new Response("x", init); } catch (error) { return error.name; } };
				const pair = new WebSocketPair();
				return [
					response.cf, response.clone().cf, new Response("y", response).cf, new Response().cf === undefined,
					refused({ encodeBody: "gzip" }), refused({ cf: 1 }), new Response(null, { encodeBody: "automatic" }).webSocket,
					new Response(null, { status: 101, webSocket: pair[0] }).webSocket === pair[0],
				];
			`),
			[{ a: 1 }, { a: 1 }, { a: 1 }, true, "TypeError", "TypeError", null, true],
		);
	});
});

inBothIsolations("fetch as on Workers", (isolation) => {
	const atoll = new TestRuntime({ isolation, egress: { allow: ["127.0.0.1"] } });
	let origin: Listening;
	let server: HttpServer;
	let port: number;
	before(async () => {
		await atoll.ready();
		server = new HttpServer(atoll.runtime);
		port = (await server.listen(0, "127.0.0.1")).port;
		origin = await Listening.on((req, res) => req.pipe(res.setHeader("x-from", "origin")));
	});
	after(async () => {
		await server.close();
		await origin[Symbol.asyncDispose]();
	});

	test("cf of a request that has come in is what the edge knows of its connection", async () => {
		await atoll.deploy(
			"cf",
			`export default { fetch(request) {
				const { cf } = request;
				cf.mine = 1;
				return Response.json([cf, request.cf === cf, request.clone().cf, new Request(request).cf, new Request(request.url).cf ?? null]);
			} }`,
		);
		const connection = { httpProtocol: "HTTP/1.1", mine: 1 };
		assert.deepEqual(
			JSON.parse(bodyOf(await exchange(port, "GET / HTTP/1.1\r\nHost: cf.test\r\nConnection: close\r\n\r\n"))),
			[connection, true, connection, connection, null],
		);
		assert.deepEqual(await (await atoll.fetch("cf")).json(), [{ mine: 1 }, true, { mine: 1 }, { mine: 1 }, null]);
	});

	test("a stream is the body of a fetch without duplex", async () => {
		await atoll.deploy(
			"sends",
			`export default { fetch: (request) => fetch("${origin.origin}", { method: "POST", body: new Blob(["sent"]).stream() }) }`,
		);
		assert.equal(await atoll.text("sends"), "sent");
	});
});
