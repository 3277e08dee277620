import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { Collector, type ReceivedSpan } from "../support/otlp/collector.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const collector = await Collector.start();
after(() => collector.stop());
const CONFIG = {
	otlp: { endpoint: collector.url, headers: { "x-key": "k,e=y 1" }, intervalMs: 1000 },
	traces: { sample: 1 },
	allowEgress: ["127.0.0.1"],
};

const folder = temporaryFolder();
writeFileSync(join(folder, "atoll.server.jsonc"), JSON.stringify(CONFIG));
const platform = await startPlatform("--config", join(folder, "atoll.server.jsonc"));

/** What came to a server outside: the headers of each request. */
const outside: Record<string, string | string[] | undefined>[] = [];
const upstream = createServer((req, res) => {
	outside.push(req.headers);
	res.writeHead(418).end("tea");
});
await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
after(() => upstream.close());
const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/pot?sig=secret`;

/** Resolves once something has arrived; rejects at once where the collector could not read what did. */
const arrived = (done: () => boolean) =>
	until(() => {
		assert.deepEqual(collector.problems, []);
		return done();
	});

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const traceparent = (flags = "01") => `00-${TRACE}-${PARENT}-${flags}`;

const of = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
const named = (spans: ReceivedSpan[], name: string) => {
	const found = spans.filter((span) => span.name === name);
	assert.equal(found.length, 1, `${name}: ${spans.map((span) => span.name).join()}`);
	return found[0];
};

await platform.deploy(
	"inner",
	`import { WorkerEntrypoint } from "cloudflare:workers";
	export class Sums extends WorkerEntrypoint { add(a, b) { return a + b; } }
	export default { async fetch(r, env) {
		if (new URL(r.url).pathname === "/boom") throw new TypeError("no such thing");
		console.log("inner", r.headers.get("traceparent"));
		return new Response("in");
	} };`,
);
await platform.line.write("outer", {
	"index.js": `export default { async fetch(r, env) {
		const url = new URL(r.url);
		if (url.pathname === "/boom") return env.INNER.fetch("http://inner/boom");
		if (url.pathname === "/own") return env.INNER.fetch("http://inner/", { headers: { traceparent: url.searchParams.get("p") } });
		if (url.pathname === "/proxy") return env.INNER.fetch("http://inner/", r);
		if (url.pathname === "/many") {
			for (let i = 0; i < 60; i++) { await env.STORE.get("k"); console.log("x".repeat(2000)); }
			return new Response("many");
		}
		console.log("hello", { a: 1 });
		await env.STORE.put("k", "v");
		await (await env.INNER.fetch("http://inner/")).text();
		await env.SUMS.add(1, 2);
		await (await fetch("http://inner.localhost/")).text();
		await (await fetch(${JSON.stringify(upstreamUrl)})).text();
		return new Response(String(r.headers.get("traceparent")));
	} };`,
	"atoll.jsonc": JSON.stringify({
		bindings: {
			INNER: { type: "service", function: "inner" },
			SUMS: { type: "service", function: "inner", entrypoint: "Sums" },
			STORE: { type: "kv", id: "store" },
		},
	}),
});
{
	const { code, output } = await platform.atoll("deploy", `${platform.line.folder}/outer`, "--name", "outer");
	assert.equal(code, 0, output);
	// What was deployed is warm already; a new edge begins without isolates.
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	await platform.supervisor.until(/"msg":"restarted"/);
}

test("a request through functions, storage and the outside is one trace", async () => {
	const { text } = await platform.get("outer.localhost", "/", { traceparent: traceparent(), tracestate: "a=1" });
	assert.equal(text, traceparent(), "a function sees its header as it came");
	await arrived(() => of(TRACE).filter(({ kind }) => kind === "SERVER").length === 4);
	assert.deepEqual(collector.problems, []);
	assert.equal(collector.headers["x-key"], "k,e=y 1");
	const spans = of(TRACE);
	const root = named(spans, "GET outer");
	assert.equal(root.parentSpanId, PARENT);
	const cold = spans.find((span) => span.name === "cold start" && span.parentSpanId === root.spanId);
	assert.ok(cold && cold.end > cold.start);
	assert.equal(root.traceState, "a=1");
	assert.equal(root.kind, "SERVER");
	assert.equal(root.resource["service.name"], "atoll");
	assert.equal(root.attributes["faas.name"], "outer");
	assert.equal(root.attributes["faas.trigger"], "http");
	assert.equal(root.attributes["faas.coldstart"], true);
	assert.equal(root.attributes["atoll.tenant"], "default");
	assert.equal(root.attributes["http.response.status_code"], 200);
	assert.equal(root.status.code, "UNSET");
	assert.match(String(root.attributes["faas.version"]), /^[0-9a-f]{8,}/);
	assert.deepEqual(
		root.events.map(({ name, attributes }) => [name, attributes["atoll.log.message"]]),
		[["log", "hello { a: 1 }"]],
	);
	const children = spans.filter((span) => span.parentSpanId === root.spanId);
	assert.deepEqual(
		children.map(({ name, kind }) => `${name} ${kind}`).sort(),
		["GET CLIENT", "GET CLIENT", "GET CLIENT", "cold start INTERNAL", "kv put CLIENT", "service add CLIENT"].sort(),
	);
	for (const child of children)
		assert.ok(child.start >= root.start - 1_000_000n && child.end <= root.end + 1_000_000n, child.name);
	// Each inner invocation is the child of its call.
	const inner = spans.filter(({ attributes, kind }) => attributes["faas.name"] === "inner" && kind === "SERVER");
	assert.equal(inner.length, 3);
	for (const span of inner)
		assert.ok(children.some(({ spanId, kind }) => spanId === span.parentSpanId && kind === "CLIENT"));
	assert.equal(new Set(inner.map((span) => span.parentSpanId)).size, 3);
	assert.equal(named(inner, "rpc inner").attributes["rpc.method"], "add");
	// And so is what comes to others.
	const out = children.find(({ attributes }) => attributes["http.response.status_code"] === 418);
	assert.ok(out);
	assert.equal(outside.at(-1)?.traceparent, `00-${TRACE}-${out.spanId}-01`);
	assert.equal(outside.at(-1)?.tracestate, "a=1");
	assert.equal(String(out.attributes["url.full"]), upstreamUrl.replace("secret", "REDACTED"));
	assert.equal(out.status.code, "ERROR");
	// The record of the log names its trace.
	assert.match(platform.log, new RegExp(`"traceId":"${TRACE}","spanId":"${root.spanId}"`));
});

test("what is thrown is an exception event, its stack mapped, and the spans around it have failed", async () => {
	const traceId = TRACE.replace("4b", "4c");
	await platform.get("outer.localhost", "/boom", { traceparent: `00-${traceId}-${PARENT}-01` });
	await arrived(() => of(traceId).length === 3);
	const inner = named(of(traceId), "GET inner");
	const event = inner.events.find(({ name }) => name === "exception");
	assert.equal(event?.attributes["exception.type"], "TypeError");
	assert.equal(event?.attributes["exception.message"], "no such thing");
	assert.match(String(event?.attributes["exception.stacktrace"]), /index\.js:4:/);
	assert.equal(inner.status.code, "ERROR");
	assert.equal(inner.attributes["error.type"], "exception");
	assert.equal(inner.attributes["http.response.status_code"], 500);
	assert.equal(named(of(traceId), "GET").status.code, "ERROR");
});

test("what a function says of a trace itself counts, but not what it only hands on", async () => {
	const traceId = TRACE.replace("4b", "4d");
	const own = `00-${traceId}-1111111111111111-01`;
	await platform.get("outer.localhost", `/own?p=${own}`);
	await arrived(() => of(traceId).length === 1);
	assert.equal(of(traceId)[0].parentSpanId, "1111111111111111");
	const other = TRACE.replace("4b", "4e");
	await platform.get("outer.localhost", "/proxy", { traceparent: `00-${other}-${PARENT}-01` });
	await arrived(() => of(other).length === 3);
	const call = named(of(other), "GET");
	assert.equal(named(of(other), "GET inner").parentSpanId, call.spanId);
});

test("a trace that its beginning does not record is not recorded here, and malformed ones begin anew", async () => {
	const unrecorded = TRACE.replace("4b", "5b");
	await platform.get("outer.localhost", "/", { traceparent: `00-${unrecorded}-${PARENT}-00` });
	assert.match(String(outside.at(-1)?.traceparent), new RegExp(`^00-${unrecorded}-[0-9a-f]{16}-00$`));
	const known = new Set(collector.spans.map((span) => span.traceId));
	await platform.get("outer.localhost", "/many", { traceparent: "00-nothing" });
	const begun = () => collector.spans.find((span) => span.name === "GET outer" && !known.has(span.traceId));
	await arrived(() => begun() !== undefined);
	assert.equal(begun()?.parentSpanId, "");
	// As the one after it has come, it would have come as well.
	assert.deepEqual(of(unrecorded), []);
	const root = begun() as ReceivedSpan;
	assert.ok(root.events.length < 64 && root.droppedEvents > 0);
	for (const { attributes } of root.events) assert.ok(String(attributes["atoll.log.message"]).length <= 1025);
});

test("what is sent to a queue, or taken in for later, goes on from who sent it, and several messages are linked", async () => {
	await platform.line.write("later", {
		"index.js": `export default {
			async fetch(r, env) { if (new URL(r.url).pathname === "/send") await env.JOBS.send("job"); return new Response("ok"); },
			queue() {},
			storage() {},
		};`,
		"atoll.jsonc": JSON.stringify({
			bindings: {
				JOBS: { type: "queue", queue: "jobs" },
				KV: { type: "kv", id: "written" },
				FILES: { type: "objects", bucket: "written" },
			},
			triggers: {
				queues: [{ queue: "jobs", maxBatchTimeout: 0 }],
				storage: [{ bucket: "written" }, { kv: "written" }],
			},
		}),
	});
	const { code, output } = await platform.atoll("deploy", `${platform.line.folder}/later`, "--name", "later");
	assert.equal(code, 0, output);
	const newParent = () => `00-${randomBytes(16).toString("hex")}-${PARENT}-01`;
	const [sent, asked, put, stored, ...batched] = Array.from({ length: 6 }, newParent);
	const idOf = (parent: string) => parent.slice(3, 35);
	const spanOf = (parent: string, name: string) => of(idOf(parent)).find((span) => span.name === name);

	await platform.get("later.localhost", "/send", { traceparent: sent });
	await arrived(() => spanOf(sent, "queue later") !== undefined);
	await arrived(() => spanOf(sent, "queue send") !== undefined);
	const consumed = spanOf(sent, "queue later");
	assert.equal(consumed?.kind, "CONSUMER");
	assert.equal(consumed.parentSpanId, spanOf(sent, "queue send")?.spanId);
	assert.deepEqual(consumed.links, []);

	const call = async (method: string, path: string, given: Record<string, string>, body: string) => {
		const headers = { authorization: `Bearer ${TOKEN}`, ...given };
		const { ok, status } = await fetch(`http://127.0.0.1:${platform.adminPort}${path}`, { method, headers, body });
		assert.ok(ok, `${path}: ${status}`);
	};
	const admin = (method: string, path: string, given: Record<string, string>, body: string) =>
		call(method, `/v1/tenants/default/${path}`, given, body);
	const account = "/client/v4/accounts/default";
	for (const [parent, path] of [
		[put, "/storage/kv/namespaces/written/values/key"],
		[stored, "/r2/buckets/written/objects/key"],
	]) {
		await call("PUT", `${account}${path}`, { traceparent: parent }, "value");
		await arrived(() => spanOf(parent, "storage later") !== undefined);
		assert.equal(spanOf(parent, "storage later")?.parentSpanId, PARENT, path);
	}

	await admin("POST", "functions/later/invocations", { traceparent: asked, tracestate: "a=1" }, "later");
	await arrived(() => spanOf(asked, "POST later") !== undefined);
	assert.equal(spanOf(asked, "POST later")?.parentSpanId, PARENT);
	assert.equal(spanOf(asked, "POST later")?.traceState, "a=1");

	const json = { "content-type": "application/json" };
	await admin("PATCH", "queues/jobs", json, '{"paused":true}');
	const messages = JSON.stringify({ messages: [{ body: "one" }] });
	for (const traceparent of batched) await admin("POST", "queues/jobs/messages", { ...json, traceparent }, messages);
	await admin("PATCH", "queues/jobs", json, '{"paused":false}');
	const batch = () => collector.spans.find(({ links }) => links.length > 0);
	await arrived(() => batch() !== undefined);
	assert.deepEqual(
		batch()?.links,
		batched.map((parent) => ({ traceId: idOf(parent), spanId: PARENT })),
	);
	assert.equal(batch()?.name, "queue later");
	assert.equal(batch()?.parentSpanId, "");
	assert.ok(!batched.map(idOf).includes(String(batch()?.traceId)));
});

