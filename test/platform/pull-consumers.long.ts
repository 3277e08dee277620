import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const QUEUES = "/client/v4/accounts/default/queues";

interface Told<T> {
	result: T;
	errors: { message: string }[];
}
interface Message {
	id: string;
	lease_id: string;
	attempts: number;
	timestamp_ms: number;
	body: string;
	metadata: Record<string, string>;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
	const answer = await platform.api(method, path, body);
	assert.equal(answer.status, 200, JSON.stringify(answer.body));
	return (answer.body as Told<T>).result;
}

async function refusal(method: string, path: string, body?: unknown, token = TOKEN): Promise<string> {
	const answer = await platform.api(method, path, body, token);
	return `${answer.status} ${(answer.body as Told<null>).errors[0]?.message}`;
}

/** A queue that is pulled. Gives its path. */
async function pulled(name: string, settings = {}, more = {}): Promise<string> {
	const { queue_id: id } = await call<{ queue_id: string }>("POST", QUEUES, { queue_name: name });
	await call("POST", `${QUEUES}/${id}/consumers`, { type: "http_pull", settings, ...more });
	return `${QUEUES}/${id}`;
}
const pull = async (queue: string, asked = {}) =>
	(await call<{ messages: Message[] }>("POST", `${queue}/messages/pull`, asked)).messages;
const ack = (queue: string, acks: string[], retries: object[] = []) =>
	call<{ ackCount: number; retryCount: number; warnings: Record<string, string> }>("POST", `${queue}/messages/ack`, {
		acks: acks.map((lease_id) => ({ lease_id })),
		retries,
	});
const countOf = async (name: string) =>
	((await platform.api("GET", `/v1/tenants/default/queues/${name}/messages`)).body as { messages: number }).messages;

test("messages are sent, pulled with their kinds, and gone once they are acknowledged", async () => {
	const queue = await pulled("kinds");
	await call("POST", `${queue}/messages`, { body: { a: 1 } });
	await call("POST", `${queue}/messages/batch`, {
		messages: [
			{ body: "täxt", content_type: "text" },
			{ body: [2], content_type: "json" },
		],
	});
	const own = "/v1/tenants/default/queues/kinds/messages";
	await platform.api("POST", own, { messages: [{ body: "AQI=", contentType: "bytes" }] });
	const all = await pull(queue);
	assert.deepEqual(
		all.map(({ body, metadata, attempts }) => [body, metadata["CF-Content-Type"], attempts]),
		[
			[btoa('{"a":1}'), "json", 1],
			["täxt", "text", 1],
			[btoa("[2]"), "json", 1],
			["AQI=", "bytes", 1],
		],
	);
	assert.ok(all.every(({ timestamp_ms: sent }) => sent <= Date.now() && sent > Date.now() - 60_000));
	assert.deepEqual(await pull(queue), []);
	const leases = all.map(({ lease_id: lease }) => lease);
	assert.deepEqual(await ack(queue, leases.slice(1)), { ackCount: 3, retryCount: 0, warnings: {} });
	assert.equal(await countOf("kinds"), 1);
	const again = await ack(queue, leases);
	assert.deepEqual([again.ackCount, Object.keys(again.warnings)], [1, leases.slice(1)]);
	assert.match(
		await refusal("POST", `${queue}/messages`, { body: 1, content_type: "text" }),
		/^400 .*must be a string/,
	);
	assert.match(await refusal("POST", `${queue}/messages`, { body: "x".repeat(128_001) }), /^413 /);
});

test("a message that is not acknowledged in time comes again, counted, and is given up at last", async () => {
	const queue = await pulled("timely", { visibility_timeout_ms: 50, max_retries: 1 }, { dead_letter_queue: "late" });
	await call("POST", `${queue}/messages`, { body: "m" });
	const [first] = await pull(queue);
	let second: Message[] = [];
	await until(async () => {
		second = await pull(queue, { visibility_timeout_ms: 60_000 });
		return second.length > 0;
	});
	assert.deepEqual([second[0].id, second[0].attempts], [first.id, 2]);
	// Whoever came too late says nothing any more.
	assert.equal((await ack(queue, [first.lease_id])).ackCount, 0);
	assert.equal(await countOf("timely"), 1);
	const retries = [{ lease_id: second[0].lease_id, delay_seconds: 0 }];
	assert.equal((await ack(queue, [], retries)).retryCount, 1);
	assert.deepEqual([await countOf("timely"), await countOf("late")], [0, 1]);
	await call("POST", `${queue}/messages`, { body: "n" });
	// Nobody acknowledges anything: each pull is an attempt, until there are no more.
	await until(async () => {
		await pull(queue, { visibility_timeout_ms: 0 });
		return (await countOf("late")) === 2;
	});
	assert.deepEqual(await pull(queue), []);
});

test("a queue stays as long as one that is pulled gives messages up to it", async () => {
	const queue = await pulled("given-up", { max_retries: 0 }, { dead_letter_queue: "buried" });
	const buried = "/v1/tenants/default/queues/buried";
	const { status, body } = await platform.api("DELETE", buried);
	assert.equal(status, 409);
	assert.match(JSON.stringify(body), /whoever pulls from the queue given-up/);
	await call("DELETE", queue);
	assert.equal((await platform.api("DELETE", buried)).status, 200);
});

