import assert from "node:assert/strict";
import { test } from "node:test";
import { TailSession } from "../../src/control/tails/tail-session.ts";
import { newRecord } from "../../src/observe/record.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const { line } = platform;
const LOUD = `export default { fetch(request) {
	console.log("a\\nb", String.fromCharCode(0xd800), "\\u2028", "x".repeat(Number(new URL(request.url).searchParams.get("n"))));
	return new Response("loud");
} };`;
await platform.deploy("loud", LOUD);
await platform.deploy("loud", LOUD, "--tenant", "acme");

const EVENT = /^data: ([^\n]*)\n\n/m;

async function tail(tenant: string, token = TOKEN, query = "") {
	const abort = new AbortController();
	const url = `http://127.0.0.1:${platform.adminPort}/v1/tenants/${tenant}/functions/loud/tail${query}`;
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
	const session = new TailSession(
		{ scope: "default/shop", filters: [], origins: false },
		{ onInvocation: ({ lines }) => heard.push(lines.length), onLeftOut: () => undefined },
	);
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
	for (const id of ["0", "49"]) session.onRecord(newRecord(id, "http", "http"), null, null);
	assert.deepEqual(heard, [0, 1]);
});

test("a tail shows what its filters let through, and what it leaves out it says", async () => {
	const said = async (query: string) => (await tail("default", TOKEN, query)).status;
	assert.equal(await said("?sample=2"), 400);
	assert.equal(await said("?version=999"), 404);
	const filtered = await tail("default", TOKEN, "?method=get&outcome=ok&version=1&search=xxx");
	const others = [];
	for (const query of ["?outcome=error", "?method=post", "?search=yyy"])
		others.push(await tail("default", TOKEN, query));
	const few = await tail("default", TOKEN, "?sample=0.01");
	await until(() => filtered.text().includes(": connected"));
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1");
		await platform.get("loud.localhost", "/?n=100");
		return EVENT.test(filtered.text());
	});
	for (const [, data] of filtered.text().matchAll(new RegExp(EVENT, "gm"))) {
		const { lines } = JSON.parse(data) as { lines: { message: string }[] };
		assert.match(lines[0].message, /xxx/);
	}
	for (const one of others) assert.doesNotMatch(one.text(), EVENT);
	// More than are told of one function in a second.
	await until(async () => {
		await Promise.all(Array.from({ length: 1000 }, () => platform.get("loud.localhost", "/?n=1")));
		return /^event: sampled\ndata: \{"leftOut":\d+\}$/m.test(few.text());
	});
	for (const one of [filtered, few, ...others]) await one.end();
});

interface Frame {
	event: { request: { headers: Record<string, string>; cf: Record<string, string> } };
}

/** A tail of Cloudflare's, with what it has been told so far. */
async function traced(filters: object[], token = TOKEN) {
	const path = "/client/v4/accounts/default/workers/scripts/loud/tails";
	const { status, body } = await platform.api("POST", path, { filters }, token);
	const { result, errors } = body as { result: { url: string } | null; errors: { message: string }[] };
	const frames: Frame[] = [];
	let code = 0;
	if (result === null) return { status, errors, frames, code: () => code, end: () => Promise.resolve() };
	const socket = new WebSocket(result.url, "trace-v1");
	await new Promise((opened, failed) => {
		socket.onopen = opened;
		socket.onerror = failed;
	});
	socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)) as Frame);
	const closed = new Promise<void>((done) => {
		socket.onclose = (event) => {
			code = event.code;
			done();
		};
	});
	const end = () => {
		socket.close();
		return closed;
	};
	return { status, errors, frames, code: () => code, end };
}

test("a frame has what its request came with, but for what may be a secret", async () => {
	const one = await traced([]);
	const secrets = { authorization: "Bearer s3cr3t", cookie: "id=s3cr3t", "x-api-key": "s3cr3t", "x-jwt": "s3cr3t" };
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1", { ...secrets, "x-plain": "plain", "cf-connecting-ip": "8.8.8.8" });
		return one.frames.length > 0;
	});
	const { headers, cf } = one.frames[0].event.request;
	assert.equal(headers["x-plain"], "plain");
	assert.equal(headers["cf-connecting-ip"], "127.0.0.1");
	for (const name of Object.keys(secrets)) assert.equal(headers[name], "REDACTED", name);
	assert.ok(!JSON.stringify(one.frames).includes("s3cr3t"));
	assert.equal(cf.httpProtocol, "HTTP/1.1");
	await one.end();
});

