import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();

/** Notes what it is sent in KV, where a test can ask for it, and does what the body says. */
const WORKS = `export default {
	async fetch(request, env) {
		const { pathname } = new URL(request.url);
		if (request.method === "GET") {
			const found = [];
			for (let cursor; ; ) {
				const list = await env.KV.list({ cursor });
				found.push(...list.keys.map(({ name }) => name));
				if (list.list_complete) return Response.json(found);
				cursor = list.cursor;
			}
		}
		const text = await request.text();
		const id = request.headers.get("x-atoll-invocation-id");
		const attempt = Number(request.headers.get("x-atoll-invocation-attempt"));
		await env.KV.put(text.slice(0, 100) + " " + pathname + " " + attempt + " " + id, "x");
		if (text === "throws") throw new Error("it throws");
		if (text === "twice" && attempt < 3) return new Response("not yet", { status: 503 });
		if (text === "slow") await new Promise((resolve) => setTimeout(resolve, 3000));
		return new Response("did " + text, { status: text === "refused" ? 422 : 200 });
	},
	scheduled({ cron }) { if (cron === "1 1 1 1 *") throw new Error("not at new year"); },
	queue({ queue, messages: [message] }) { if (message.body.fail) message.retry(); console.log("got", queue, JSON.stringify(message.body)); },
	event(event, env, ctx) {
		console.log("event", event.type, event.source, JSON.stringify(event.data), event.attemptNumber);
		if (event.type === "bad") throw new Error("a bad event");
	},
};`;
const TAKES = `export default { queue({ messages }) { for (const { body } of messages) console.log("told", JSON.stringify(body)); } };`;

const folder = await platform.line.write("works", {
	"atoll.jsonc": JSON.stringify({ main: "index.js", bindings: { KV: { type: "kv", id: "works" } } }),
	"index.js": WORKS,
});
const deployed = await platform.atoll("deploy", folder);
assert.equal(deployed.code, 0, deployed.output);
const INVOCATIONS = "/v1/tenants/default/functions/works/invocations";

interface State {
	id: string;
	state: string;
	attempts: number;
	status: number;
	error: string | null;
	result: string;
	due: string | null;
}

async function send(body: string, query = "", headers: Record<string, string> = {}) {
	const url = `http://127.0.0.1:${platform.adminPort}${INVOCATIONS}${query}`;
	const all = { authorization: `Bearer ${TOKEN}`, "content-type": "text/plain", ...headers };
	const response = await fetch(url, { method: "POST", headers: all, body });
	return {
		status: response.status,
		body: (await response.json()) as { id: string; repeated: boolean; detail?: string },
	};
}

async function invoked(body: string, query = "", headers: Record<string, string> = {}): Promise<string> {
	const { status, body: told } = await send(body, query, headers);
	assert.equal(status, 202, JSON.stringify(told));
	return told.id;
}

const stateOf = async (id: string) => (await platform.api("GET", `${INVOCATIONS}/${id}`)).body as State;

async function ended(id: string): Promise<State> {
	let state = await stateOf(id);
	await until(async () => {
		state = await stateOf(id);
		return state.state !== "queued" && state.state !== "running";
	});
	return state;
}

const done = async () => JSON.parse((await platform.get("works.localhost")).text) as string[];

test("an invocation is taken in, performed, and told of with its answer", async () => {
	const id = await invoked("hello", "?path=/a%3Fb");
	const { state, attempts, status, error, result } = await ended(id);
	assert.deepEqual([state, attempts, status, error, result], ["succeeded", 1, 200, null, "did hello"]);
	assert.deepEqual(
		(await done()).filter((one) => one.startsWith("hello")),
		[`hello /a 1 ${id}`],
	);
	// What a function refuses has not failed: to try again would change nothing.
	const refused = await ended(await invoked("refused"));
	assert.deepEqual([refused.state, refused.status, refused.attempts], ["succeeded", 422, 1]);
});

test("what fails is tried again, later each time, and is given up at last", async () => {
	const twice = await ended(await invoked("twice"));
	assert.deepEqual([twice.state, twice.attempts, twice.status], ["succeeded", 3, 200]);
	const throws = await ended(await invoked("throws", "?retries=1"));
	assert.deepEqual([throws.state, throws.attempts, throws.error], ["failed", 2, "exception"]);
});

test("whoever asks twice under one key is given the first invocation", async () => {
	const id = await invoked("once", "", { "idempotency-key": "one" });
	await ended(id);
	const again = await send("once", "?key=one");
	assert.deepEqual([again.status, again.body], [202, { id, repeated: true }]);
	assert.notEqual(await invoked("once", "?key=two"), id);
	assert.equal((await done()).filter((one) => one.endsWith(id)).length, 1);
});

test("what came of it goes to a queue or a function", async () => {
	await platform.api("POST", "/client/v4/accounts/default/queues", { queue_name: "told" });
	await platform.deploy("takes", TAKES);
	const consumer = { triggers: { queues: [{ queue: "told", maxBatchTimeout: 0 }] } };
	assert.equal((await platform.api("PATCH", "/v1/tenants/default/functions/takes", consumer)).status, 200);
	const id = await invoked("throws", "?retries=0&onFailure=queue:told");
	await until(() => new RegExp(`told .*${id}.*"failed`).test(platform.log.replaceAll("\\", "")));
	const next = await invoked("well", "?onSuccess=function:works&onFailure=queue:told");
	await until(async () => (await done()).some((one) => one.startsWith(`{"invocation":"${next}"`)));
	assert.match((await send("x", "?onSuccess=queue:nobody")).body.detail as string, /no queue "nobody"/);
	assert.match((await send("x", "?onFailure=function:nobody")).body.detail as string, /no function nobody/);
	assert.match((await send("x", "?onFailure=nobody")).body.detail as string, /must be queue:NAME/);
});

