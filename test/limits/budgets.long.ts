import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createRuntime } from "../../src/index.ts";
import { Rate } from "../../src/limits/rate.ts";
import { STREAM_CHUNK, STREAM_WINDOW } from "../../src/link/messages.ts";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** Answers after a timer, so that a few of its requests are at work at the same time. */
const WAITS = `export default { async fetch() { await new Promise((r) => setTimeout(r, 30)); return new Response("in"); } }`;

inBothIsolations("budgets", (isolation) => {
	const atoll = new TestRuntime({
		isolation,
		egress: { allow: ["127.0.0.1"] },
		maxLimits: { cpuMs: 500, timers: 50 },
		tenantLimits: { concurrentRequests: 2, queuedRequests: 1 },
	});
	let origin: Server;
	let url: string;

	before(async () => {
		const bomb = gzipSync(Buffer.alloc(10_000_000));
		origin = createServer((req, res) => {
			if (req.url === "/silent") return;
			if (req.url === "/stalls") res.writeHead(200).write("first");
			else res.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
		});
		await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
		url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
	});
	after(() => {
		origin.closeAllConnections();
		origin.close();
	});

	test("a deployment that asks for more than the operator's ceiling is refused, and nothing has changed", async () => {
		await atoll.deploy("capped", `export default { fetch: () => new Response("v1") }`, { limits: { cpuMs: 500 } });
		await assert.rejects(
			atoll.deploy("capped", `export default { fetch: () => new Response("v2") }`, { limits: { cpuMs: 501 } }),
			{ name: "UsageError", message: "limits.cpuMs: 501 is more than this runtime allows a function, which is 500" },
		);
		assert.equal(await atoll.text("capped"), "v1");
	});

	test("a ceiling below a default is the default", async () => {
		await atoll.deploy(
			"timers",
			`export default { fetch() { let n = 0; try { for (;;) { setTimeout(() => {}, 60_000); n++; } } catch (e) { return new Response(n + " " + e.name); } } }`,
		);
		assert.equal(await atoll.text("timers"), "50 QuotaExceededError");
		const { exceeded } = await atoll.record("timers");
		assert.deepEqual(exceeded, { timers: 1 });
		await atoll.log("the request has reached its limit of 50 timers");
	});

	test("an excess of CPU time is counted by the limit's name", async () => {
		await atoll.deploy("spins", `export default { fetch() { for (;;); } }`, { limits: { cpuMs: 20 } });
		assert.equal(await errorCode(await atoll.fetch("spins")), "cpu_limit_exceeded");
		assert.deepEqual((await atoll.record("spins")).exceeded, { cpuMs: 1 });
	});

	test("requests of one tenant beyond its limit wait, then are refused, and another tenant's are not", async () => {
		for (const [name, tenant] of [
			["a1", "a"],
			["a2", "a"],
			["b1", "b"],
		])
			await atoll.deploy(name, WAITS, { tenant });
		const all = await Promise.all(["a1", "a1", "a2", "a2", "a1", "b1", "b1"].map((name) => atoll.fetch(name)));
		assert.deepEqual(
			all.map(({ status }) => status),
			[200, 200, 200, 503, 503, 200, 200],
		);
		assert.equal(await errorCode(all[3]), "overloaded");
		assert.equal(all[3].headers.get("retry-after"), "1");
		assert.equal(await atoll.text("a2"), "in", "places are given back");
	});

	test("a request that waits for a place and whose client goes gives up its place in the queue", async () => {
		await atoll.deploy(
			"queue",
			`export default { async fetch() { console.log("busy"); await new Promise(() => {}); } }`,
			{
				limits: { concurrentRequests: 1, queuedRequests: 1, wallMs: 1_000 },
			},
		);
		const first = atoll.fetch("queue");
		await atoll.log("busy");
		const gone = new AbortController();
		const second = atoll.fetch("queue", "/", { signal: gone.signal });
		gone.abort();
		await assert.rejects(second);
		const third = atoll.fetch("queue");
		assert.equal(await errorCode(await first), "wall_time_exceeded");
		assert.equal(await errorCode(await third), "wall_time_exceeded");
		await atoll.record("queue", 2);
		const outcomes = atoll.records.filter((record) => record.function === "queue").map(({ outcome }) => outcome);
		assert.deepEqual(outcomes, ["client_gone", "wall_time_exceeded", "wall_time_exceeded"]);
	});

	test("a subrequest ends after its time, before the head and within the body, and beyond its size", async () => {
		const out = `export default { async fetch(r, env) {
			try { return new Response(String((await (await fetch(env.ORIGIN + new URL(r.url).pathname)).arrayBuffer()).byteLength)); }
			catch (e) { return new Response(e.name + ": " + (e.cause?.message ?? e.message)); }
		} }`;
		const env = { ORIGIN: url };
		await atoll.deploy("hasty", out, { env, limits: { subrequestMs: 400 } });
		await atoll.deploy("frugal", out, { env, limits: { subrequestBodyBytes: 1_000_000 } });
		assert.match(await atoll.text("hasty", "/silent"), /^TypeError: .*sent nothing for 400 ms/);
		assert.match(await atoll.text("hasty", "/stalls"), /sent nothing for 400 ms/);
		assert.match(await atoll.text("frugal", "/bomb"), /sent more than 1000000 bytes/);
		assert.deepEqual((await atoll.record("hasty", 1)).exceeded, { subrequestMs: 1 });
		assert.deepEqual((await atoll.record("frugal")).exceeded, { subrequestBodyBytes: 1 });
	});

	test("a body is no larger than its function takes, be it a program's or another function's", async () => {
		const takes = `export default { async fetch(request) { return new Response((await request.text()).length); } }`;
		await atoll.deploy("takes", takes, { limits: { requestBodyBytes: 1000 } });
		const post = (size: number) => atoll.fetch("takes", "/", { method: "POST", body: "x".repeat(size) });
		assert.equal(await (await post(1000)).text(), "1000");
		assert.equal(await errorCode(await post(1001)), "body_too_large");
		await atoll.deploy(
			"sends",
			`export default { async fetch(request) {
				const size = Number(new URL(request.url).searchParams.get("size"));
				const whole = "x".repeat(size);
				const stream = new Blob([whole]).stream();
				const send = (body) => fetch("http://takes.test/", { method: "POST", body, duplex: "half" });
				return new Response((await send(whole)).status + " " + (await send(stream)).status);
			} }`,
		);
		assert.equal(await atoll.text("sends", "/?size=1000"), "200 200");
		assert.equal(await atoll.text("sends", "/?size=1001"), "413 413");
	});

	test("subrequests beyond their number are counted, each of them, and told in one line", async () => {
		await atoll.deploy(
			"many",
			`export default { async fetch() {
				const all = await Promise.allSettled(Array.from({ length: 100 }, () => fetch("${url}")));
				return new Response(all.filter(({ status }) => status === "rejected").length);
			} }`,
			{ limits: { subrequests: 0 } },
		);
		assert.equal(await atoll.text("many"), "100");
		assert.deepEqual((await atoll.record("many")).exceeded, { subrequests: 100 });
		assert.equal(atoll.logs.filter((line) => line.function === "many").length, 1);
	});

	test("a stream goes no faster than its function may send, and the function is not asked for more", async () => {
		await atoll.deploy(
			"fast",
			`let made = 0;
			const body = () => new ReadableStream({ pull(c) { made += 65536; c.enqueue(new Uint8Array(65536)); } }, { highWaterMark: 0 });
			export default { fetch: (r) => new Response(r.url.endsWith("/made") ? String(made) : body()) };`,
			{ limits: { streamedBytesPerSecond: 2 ** 20 } },
		);
		const response = await atoll.fetch("fast");
		const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
		// What may be on its way comes at once, then so much a second.
		const began = performance.now();
		for (let read = 0; read < 2 * STREAM_WINDOW; ) read += (await reader.read()).value?.byteLength ?? 0;
		const made = Number(await atoll.text("fast", "/made"));
		const most = STREAM_WINDOW + 2 * STREAM_CHUNK + 2 ** 20 * (0.05 + (performance.now() - began) / 1000);
		assert.ok(made <= most, `${made} bytes made, ${most} allowed`);
		await reader.cancel();
	});
});