test("what is handed back comes again when it may, and a batch has as many as were asked for", async () => {
	const queue = await pulled("batches", { batch_size: 2 });
	await call("POST", `${queue}/messages/batch`, { messages: Array.from({ length: 7 }, (_, body) => ({ body })) });
	const two = await pull(queue);
	assert.equal(two.length, 2);
	assert.equal((await pull(queue, { batch_size: 100 })).length, 5);
	await ack(queue, [two[0].lease_id], [{ lease_id: two[1].lease_id, delay_seconds: 1 }]);
	assert.deepEqual(await pull(queue), []);
	await until(async () => (await pull(queue)).some(({ id, attempts }) => id === two[1].id && attempts === 2));
	const forged = { acks: [{ lease_id: "nothing" }, { lease_id: `${two[0].lease_id.slice(0, 36)}.999999` }] };
	assert.equal((await call<{ ackCount: number }>("POST", `${queue}/messages/ack`, forged)).ackCount, 0);
	assert.match(await refusal("POST", `${queue}/messages/pull`, { batch_size: 101 }), /^400 batch_size/);
});

test("a queue has one consumer, a function or pulls, and is paused for either", async () => {
	const queue = await pulled("single");
	const [{ consumer_id: id, type, settings }] = await call<
		{ consumer_id: string; type: string; settings: Record<string, number> }[]
	>("GET", `${queue}/consumers`);
	assert.deepEqual([type, settings.visibility_timeout_ms, settings.batch_size], ["http_pull", 30_000, 5]);
	await platform.deploy("takes", "export default { queue({ messages }) { console.log('took', messages[0].body); } };");
	assert.match(await refusal("POST", `${queue}/consumers`, { script_name: "takes" }), /^409 .*consumed over HTTP/);
	assert.match(await refusal("POST", `${queue}/consumers`, { type: "http_pull" }), /^409 .*already/);
	await call("POST", `${queue}/messages`, { body: "waits" });
	await call("PATCH", queue, { settings: { delivery_paused: true } });
	assert.deepEqual(await pull(queue), []);
	await call("PUT", `${queue}/consumers/${id}`, { type: "http_pull", settings: { visibility_timeout_ms: 1000 } });
	await call("DELETE", `${queue}/consumers/${id}`);
	assert.match(await refusal("POST", `${queue}/messages/pull`, {}), /^400 .*has no consumer of the type http_pull/);
	const worker = { script_name: "takes", settings: { max_wait_time_ms: 0 } };
	await call("POST", `${queue}/consumers`, worker);
	assert.match(await refusal("POST", `${queue}/consumers`, { type: "http_pull" }), /^409 .*consumed by takes/);
	assert.equal(await countOf("single"), 1);
	await call("PATCH", queue, { settings: { delivery_paused: false } });
	await until(() => platform.log.includes("took waits"));
});

test("atoll's own API does the same", async () => {
	const queue = "/v1/tenants/default/queues/own";
	await call("POST", QUEUES, { queue_name: "own" });
	const api = async <T>(method: string, path: string, body: object) => {
		const answer = await platform.api(method, path, body);
		assert.equal(answer.status, 200, JSON.stringify(answer.body));
		return answer.body as T;
	};
	const one = await api<{ pull: object; paused: boolean }>("PATCH", queue, { pull: { maxRetries: 0 }, paused: false });
	assert.deepEqual(one.pull, {
		...{ maxBatchSize: 5, visibilityTimeoutMs: 30_000, maxRetries: 0, retryDelay: 0, deadLetterQueue: null },
	});
	await api("POST", `${queue}/messages`, { messages: [{ body: { a: [1] } }, { body: "AQI=", contentType: "bytes" }] });
	const messages = await api<{ leaseId: string; body: unknown }[]>("POST", `${queue}/messages/pull`, {});
	assert.deepEqual(
		messages.map(({ body }) => body),
		[{ a: [1] }, "AQI="],
	);
	const [first, second] = messages.map(({ leaseId }) => leaseId);
	const settling = { acks: [first, "x"], retries: [{ leaseId: second }] };
	assert.deepEqual(await api("POST", `${queue}/messages/ack`, settling), { over: ["x"] });
	assert.equal(await countOf("own"), 0);
});

test("a token of another tenant, or for reading, pulls nothing", async () => {
	const queue = await pulled("guarded");
	for (const grant of [{ scope: "admin", tenant: "other" }, { scope: "read" }]) {
		const made = (await platform.api("POST", "/v1/tokens", { label: "t", ...grant })).body as { token: string };
		for (const what of ["pull", "ack", "batch"])
			assert.match(await refusal("POST", `${queue}/messages/${what}`, {}, made.token), /^403 /);
		assert.equal(
			(await platform.api("POST", "/v1/tenants/default/queues/guarded/messages/pull", {}, made.token)).status,
			403,
		);
	}
});
