import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const QUEUES = "/client/v4/accounts/default/queues";
const SCRIPTS = "/client/v4/accounts/default/workers/scripts";

const SENDS =
	"export default { async fetch(r, env) { await env.QUEUE.send(new URL(r.url).pathname); return new Response('sent'); } };";
const TAKES = `export default {
	fetch: () => new Response("takes"),
	scheduled() {},
	queue({ messages }) { for (const { body } of messages) console.log("took", body); },
};`;

interface Told<T = unknown> {
	result: T;
	errors: { code: number; message: string }[];
	result_info: Record<string, unknown>;
}
interface Consumer {
	consumer_id: string;
	script: string;
	settings: Record<string, number>;
	dead_letter_queue?: string;
}
interface Queue {
	queue_id: string;
	queue_name: string;
	consumers: Consumer[];
	producers: object[];
}

async function call<T>(method: string, path: string, body?: unknown, token = TOKEN): Promise<Told<T>> {
	const answer = await platform.api(method, path, body, token);
	assert.equal(answer.status, 200, JSON.stringify(answer.body));
	return answer.body as Told<T>;
}

/** How a call is refused, as `409 10021 …`. */
async function refusal(method: string, path: string, body?: unknown, token = TOKEN): Promise<string> {
	const answer = await platform.api(method, path, body, token);
	const [{ code, message } = { code: 0, message: "" }] = (answer.body as Told).errors;
	return `${answer.status} ${code} ${message}`;
}

/** Uploads a function as wrangler does, and releases it. */
async function upload(name: string, code: string, bindings: object[] = []): Promise<string> {
	const form = new FormData();
	form.set("metadata", JSON.stringify({ main_module: "a.js", bindings }));
	form.set("a.js", new File([code], "a.js", { type: "application/javascript+module" }));
	const headers = { authorization: `Bearer ${TOKEN}` };
	const url = `http://127.0.0.1:${platform.adminPort}${SCRIPTS}/${name}`;
	const response = await fetch(url, { method: "PUT", headers, body: form });
	return `${response.status} ${await response.text()}`;
}
const sendsTo = (queue: string, more = {}) => [{ type: "queue", name: "QUEUE", queue_name: queue, ...more }];
const made = async (name: string) => (await call<Queue>("POST", QUEUES, { queue_name: name })).result.queue_id;
const named = async (name: string) => (await call<Queue[]>("GET", `${QUEUES}?name=${name}`)).result[0];

await upload("takes", TAKES);
await upload("sends", SENDS, sendsTo("sent", { delivery_delay: 0 }));

test("schedules are set and told, and refused where one is wrong or nothing could be called", async () => {
	const path = `${SCRIPTS}/takes/schedules`;
	const crons = [{ cron: "0 9 * * mon-fri" }, { cron: "30 6 1 * *" }];
	assert.deepEqual((await call("PUT", path, crons)).result, { schedules: crons });
	assert.match(
		await refusal("PUT", path, [{ cron: "61 * * * *" }]),
		/^400 10021 schedules\.0: "61 \* \* \* \*" is no cron/,
	);
	assert.match(await refusal("PUT", path, [{ cron: "0 0 30 2 *" }]), /^400 .* never comes about/);
	assert.deepEqual((await call("GET", path)).result, { schedules: crons });
	assert.match(
		await refusal("PUT", `${SCRIPTS}/sends/schedules`, crons),
		/^400 10021 triggers\.crons: the function has no scheduled handler in version 1/,
	);
	assert.deepEqual((await call("PUT", `${SCRIPTS}/sends/schedules`, [])).result, { schedules: [] });
	assert.deepEqual((await call("PUT", path, [])).result, { schedules: [] });
});

test("a function's messages go to the function that consumes its queue, and a change of that is told", async () => {
	const { queue_id: id, producers } = await named("sent");
	assert.deepEqual(producers, [{ type: "worker", script: "sends" }]);
	const settings = { batch_size: 5, max_wait_time_ms: 0, max_concurrency: null };
	const consumer = { type: "worker", script_name: "takes", settings };
	const told = (await call<Consumer>("POST", `${QUEUES}/${id}/consumers`, consumer)).result;
	assert.deepEqual([told.script, told.settings.batch_size, told.settings.max_retries], ["takes", 5, 3]);
	assert.equal((await platform.get("sends.localhost", "/first")).text, "sent");
	await until(() => platform.log.includes("took /first"));
	const path = `${QUEUES}/${id}/consumers/${told.consumer_id}`;
	await call("PUT", path, { ...consumer, settings: { max_retries: 7 }, dead_letter_queue: "dead" });
	const [after] = (await named("sent")).consumers;
	assert.deepEqual([after.settings.max_retries, after.settings.batch_size, after.dead_letter_queue], [7, 10, "dead"]);
	assert.deepEqual((await call("GET", path)).result, after);
	assert.match(await refusal("DELETE", `${QUEUES}/${(await named("dead")).queue_id}`), /^409 .*used by takes/);
	assert.match(await refusal("DELETE", `${QUEUES}/${id}`), /^409 .*used by takes, sends/);
	await call("DELETE", path);
	assert.deepEqual((await named("sent")).consumers, []);
	assert.match(await refusal("DELETE", path), /^404 10007 /);
});

