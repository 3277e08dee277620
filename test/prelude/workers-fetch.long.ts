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

	test("a URL that is relative is refused by its text", async () => {
		const message = (code: string) =>
			value(`try { return String(await (${code})); } catch (error) { return error.name + ": " + error.message; }`);
		assert.equal(await message(`new Request("/path")`), "TypeError: Invalid URL: /path");
		assert.equal(await message(`fetch("/path?a=b")`), "TypeError: Invalid URL: /path?a=b");
		assert.equal(await message(`fetch("")`), "TypeError: Invalid URL: ");
		assert.equal(await message(`Response.redirect("/elsewhere")`), "TypeError: Unable to parse URL: /elsewhere");
		assert.equal(
			await message("Response.redirect('http://a/', 200)").then((text) => `${text}`.slice(0, 10)),
			"RangeError",
		);
	});

	test("statuses that have no body take an empty text, and a socket takes 101", async () => {
		assert.deepEqual(
			await value(`
				const { 0: webSocket } = new WebSocketPair();
				const made = (body, init) => { try { const { status, body: made } = new Response(body, init); return [status, made === null]; } catch (error) { return error.name; } };
				return [
					made(null, { status: 204 }), made("", { status: 204 }), made(new Uint8Array(0), { status: 304 }), made("x", { status: 204 }), made("x", { status: 205 }),
					made(null, { webSocket }), made("x", { status: 101, webSocket }), made(null, { status: 101 }), made(null, { status: 199 }),
				];
			`),
			[
				[204, true],
				[204, true],
				[304, true],
				"TypeError",
				"TypeError",
				"RangeError",
				"RangeError",
				"RangeError",
				"RangeError",
			],
		);
	});

	test("Headers.getAll gives cookies and nothing else", async () => {
		assert.deepEqual(
			await value(`
				const headers = new Headers([["set-cookie", "a=1, b"], ["a", "1"], ["Set-Cookie", "c=2"]]);
				const refused = (run) => { try { run(); } catch (error) { return error.message; } };
				return [headers.getAll("Set-Cookie"), headers.getSetCookie(), new Headers().getAll("set-cookie"), refused(() => headers.getAll("a"))];
			`),
			[["a=1, b", "c=2"], ["a=1, b", "c=2"], [], 'getAll() can only be used with the header name "Set-Cookie".'],
		);
	});

	test("a DigestStream counts what it is given, and knows the hashes that digest() knows", async () => {
		assert.deepEqual(
			await value(`
				const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
				const stream = new crypto.DigestStream({ name: "md5" });
				const writer = stream.getWriter();
				await writer.write("ab");
				const written = stream.bytesWritten;
				await writer.write(new TextEncoder().encode("c"));
				await writer.close();
				const refused = (() => { try { new crypto.DigestStream("MD4"); } catch (error) { return error.name; } })();
				const sha = new crypto.DigestStream("SHA-1");
				await new Blob(["abc"]).stream().pipeTo(sha);
				return [typeof written, Number(written), hex(await stream.digest), hex(await crypto.subtle.digest("MD5", new Uint8Array(0))), hex(await sha.digest), Number(sha.bytesWritten), refused];
			`),
			[
				"bigint",
				2,
				"900150983cd24fb0d6963f7d28e17f72",
				"d41d8cd98f00b204e9800998ecf8427e",
				"a9993e364706816aba3e25717850c26c9cd0d89d",
				3,
				"NotSupportedError",
			],
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

	test("what the headers of a response that was fetched are cannot be changed, but those of a copy can", async () => {
		await atoll.deploy(
			"changes",
			`export default { async fetch(request) {
				const response = await fetch("${origin.origin}");
				const refused = (headers) => { try { headers.set("a", "b"); return "taken"; } catch (error) { return error.name + ": " + error.message; } };
				const said = [refused(response.headers), refused(request.headers), refused(new Response(response.body, response).headers), refused(new Request(request).headers)];
				return Response.json(said);
			} }`,
		);
		assert.deepEqual(await (await atoll.fetch("changes")).json(), [
			"TypeError: Can't modify immutable headers.",
			"TypeError: Can't modify immutable headers.",
			"taken",
			"taken",
		]);
	});

	test("a stream is the body of a fetch without duplex", async () => {
		await atoll.deploy(
			"sends",
			`export default { fetch: (request) => fetch("${origin.origin}", { method: "POST", body: new Blob(["sent"]).stream() }) }`,
		);
		assert.equal(await atoll.text("sends"), "sent");
	});
});
