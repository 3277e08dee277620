import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { before, test } from "node:test";
import { serve } from "@hono/node-server";
import Fastify from "fastify";
import { Hono } from "hono";
import pino from "pino";
import { createRuntime } from "../../src/index.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("embedding", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	before(() =>
		atoll.deploy(
			"guest",
			`export default { async fetch(r) { return new Response(r.method + " " + new URL(r.url).pathname + " " + (await r.text()), { headers: { "x-guest": "yes" } }); } }`,
			{ hostnames: ["localhost", "127.0.0.1"] },
		),
	);

	async function check(origin: string): Promise<void> {
		const response = await fetch(`${origin}/path`, { method: "POST", body: "body" });
		assert.equal(await response.text(), "POST /path body");
		assert.equal(response.headers.get("x-guest"), "yes");
		const large = await fetch(`${origin}/large`, { method: "PUT", body: "x".repeat(300_000) });
		assert.equal((await large.text()).length, "PUT /large ".length + 300_000);
	}
	const origin = (server: { address(): unknown }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

	test("in a bare node:http server", async () => {
		const server = createServer(atoll.runtime.nodeHandler);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		await check(origin(server));
		server.close();
		server.closeAllConnections();
	});

	test("in a Hono app", async () => {
		const app = new Hono();
		app.get("/own", (c) => c.text("own"));
		app.all("*", (c) => atoll.runtime.fetch(c.req.raw));
		const server = await new Promise<Server>((resolve) => {
			const started = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(started as Server));
		});
		await check(origin(server));
		assert.equal(await (await fetch(`${origin(server)}/own`)).text(), "own");
		server.close();
		server.closeAllConnections();
	});

	test("in a Fastify app", async () => {
		const app = Fastify({ forceCloseConnections: true });
		app.get("/own", () => "own");
		app.removeAllContentTypeParsers();
		app.addContentTypeParser("*", (_request, _payload, done) => done(null));
		app.all("/*", (request, reply) => {
			reply.hijack();
			atoll.runtime.nodeHandler(request.raw, reply.raw);
		});
		await app.listen({ port: 0, host: "127.0.0.1" });
		await check(origin(app.server));
		assert.equal(await (await fetch(`${origin(app.server)}/own`)).text(), "own");
		await app.close();
	});

	test("runtime.fetch gives standard Responses, errors among them", async () => {
		const missing = await atoll.runtime.fetch(new Request("http://nobody.test/"));
		assert.ok(missing instanceof Response);
		assert.equal(missing.status, 404);
		assert.match(missing.headers.get("x-atoll-request-id") ?? "", /\S/);
		const aborted = new AbortController();
		await atoll.deploy(
			"hang",
			`export default { fetch(r) { r.signal.addEventListener("abort", () => console.log("heard it")); console.log("hangs"); return new Promise(() => {}); } }`,
		);
		const pending = atoll.fetch("hang", "/", { signal: aborted.signal });
		await atoll.log("hangs");
		aborted.abort();
		await assert.rejects(pending);
		await atoll.log("heard it");
		const { length } = atoll.records;
		await assert.rejects(atoll.fetch("hang", "/", { signal: aborted.signal }), { name: "AbortError" });
		assert.equal(atoll.records.length, length, "nothing is begun for nobody");
	});
});

test("options that make no sense are refused, each by name", async () => {
	for (const [options, message] of [
		[{ isolation: "thread" }, /isolation/],
		[{ sandboxes: 0 }, /sandboxes/],
		[{ limits: { memoryMb: 4 } }, /limits\.memoryMb/],
		[{ limits: { cpuMs: "1" } }, /limits\.cpuMs/],
		[{ cache: { maxIsolates: -1 } }, /cache\.maxIsolates/],
		[{ workers: 3 }, /workers/],
		[{ logger: {} }, /logger/],
		[{ isolation: "inline", egress: { allow: ["10.0.0.0/99"] } }, /10\.0\.0\.0\/99/],
	] as const) {
		await assert.rejects(createRuntime(options as object), { name: "UsageError", message }, JSON.stringify(options));
	}
});

const atoll = new TestRuntime({ isolation: "inline" });

test("each request leaves one invocation record, to subscribers and as a JSON line", async () => {
	const lines: Record<string, unknown>[] = [];
	const logger = pino(
		{ base: null },
		{ write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
	);
	await using runtime = await createRuntime({ isolation: "inline", data: `${atoll.folder}/data`, logger });
	const entry = await atoll.write(
		"rec.js",
		`export default { async fetch(r) { await r.text(); for (let i = 0; i < 3e6; i++); console.log("said"); return new Response("12345"); } }`,
	);
	await runtime.deploy({ name: "rec", hostnames: ["rec.test"], entry });
	const records: unknown[] = [];
	const stop = runtime.subscribe({ record: (record) => records.push(record) });
	const response = await runtime.fetch(new Request("http://rec.test/", { method: "POST", body: "abc" }));
	await response.text();
	await runtime.fetch(new Request("http://nobody.test/"));
	stop();
	await runtime.fetch(new Request("http://rec.test/"));
	assert.equal(records.length, 2);
	const [record, unknown] = records as Record<string, unknown>[];
	assert.deepEqual(Object.keys(record), [
		"time",
		"requestId",
		"traceId",
		"spanId",
		"tenant",
		"function",
		"version",
		"event",
		"hostname",
		"trigger",
		"method",
		"url",
		"status",
		"outcome",
		"cold",
		"startMs",
		"cpuMs",
		"wallMs",
		"requestBytes",
		"responseBytes",
		"subrequests",
		"bindingCalls",
		"exceeded",
		"memoryBytes",
		"attempts",
	]);
	const {
		tenant,
		function: name,
		hostname,
		trigger,
		method,
		status,
		outcome,
		cold,
		requestBytes,
		responseBytes,
		attempts,
	} = record;
	assert.deepEqual(
		{ tenant, name, hostname, trigger, method, status, outcome, cold, requestBytes, responseBytes, attempts },
		{
			tenant: "default",
			name: "rec",
			hostname: "rec.test",
			trigger: "fetch",
			method: "POST",
			status: 200,
			outcome: "ok",
			cold: true,
			requestBytes: 3,
			responseBytes: 5,
			attempts: 1,
		},
	);
	assert.ok(
		(record.cpuMs as number) >= 1 && (record.startMs as number) > 0 && (record.memoryBytes as number) > 100_000,
	);
	assert.equal(record.requestId, response.headers.get("x-atoll-request-id"));
	assert.deepEqual(
		[unknown.tenant, unknown.function, unknown.status, unknown.outcome],
		["", "", 404, "hostname_not_found"],
	);
	const line = lines.find((one) => one.msg === "request" && one.requestId === record.requestId);
	assert.equal(line?.function, "rec");
	assert.equal(lines.find((one) => one.msg === "said")?.requestId, record.requestId);
});