test("a rate lets a burst pass, and then what it says", () => {
	const rate = new Rate(1000);
	let now = 1_000_000;
	assert.equal(rate.take(30, now), 0);
	assert.equal(rate.take(20, now), 0);
	assert.equal(rate.take(100, now), 100);
	now += 100;
	assert.equal(rate.take(10, now), 10);
	now += 10_000;
	assert.equal(rate.take(51, now), 1);
});

test("past so many lost sandboxes a minute suspects wait, and proven functions are served", async () => {
	await recycling.deploy("proven", `export default { fetch: () => new Response("fine") }`);
	for (let i = 0; i < 30; i++) assert.equal(await recycling.text("proven"), "fine");
	for (let i = 0; i < 3; i++) {
		await recycling.deploy(
			`crash${i}`,
			`export default { fetch() { "ab".repeat(2 ** 27).split("a"); return new Response(""); } }`,
		);
		const code = await errorCode(await recycling.fetch(`crash${i}`));
		assert.equal(code, i < 2 ? "sandbox_lost" : "overloaded");
	}
	await recycling.deploy("new", `export default { fetch: () => new Response("new") }`);
	const waits = await recycling.fetch("new");
	assert.equal(await errorCode(waits), "overloaded");
	assert.ok(Number(waits.headers.get("retry-after")) > 1);
	assert.equal(await recycling.text("proven"), "fine");
	assert.equal(recycling.runtime.stats().restarts, 2);
});
const recycling = new TestRuntime({ recyclesPerMinute: 2 });

test("limits that make no sense are refused where they are given", async () => {
	await assert.rejects(createRuntime({ maxLimits: { cpuMs: 0 } }), /maxLimits\.cpuMs/);
	await assert.rejects(createRuntime({ tenantLimits: { requests: 1 } as never }), /tenantLimits: .*requests/);
	await assert.rejects(createRuntime({ recyclesPerMinute: 0 }), /recyclesPerMinute/);
});
