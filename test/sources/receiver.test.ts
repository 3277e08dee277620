import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import type { Rule, SchemeName } from "../../src/sources/source-settings.ts";
import { exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ sandboxes: 1 });
let server: HttpServer;
let port = 0;
before(async () => {
	const runtime = await atoll.ready();
	server = new HttpServer(runtime.receiving("events.test", runtime));
	port = (await server.listen(0, "127.0.0.1")).port;
});
after(() => server.close());

const SECRET = "a secret of the tests";
const source = (name: string, rules: Partial<Rule>[], scheme: SchemeName = "github", tenant = "default") =>
	atoll.runtime.sources.apply(
		[
			{
				...{ tenant, name, scheme, secrets: [SECRET] },
				rules: rules.map((rule) => ({ types: ["*"], retries: 0, deadLetterQueue: null, ...rule })),
			},
		],
		[],
	);

interface Answered {
	status: number;
	body: string;
	headers: Record<string, string | string[] | undefined>;
}

function send(
	path: string,
	headers: Record<string, string>,
	body: string | Buffer,
	method = "POST",
): Promise<Answered> {
	return new Promise((resolve, reject) => {
		const all = { host: "events.test", "content-length": Buffer.byteLength(body), ...headers };
		const asked = request({ host: "127.0.0.1", port, method, path, headers: all }, (response) =>
			text(response).then(
				(told) => resolve({ status: response.statusCode ?? 0, body: told, headers: response.headers }),
				reject,
			),
		);
		asked.on("error", reject);
		asked.end(body);
	});
}

/** As GitHub sends it. */
const signed = (body: string, { secret = SECRET, type = "push", id = randomUUID() as string } = {}) => ({
	"x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
	"x-github-event": type,
	"x-github-delivery": id,
	"content-type": "application/json",
});

const LOGS = `export default {
	fetch: () => new Response("by the function"),
	event(event, env, ctx) {
		console.log("event", event.id, event.source, event.type, event.datacontenttype, JSON.stringify(event.data ?? null), event.attemptNumber, ctx.waitUntil !== undefined);
		if (event.type === "fails") throw new Error("it fails");
	},
	queue({ messages }) { for (const { body } of messages) console.log("message", JSON.stringify(body)); },
};`;

test("a signed event calls the function's handler once, however often it is sent", async () => {
	await atoll.deploy("logs", LOGS, { triggers: { queues: [{ queue: "told", maxBatchTimeout: 0 }] } });
	source("hub", [{ function: "logs" }]);
	const body = '{"ref":"main"}';
	const headers = signed(body, { id: "one" });
	assert.deepEqual((await send("/events/hub", headers, body)).status, 202);
	await atoll.log('event one /events/hub push application/json {"ref":"main"} 1 true');
	assert.equal((await send("/events/hub", headers, body)).status, 202);
	assert.equal((await send("/events/hub", signed("2", { id: "two" }), "2")).status, 202);
	await atoll.log("event two");
	assert.equal(atoll.logs.filter(({ message }) => message.startsWith("event one")).length, 1);
	const { event, trigger, outcome } = await atoll.record("logs");
	assert.deepEqual([event, trigger, outcome], ["event", "dispatch", "ok"]);
});

test("rules say by its type whom an event is for: functions, queues, or nobody", async () => {
	source("rules", [
		{ types: ["issues", "pull_*"], function: "logs" },
		{ types: ["issues"], queue: "told" },
	]);
	const sendOf = (type: string) => send("/events/rules", signed(`"${type}"`, { type, id: `r-${type}` }), `"${type}"`);
	for (const type of ["issues", "pull_request", "star"]) assert.equal((await sendOf(type)).status, 202);
	await atoll.log("event r-issues");
	await atoll.log("event r-pull_request");
	const { message } = await atoll.log("message");
	const { id, type, data, specversion } = JSON.parse(message.slice("message ".length)) as Record<string, string>;
	assert.deepEqual([id, type, data, specversion], ["r-issues", "issues", "issues", "1.0"]);
	assert.ok(!atoll.logs.some(({ message }) => message.includes("r-star")));
});

test("an event that fails at last is told to the dead-letter queue", async () => {
	source("fails", [{ function: "logs", deadLetterQueue: "told" }]);
	assert.equal((await send("/events/fails", signed("{}", { type: "fails" }), "{}")).status, 202);
	await atoll.log(/^message .*"state":"failed".*"error":"it fails"/);
});

