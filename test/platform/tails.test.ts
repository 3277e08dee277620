import assert from "node:assert/strict";
import { test } from "node:test";
import { TailSession } from "../../src/control/tail-session.ts";
import { newRecord } from "../../src/observe/record.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const LOUD = `export default { fetch(request) {
	console.log("a\\nb", String.fromCharCode(0xd800), "\\u2028", "x".repeat(Number(new URL(request.url).searchParams.get("n"))));
	return new Response("loud");
} };`;
await platform.deploy("loud", LOUD);
await platform.deploy("loud", LOUD, "--tenant", "acme");

const EVENT = /^data: ([^\n]*)\n\n/m;

async function tail(tenant: string, token = TOKEN) {
	const abort = new AbortController();
	const url = `http://127.0.0.1:${platform.adminPort}/v1/tenants/${tenant}/functions/loud/tail`;
	const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: abort.signal });
	let text = "";
	let ended = false;
	const read = async () => {
		const decoder = new TextDecoder();
		for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true });
		ended = true;
	};
	const done = read().catch(() => undefined);
	const end = async () => {
		abort.abort();
		await done;
	};
	return { status: response.status, text: () => text, ended: () => ended, end };
}

test("what a function logs is one event each, whatever is in it", async () => {
	const watched = await tail("default");
	await until(() => watched.text().includes(": connected"));
	await until(async () => {
		await platform.get("loud.localhost", "/?n=100000");
		return EVENT.test(watched.text());
	});
	const [, data] = EVENT.exec(watched.text()) as RegExpExecArray;
	const { lines } = JSON.parse(data) as { lines: { message: string }[] };
	assert.match(lines[0].message, /^a\nb /);
	await watched.end();
});

test("one tenant's tails are bounded, and take no other's place", async () => {
	const all = [];
	for (let i = 0; i < 21; i++) all.push(await tail("acme"));
	assert.deepEqual([all[19].status, all[20].status], [200, 429]);
	const other = await tail("default");
	assert.equal(other.status, 200);
	for (const one of [...all, other]) await one.end();
	await until(async () => {
		const again = await tail("acme");
		await again.end();
		return again.status === 200;
	});
});

test("a tail ends with its token", async () => {
	const { body } = await platform.api("POST", "/v1/tokens", { label: "watcher", scope: "read", tenant: "acme" });
	const { id, token } = body as { id: string; token: string };
	const watched = await tail("acme", token);
	assert.equal(watched.status, 200);
	await platform.api("DELETE", `/v1/tokens/${id}`);
	await until(() => watched.ended());
});

test("a tail of Cloudflare's is ended by whoever may see its function, and by nobody else", async () => {
	const path = (tenant: string) => `/client/v4/accounts/${tenant}/workers/scripts/loud/tails`;
	const open = async () => {
		const { body } = await platform.api("POST", path("default"), {});
		return (body as { result: { id: string; url: string } }).result;
	};
	const { id, url } = await open();
	assert.equal((await platform.api("DELETE", `${path("acme")}/${id}`)).status, 200);
	for (let i = 0; i < 30; i++) await platform.api("POST", path("acme"), {});
	const socket = new WebSocket(url, "trace-v1");
	await new Promise((opened, failed) => {
		socket.onopen = opened;
		socket.onerror = failed;
	});
	const closed = new Promise((done) => {
		socket.onclose = done;
	});
	assert.equal((await platform.api("DELETE", `${path("default")}/${id}`)).status, 200);
	await closed;
});

test("lines whose record never comes are held up to a bound", () => {
	const heard: number[] = [];
	const session = new TailSession("default/shop", ({ lines }) => heard.push(lines.length));
	const line = (requestId: string) => ({
		time: "",
		requestId,
		tenant: "t",
		function: "f",
		version: "v",
		level: "log" as const,
		message: "x".repeat(100_000),
	});
	for (let i = 0; i < 50; i++) session.onLine(line(`${i}`));
	for (const id of ["0", "49"]) session.onRecord({ ...newRecord(id, "http", "http") });
	assert.deepEqual(heard, [0, 1]);
});
