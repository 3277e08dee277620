import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import express from "express";
import Fastify from "fastify";
import { Listening } from "../support/listening.ts";
import { errorCode, TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
before(() =>
	atoll.deploy(
		"guest",
		`export default { async fetch(request) {
			const text = await request.text();
			const { headers } = request;
			return Response.json({ text, length: headers.get("content-length"), coding: headers.get("content-encoding") });
		} }`,
		{ hostnames: ["127.0.0.1"], limits: { requestBodyBytes: 200_000 } },
	),
);

const JSON_TYPE = { "content-type": "application/json" };
const sent = (text: string) => ({ text, length: String(Buffer.byteLength(text)), coding: null });

test("what Express has parsed as JSON or as a form reaches the function", async () => {
	const app = express();
	app.use(express.json(), express.urlencoded({ extended: true }), atoll.runtime.nodeHandler);
	await using server = await Listening.on(app);
	const json = await server.fetch("/", { method: "POST", headers: JSON_TYPE, body: '{ "a": "ä" }' });
	assert.deepEqual(await json.json(), sent('{"a":"ä"}'));
	const form = await server.fetch("/", { method: "POST", body: new URLSearchParams("a=1&a=2&b[c]=%26&d=") });
	assert.deepEqual(await form.json(), sent("a=1&a=2&b%5Bc%5D=%26&d="));
	const text = await server.fetch("/", {
		method: "POST",
		headers: { "content-type": "text/plain" },
		body: "as it was",
	});
	assert.deepEqual(await text.json(), sent("as it was"));
	const packed = await server.fetch("/", {
		method: "POST",
		headers: { ...JSON_TYPE, "content-encoding": "gzip" },
		body: gzipSync("[1, 2]"),
	});
	assert.deepEqual(await packed.json(), sent("[1,2]"));
});

test("bytes that were kept come before what a parser made of them", async () => {
	const app = express();
	const keep = (req: IncomingMessage, _: unknown, bytes: Buffer) => Object.assign(req, { rawBody: bytes });
	app.use(express.json({ verify: keep, limit: "1mb" }), atoll.runtime.nodeHandler);
	await using server = await Listening.on(app);
	const post = (body: string) => server.fetch("/", { method: "POST", headers: JSON_TYPE, body });
	assert.deepEqual(await (await post('{ "a":  1 }')).json(), sent('{ "a":  1 }'));
	const large = JSON.stringify(["x".repeat(150_000)]);
	assert.deepEqual(await (await post(large)).json(), sent(large));
	assert.equal(await errorCode(await post(JSON.stringify(["x".repeat(200_000)]))), "body_too_large");
});

test("a body of which nothing is left is refused at once, and recorded", async () => {
	const app = Fastify({ forceCloseConnections: true });
	app.all("/*", (request, reply) => {
		reply.hijack();
		atoll.runtime.nodeHandler(request.raw, reply.raw);
	});
	await app.listen({ port: 0, host: "127.0.0.1" });
	const { port } = app.server.address() as AddressInfo;
	const from = atoll.records.length;
	const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: JSON_TYPE, body: "{}" });
	assert.equal(response.status, 500);
	assert.match(await response.clone().text(), /before anything reads its body/);
	assert.equal(await errorCode(response), "body_consumed");
	assert.deepEqual(
		atoll.records.slice(from).map(({ outcome, status }) => [outcome, status]),
		[["body_consumed", 500]],
	);
	assert.equal(atoll.runtime.stats().inFlight, 0);
	await app.close();
});

test("a body that was read in part is refused, too", async () => {
	await using server = await Listening.on((req, res) => {
		req.once("data", () => {
			req.pause();
			atoll.runtime.nodeHandler(req, res);
		});
	});
	const response = await server.fetch("/", { method: "POST", body: "x".repeat(100_000) });
	assert.equal(await errorCode(response), "body_consumed");
});