test("one that is held back waits, and may be cancelled until it is performed", async () => {
	const id = await invoked("later", "?delay=3600");
	const { state, due } = await stateOf(id);
	assert.equal(state, "queued");
	assert.ok(Date.parse(due as string) > Date.now() + 3_000_000);
	assert.equal((await platform.api("DELETE", `${INVOCATIONS}/${id}`)).status, 200);
	assert.equal((await stateOf(id)).state, "cancelled");
	assert.equal((await platform.api("DELETE", `${INVOCATIONS}/${id}`)).status, 409);
	const soon = await invoked("soon", `?at=${encodeURIComponent(new Date(Date.now() + 1500).toISOString())}`);
	assert.equal((await ended(soon)).state, "succeeded");
	assert.match((await send("x", "?delay=50000")).body.detail as string, /delay/);
	assert.match((await send("x", "?at=2099-01-01T00:00:00Z")).body.detail as string, /12 hours/);
});

test("a token for one function calls no other by a destination, and one for reading calls none", async () => {
	const token = async (grant: object) =>
		((await platform.api("POST", "/v1/tokens", { label: "t", ...grant })).body as { token: string }).token;
	const headersOf = async (grant: object) => ({ authorization: `Bearer ${await token(grant)}` });
	const some = await headersOf({ scope: "deploy", tenant: "default", functions: ["works"] });
	assert.equal((await send("x", "", some)).status, 202);
	assert.equal((await send("x", "?onSuccess=function:takes", some)).status, 403);
	assert.equal((await send("x", "?onSuccess=queue:told", some)).status, 403);
	assert.equal((await send("x", "", await headersOf({ scope: "read" }))).status, 403);
	assert.equal((await send("x", "", await headersOf({ scope: "admin", tenant: "other" }))).status, 403);
	const id = await invoked("mine");
	assert.equal((await platform.api("GET", `/v1/tenants/default/functions/takes/invocations/${id}`)).status, 404);
});

test("what is too large, or makes no sense, is refused", async () => {
	assert.equal((await send("x".repeat(2 ** 20 + 1))).status, 413);
	assert.equal((await ended(await invoked("y".repeat(2 ** 20)))).state, "succeeded");
	assert.match((await send("x", "?event=event")).body.detail as string, /type: /);
	assert.match((await send("x", "?event=queue")).body.detail as string, /queue: /);
	assert.match((await send("x", "?path=x")).body.detail as string, /path/);
	const json = { "content-type": "application/json" };
	assert.match((await send("{", "?event=queue&queue=q", json)).body.detail as string, /no JSON/);
});

test("atoll invoke and atoll trigger tell what came of it", async () => {
	const waited = await platform.atoll("invoke", "works", "--data", "by hand", "--wait");
	assert.equal(waited.code, 0, waited.output);
	assert.match(waited.output, /state +succeeded\nattempts +1\nstatus +200\nresult +did by hand/);
	const cron = await platform.atoll("trigger", "cron", "works", "--cron", "0 9 * * *");
	assert.match(cron.output, /state +succeeded/);
	const failed = await platform.atoll("trigger", "cron", "works", "--cron", "1 1 1 1 *");
	assert.deepEqual([failed.code, /state +failed.*error +not at new year/s.test(failed.output)], [2, true]);
	assert.match(
		(await platform.atoll("trigger", "queue", "works", "--queue", "q", "--data", '{"a":1}')).output,
		/succeeded/,
	);
	await until(() => platform.log.replaceAll("\\", "").includes('got q {"a":1}'));
	const retried = await platform.atoll("trigger", "queue", "works", "--queue", "q", "--data", '{"fail":1}');
	assert.match(retried.output, /failed.*asked for it to be tried again/s);
	const event = ["trigger", "event", "works", "--type", "made", "--data", '{"b":[2]}'];
	assert.match((await platform.atoll(...event)).output, /succeeded/);
	await until(() => platform.log.replaceAll("\\", "").includes('event made /manual {"b":[2]} 1'));
	assert.match((await platform.atoll("trigger", "event", "works", "--type", "bad")).output, /failed.*a bad event/s);
	assert.match((await platform.atoll("trigger", "event", "takes", "--type", "x")).output, /has no event handler/);
});

test("killed at any moment, edge, control and data processes lose nothing that was taken in", async () => {
	const ids: string[] = [];
	const submit = async (text: string) => {
		const { status, body } = await send(text).catch(() => ({ status: 0, body: null }));
		if (status === 202 && body !== null) ids.push(body.id);
	};
	for (const role of [/data[-/]main/, /src\/control\/main/, /src\/edge\/main/]) {
		const sent = Array.from({ length: 20 }, (_, i) => submit(i === 0 ? "slow" : `amid ${role.source} ${i}`));
		await Promise.race(sent.slice(5));
		for (const { pid, command } of below(platform.supervisor.child.pid as number))
			if (role.test(command)) {
				try {
					process.kill(pid, "SIGKILL");
				} catch {
					// It has ended with one before it.
				}
			}
		await Promise.all(sent);
		await until(async () => (await platform.api("GET", "/readyz").catch(() => null))?.status === 200);
	}
	assert.ok(ids.length > 20, String(ids.length));
	for (const id of ids) assert.equal((await ended(id)).state, "succeeded");
	const performed = await done();
	for (const id of ids) assert.ok(performed.some((one) => one.endsWith(id)));
});