test("a queue has one consumer, which has a handler for it", async () => {
	const id = await made("one");
	const path = `${QUEUES}/${id}/consumers`;
	await upload("other", TAKES);
	await call("POST", path, { type: "worker", script_name: "takes" });
	assert.match(
		await refusal("POST", path, { type: "worker", script_name: "other" }),
		/^409 10021 the queue one is consumed by takes/,
	);
	assert.match(await refusal("POST", path, { type: "worker", script_name: "takes" }), /^409 .*already/);
	const second = await made("two");
	const more = `${QUEUES}/${second}/consumers`;
	assert.match(await refusal("POST", more, { script_name: "sends" }), /^400 .*no queue handler in version 1/);
	assert.match(await refusal("POST", more, { script_name: "nobody" }), /^404 10007 /);
	assert.match(await refusal("POST", more, { type: "r2_bucket" }), /^400 .*r2_bucket: there are worker and http_pull/);
	assert.match(
		await refusal("POST", more, { script_name: "takes", settings: { batch_size: 0 } }),
		/^400 .*settings\.batch_size/,
	);
	await call("DELETE", `${SCRIPTS}/takes`);
	await call("POST", path, { type: "worker", script_name: "other" });
	await upload("takes", TAKES);
});

test("queues are made, listed in pages, told and deleted; messages are purged", async () => {
	const id = await made("made");
	assert.match(await refusal("POST", QUEUES, { queue_name: "made" }), /^409 .*there is a queue made already/);
	assert.match(await refusal("POST", QUEUES, { queue_name: "Not A Name" }), /^400 .*the queue's name/);
	assert.match(
		await refusal("POST", QUEUES, { queue_name: "x", settings: { delivery_delay: 5 } }),
		/^400 .*delivery_delay/,
	);
	assert.match(await refusal("PATCH", `${QUEUES}/${id}`, { queue_name: "renamed" }), /^400 .*keeps its name/);
	assert.equal((await call<Queue>("PATCH", `${QUEUES}/${id}`, { queue_name: "made" })).result.queue_name, "made");
	const { result, result_info: info } = await call<Queue[]>("GET", `${QUEUES}?per_page=1&page=2`);
	assert.deepEqual([result.length, info.page, info.per_page], [1, 2, 1]);
	const two = (await call<Queue[]>("GET", `${QUEUES}?name=made&name=sent&name=nothing`)).result;
	assert.deepEqual(
		two.map(({ queue_name: name }) => name),
		["made", "sent"],
	);
	const sent = await named("sent");
	assert.equal((await platform.get("sends.localhost", "/purged")).text, "sent");
	await call("POST", `${QUEUES}/${sent.queue_id}/purge`, { delete_messages_permanently: true });
	assert.equal((await call<Queue>("GET", `${QUEUES}/${id}`)).result.queue_name, "made");
	await call("DELETE", `${QUEUES}/${id}`);
	assert.match(await refusal("GET", `${QUEUES}/${id}`), /^404 10007 /);
});

test("a queue's binding is told as it was given, and refused where it is none", async () => {
	const settings = (await call<{ bindings: object[] }>("GET", `${SCRIPTS}/sends/settings`)).result;
	assert.deepEqual(settings.bindings, sendsTo("sent", { delivery_delay: 0 }));
	assert.match(await upload("wrong", SENDS, [{ type: "queue", name: "QUEUE" }]), /^400 .*bindings\.QUEUE: queue: /);
	assert.match(await upload("wrong", SENDS, sendsTo("q", { delivery_delay: -1 })), /^400 .*deliveryDelay/);
});

test("a token of another tenant, of some functions, or for reading, does what it may", async () => {
	const token = async (grant: object) =>
		((await platform.api("POST", "/v1/tokens", { label: "t", ...grant })).body as { token: string }).token;
	const other = await token({ scope: "admin", tenant: "other" });
	assert.match(await refusal("GET", QUEUES, undefined, other), /^403 /);
	const reads = await token({ scope: "read" });
	assert.match(await refusal("POST", QUEUES, { queue_name: "r" }, reads), /^403 /);
	const some = await token({ scope: "deploy", tenant: "default", functions: ["takes"] });
	assert.match(await refusal("POST", QUEUES, { queue_name: "s" }, some), /^403 /);
	const path = `${QUEUES}/${(await named("two")).queue_id}/consumers`;
	assert.match(await refusal("POST", path, { script_name: "other" }, some), /^403 /);
	await call("POST", path, { script_name: "takes" }, some);
	assert.match(await refusal("POST", `${QUEUES}/${(await named("two")).queue_id}/purge`, {}, some), /^403 /);
});

const FUNCTIONS = "/v1/tenants/default/functions";
const OWN_QUEUES = "/v1/tenants/default/queues";
const problemOf = async (method: string, path: string, body?: unknown) => {
	const answer = await platform.api(method, path, body);
	return `${answer.status} ${(answer.body as { detail?: string }).detail}`;
};

test("atoll deploy sets what a configuration says, a part of the traffic or an alias nothing, and settings show it", async () => {
	const queues = [{ queue: "own", maxBatchTimeout: 0 }];
	const config = (triggers: object) => JSON.stringify({ main: "index.js", triggers });
	const files = { "atoll.jsonc": config({ crons: ["0 9 * * *"], queues }), "index.js": TAKES };
	const folder = await platform.line.write("owns", files);
	const deploy = (...args: string[]) => platform.atoll("deploy", folder, ...args);
	const triggers = async () =>
		((await platform.api("GET", `${FUNCTIONS}/owns`)).body as { triggers: { crons: string[]; queues: object[] } })
			.triggers;
	assert.equal((await deploy()).code, 0);
	const { crons, queues: consumed } = await triggers();
	assert.deepEqual([crons, consumed.length], [["0 9 * * *"], 1]);
	await platform.line.write("owns", { "atoll.jsonc": config({}), "index.js": `${TAKES}//` });
	assert.equal((await deploy("--percent", "50")).code, 0);
	assert.equal((await deploy("--alias", "next")).code, 0);
	assert.deepEqual((await triggers()).crons, ["0 9 * * *"]);
	assert.match(
		(await platform.atoll("settings", "owns", "--cron", "1 9 * * *")).output,
		/crons +1 9 \* \* \*\nqueues +own/,
	);
	assert.match((await platform.atoll("settings", "owns", "--cron", "never")).output, /"never" is no cron expression/);
	await platform.line.write("owns", { "atoll.jsonc": config({ queues: [{ queue: "one" }] }) });
	assert.match((await deploy()).output, /the queue one is consumed by other/);
	await platform.line.write("owns", { "atoll.jsonc": config({ crons: ["0 9 * * *"] }), "index.js": SENDS });
	assert.match((await deploy()).output, /no scheduled handler in version 3/);
	assert.deepEqual((await triggers()).crons, ["1 9 * * *"]);
	await platform.line.write("owns", { "atoll.jsonc": config({}), "index.js": TAKES });
	assert.equal((await deploy()).code, 0);
	assert.deepEqual(await triggers(), { crons: [], queues: [], storage: [] });
});

test("the API sends, counts and purges", async () => {
	const path = `${OWN_QUEUES}/api/messages`;
	assert.match(await problemOf("POST", path, { messages: [{ body: 1 }] }), /^404 .*no queue "api"/);
	await made("api");
	const messages = [{ body: { a: 1 } }, { body: "täxt", contentType: "text" }, { body: "AQI=", contentType: "bytes" }];
	assert.equal((await platform.api("POST", path, { messages })).status, 200);
	const { messages: count, bytes } = (await platform.api("GET", path)).body as { messages: number; bytes: number };
	assert.deepEqual([count, bytes], [3, 7 + 5 + 2]);
	assert.match(
		await problemOf("POST", path, { messages: [{ body: 1, contentType: "text" }] }),
		/^400 .*must be a string/,
	);
	assert.match(await problemOf("POST", path, { messages: [{}] }), /^400 messages\.0\.body: /);
	assert.match(await problemOf("POST", path, { messages: [{ body: "x".repeat(128_001) }] }), /^413 .*exceeds limit/);
	assert.equal((await platform.api("DELETE", path)).status, 200);
	assert.deepEqual((await platform.api("GET", path)).body, { messages: 0, bytes: 0, oldest: null });
	const listed = (await platform.api("GET", OWN_QUEUES)).body as { name: string; consumer: string | null }[];
	assert.equal(listed.find(({ name }) => name === "one")?.consumer, "other");
	assert.equal((await platform.api("DELETE", `${OWN_QUEUES}/api`)).status, 200);
	assert.match(await problemOf("GET", path), /^404 /);
});