test("what is told of headers is bounded", async () => {
	const one = await traced([]);
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1", { "x-a": "short", "x-b": "y".repeat(10_000), "x-c": "behind" });
		return one.frames.length > 0;
	});
	const { headers } = one.frames[0].event.request;
	assert.deepEqual([headers["x-a"], headers["x-b"], headers["x-c"]], ["short", undefined, undefined]);
	await one.end();
});

test("filters by header and by address let through what they say, in either API", async () => {
	const path = (query: string) => `/v1/tenants/default/functions/loud/tail?${query}`;
	const named = await traced([{ header: { key: "X-User" } }]);
	const valued = await traced([{ header: { key: "x-user", query: "ada" } }, { client_ip: ["self"] }]);
	const elsewhere = await traced([{ client_ip: ["192.0.2.1"] }]);
	const last = await traced([{ header: { key: "x-last" } }]);
	const own = line.run(["tail", "loud", "--header", "x-user:ada", "--ip", "127.0.0.1", "--json"], {
		ATOLL_SERVER: `http://127.0.0.1:${platform.adminPort}`,
		ATOLL_TOKEN: TOKEN,
	});
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1", { "x-user": "ada" });
		return own.output().includes("\n");
	});
	await platform.get("loud.localhost", "/?n=1");
	await platform.get("loud.localhost", "/?n=1", { "x-user": "bob" });
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1", { "x-last": "" });
		return last.frames.length > 0;
	});
	const users = ({ frames }: { frames: Frame[] }) =>
		new Set(frames.map((frame) => frame.event.request.headers["x-user"]));
	assert.deepEqual(users(named), new Set(["ada", "bob"]));
	assert.deepEqual(users(valued), new Set(["ada"]));
	assert.equal(elsewhere.frames.length, 0);
	for (const text of own.output().trim().split("\n")) {
		const { request } = JSON.parse(text) as { request: { headers: Record<string, string>; client: { ip: string } } };
		assert.deepEqual([request.headers["x-user"], request.client.ip], ["ada", "127.0.0.1"]);
	}
	own.child.kill("SIGINT");
	await own.exit;
	for (const one of [named, valued, elsewhere, last]) await one.end();
	const refused = await traced([{ header: { key: "Cookie", query: "id=1" } }]);
	assert.deepEqual([refused.status, refused.errors.length], [400, 1]);
	assert.match(refused.errors[0].message, /its values are not shown, since they may be secrets/);
	const { status, body } = await platform.api("GET", path("header=a%20b"));
	assert.equal(status, 400);
	assert.equal((body as { detail: string }).detail, "header.key: must be a header's name, as x-user");
	const address = await platform.api("GET", path("ip=localhost"));
	assert.equal(address.status, 400);
	assert.equal((address.body as { detail: string }).detail, "ip.0: must be an IP address, as 192.0.2.1");
	assert.equal((await platform.api("GET", path("nope=1"))).status, 400);
});

test("who asks for no headers gets none, though another does", async () => {
	const asks = await traced([]);
	const watched = await tail("default");
	await until(() => watched.text().includes(": connected"));
	await until(async () => {
		await platform.get("loud.localhost", "/?n=1", { "x-a": "told" });
		return EVENT.test(watched.text()) && asks.frames.length > 0;
	});
	assert.ok(!watched.text().includes("told"));
	await watched.end();
	await asks.end();
});

test("a tail of Cloudflare's ends with its token, when that is revoked and when it expires", async () => {
	const grant = { label: "watcher", scope: "read", tenant: "default" };
	const make = async (expires: string | null) =>
		(await platform.api("POST", "/v1/tokens", { ...grant, expires })).body as { id: string; token: string };
	const revoked = await make(null);
	const expiring = await make(new Date(Date.now() + 5000).toISOString());
	const other = await traced([]);
	const first = await traced([], revoked.token);
	const second = await traced([], expiring.token);
	const third = await tail("default", expiring.token);
	await platform.api("DELETE", `/v1/tokens/${revoked.id}`);
	await until(() => first.code() === 1000);
	await until(() => second.code() === 1000 && third.ended());
	assert.equal(other.code(), 0);
	await other.end();
});