test("metrics arrive, and their sums are the load", async () => {
	for (let i = 0; i < 10; i++) await platform.get("inner.localhost", i < 3 ? "/boom" : "/");
	const point = (metric: string, attributes: Record<string, string>) =>
		collector.points.find(
			(one) =>
				one.metric === metric && Object.entries(attributes).every(([name, value]) => one.attributes[name] === value),
		);
	const own = { "faas.name": "inner", "faas.trigger": "http", "atoll.tenant": "default" };
	const log = () =>
		platform.log.split("\n").filter((line) => /"function":"inner".*"event":"http".*"msg":"request"/.test(line));
	await arrived(() => point("faas.invoke_duration", own)?.count === log().length);
	const failed = log().filter((line) => line.includes('"outcome":"exception"')).length;
	assert.ok(failed >= 4);
	assert.equal(point("faas.errors", own)?.value, failed);
	assert.equal(point("faas.invocations", { ...own, "atoll.outcome": "exception" })?.value, failed);
	assert.equal(point("faas.invocations", { ...own, "atoll.outcome": "ok" })?.value, log().length - failed);
	const duration = point("faas.invoke_duration", own);
	assert.equal(duration?.temporality, "CUMULATIVE");
	assert.equal(duration?.unit, "s");
	assert.equal(
		duration?.buckets.reduce((all, one) => all + one, 0),
		duration?.count,
	);
	const wall = log().reduce((all, line) => all + JSON.parse(line).wallMs / 1000, 0);
	assert.ok(Math.abs((duration?.value ?? 0) - wall) < 1e-6);
	assert.equal(point("atoll.edges", {})?.value, 1);
	assert.equal(point("atoll.edge_cpu", {})?.kind, "sum");
	assert.equal(point("atoll.edge_heap", {})?.unit, "By");
	assert.ok((point("atoll.export_spans", { outcome: "exported" })?.value ?? 0) > 0);
	assert.deepEqual(collector.problems, []);
});

test("what control and edges are started with tells no key", async () => {
	const parent = String(platform.supervisor.child.pid);
	for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
		try {
			const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
			if (pid === parent || line.includes(platform.data)) assert.doesNotMatch(line, /k,e=y|k%2Ce/);
		} catch (error) {
			assert.ok(["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? ""), String(error));
		}
	}
});