test("CloudEvents come one by one or as a batch, with data of each kind", async () => {
	source("cloud", [{ function: "logs" }], "cloudevents");
	atoll.runtime.sources.apply([{ ...atoll.runtime.sources.at("cloud").source, secrets: ["a-token-of-sixteen"] }], []);
	const bearer = { authorization: "Bearer a-token-of-sixteen" };
	const one = { specversion: "1.0", id: "c1", source: "/s", type: "t" };
	const binary = {
		"ce-specversion": "1.0",
		"ce-id": "c0",
		"ce-source": "/s",
		"ce-type": "t",
		"content-type": "text/plain",
	};
	assert.equal((await send("/events/cloud", { ...bearer, ...binary }, "täxt")).status, 202);
	await atoll.log('event c0 /s t text/plain "täxt"');
	const batch = JSON.stringify([
		{ ...one, data: { a: 1 } },
		{ ...one, id: "c2", data_base64: "AQI=" },
	]);
	const type = { "content-type": "application/cloudevents-batch+json" };
	assert.equal((await send("/events/cloud", { ...bearer, ...type }, batch)).status, 202);
	await atoll.log('event c1 /s t application/json {"a":1}');
	await atoll.log("event c2 /s t");
	assert.equal((await send("/events/cloud", { ...bearer, ...type }, "[{}]")).status, 400);
	assert.equal((await send("/events/cloud", { ...bearer, "content-type": "text/plain" }, "x")).status, 415);
	assert.equal((await send("/events/cloud", type, batch)).status, 401);
});

test("whoever asks whether it may send is told so", async () => {
	const asks = { "webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120" };
	const { status, headers } = await send("/events/cloud", asks, "", "OPTIONS");
	assert.deepEqual(
		[status, headers["webhook-allowed-origin"], headers["webhook-allowed-rate"], headers.allow],
		[200, "eventemitter.example.com", "6000", "POST, OPTIONS"],
	);
	assert.equal((await send("/events/cloud", {}, "", "OPTIONS")).headers["webhook-allowed-origin"], undefined);
	assert.equal((await send("/events/cloud", {}, "", "GET")).status, 405);
});

test("a bad signature and a source that is not there are told the same, before the body where that can be", async () => {
	const body = "{}";
	const bad = await send("/events/hub", signed(body, { secret: "another secret" }), body);
	const none = await send("/events/hub", {}, body);
	const answers = [bad, none];
	for (const path of ["nobody", "other/hub", "a/b/c", "", "%00", "constructor", "__proto__"])
		answers.push(await send(`/events/${path}`, signed(body), body));
	for (const { status, body: told } of answers) assert.deepEqual([status, told], [401, bad.body]);
	// Of a request without any signature no body is waited for.
	const head = "POST /events/hub HTTP/1.1\r\nhost: events.test\r\ncontent-length: 1000\r\n\r\n";
	assert.equal(statusOf(await exchange(port, head)), 401);
	const claims = Object.entries(signed("")).map(([name, value]) => `${name}: ${value}\r\n`);
	const large = `POST /events/hub HTTP/1.1\r\nhost: events.test\r\n${claims.join("")}content-length: 300000\r\n\r\n`;
	assert.equal(statusOf(await exchange(port, large)), 413);
	const chunk = `${(16_384).toString(16)}\r\n${"x".repeat(16_384)}\r\n`;
	const chunked = `POST /events/hub HTTP/1.1\r\nhost: events.test\r\n${claims.join("")}transfer-encoding: chunked\r\n\r\n`;
	assert.equal(statusOf(await exchange(port, chunked, ...Array.from({ length: 20 }, () => chunk))), 413);
	assert.ok(!atoll.logs.some(({ message }) => message.includes("constructor")));
});

test("a flood of bad signatures is cut off at its source, and costs no other", async () => {
	source("flooded", [{ function: "logs" }], "github", "flooded");
	const body = "x".repeat(250_000);
	const headers = signed(body, { secret: "another secret" });
	const flood = await Promise.all(Array.from({ length: 60 }, () => send("/events/flooded/flooded", headers, body)));
	const codes = new Set(flood.map(({ status }) => status));
	assert.deepEqual([...codes].sort(), [401, 429]);
	assert.equal(flood.find(({ status }) => status === 429)?.headers["retry-after"], "1");
	assert.equal((await send("/events/hub", signed("3", { id: "amid" }), "3")).status, 202);
	await atoll.log("event amid");
	assert.equal(atoll.runtime.stats().heldBytes, 0);
});

test("a body that is only said to come counts for nothing", async () => {
	source("said", [{ function: "logs" }], "github", "said");
	const claims = Object.entries(signed("")).map(([name, value]) => `${name}: ${value}\r\n`);
	const head = `POST /events/said/said HTTP/1.1\r\nhost: events.test\r\n${claims.join("")}content-length: 256000\r\n\r\n`;
	for (let i = 0; i < 40; i++) {
		const socket = connect(port, "127.0.0.1");
		socket.end(head);
		await text(socket);
	}
	const body = "{}";
	assert.equal((await send("/events/said/said", signed(body, { secret: "another secret" }), body)).status, 401);
});

test("a flood to sources that are not there tells nobody which are", async () => {
	source("there", [{ function: "logs" }], "github", "guessed");
	const stamp = String(Math.floor(Date.now() / 1000));
	// Of all schemes, since nobody knows which one a source has that is not there.
	const headers = {
		...signed("", { secret: "another secret" }),
		"stripe-signature": `t=${stamp},v1=${"0".repeat(64)}`,
		...{ "webhook-id": "1", "webhook-timestamp": stamp, "webhook-signature": `v1,${"A".repeat(43)}=` },
	};
	const large = "x".repeat(250_000);
	const flood = (path: string) => Promise.all(Array.from({ length: 30 }, () => send(path, headers, large)));
	await Promise.all(["a", "b", "c", "d", "e", "f"].map((name) => flood(`/events/nobody/${name}`)));
	const codes = new Set<number>();
	for (const name of ["there", "a", "b", "c", "d", "e", "f"])
		codes.add((await send(`/events/guessed/${name}`, headers, "{}")).status);
	assert.deepEqual([...codes], [401]);
});

test("as long as not all sources are known, one that may be there is to be asked again", async () => {
	let areKnown = false;
	const early = new HttpServer(atoll.runtime.receiving("events.test", atoll.runtime, async () => areKnown));
	const late = (await early.listen(0, "127.0.0.1")).port;
	const [body, headers] = ["{}", { host: "events.test", ...signed("{}", { id: "early" }) }];
	const post = (name: string) =>
		new Promise<number>((resolve, reject) => {
			const asked = request(`http://127.0.0.1:${late}/events/${name}`, { method: "POST", headers }, (response) =>
				resolve(response.resume().statusCode ?? 0),
			);
			asked.on("error", reject).end(body);
		});
	assert.deepEqual([await post("hub"), await post("nobody")], [202, 503]);
	areKnown = true;
	assert.equal(await post("nobody"), 401);
	await early.close();
});

test("all else at the hostname, and events at another, go to functions", async () => {
	await atoll.deploy("site", LOGS, { hostnames: ["events.test", "site.test"] });
	assert.equal((await send("/", {}, "")).body, "by the function");
	assert.equal((await send("/events/hub", { host: "site.test" }, "")).body, "by the function");
	assert.equal((await send("/events/hub", { host: "events.test:80" }, "")).status, 401);
});

test("a data process that dies costs no event that was acknowledged, and a source that is removed takes none", async () => {
	source("full", [{ function: "logs" }], "github", "full");
	await atoll.deploy("logs", LOGS, { tenant: "full", hostnames: ["logs.full.test"] });
	atoll.runtime.sources.apply([], ["full/gone"]);
	const body = "{}";
	const headers = signed(body, { id: "kept" });
	process.kill(atoll.runtime.dataPid(), "SIGKILL");
	assert.equal((await send("/events/full/full", headers, body)).status, 202);
	await atoll.log("event kept /events/full/full");
	await until(() => atoll.runtime.dataPid() > 0);
	atoll.runtime.sources.apply([], ["full/full"]);
	assert.equal((await send("/events/full/full", signed(body), body)).status, 401);
});

test("an event goes on with the trace of the request that brings it", async () => {
	await atoll.deploy("traced", LOGS, { triggers: { queues: [{ queue: "traced", maxBatchTimeout: 0 }] } });
	source("traced", [{ function: "traced" }, { queue: "traced" }]);
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
	const sent = { ...signed("{}"), traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: "a=1" };
	assert.equal((await send("/events/default/traced", sent, "{}")).status, 202);
	assert.equal((await send("/events/default/traced", { ...signed("{}"), traceparent: "00-what" }, "{}")).status, 202);
	for (let nth = 0; nth < 4; nth++) await atoll.record("traced", nth);
	const traces = atoll.records
		.filter((one) => one.function === "traced")
		.map(({ event, traceId }) => `${event} ${traceId}`);
	assert.deepEqual(traces.filter((one) => one.endsWith(trace)).toSorted(), [`event ${trace}`, `queue ${trace}`]);
});
