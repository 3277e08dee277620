import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ sandboxes: 1 });

/** What a function was called with is kept where a test can ask for it. */
const KEEPS = `
async function keep(env, what) { await env.KV.put("kept/" + Date.now() + "/" + Math.random(), JSON.stringify(what)); }
async function kept(env) {
	const { keys } = await env.KV.list({ prefix: "kept/" });
	return Promise.all(keys.map(({ name }) => env.KV.get(name, "json")));
}`;

const PRODUCER = `
export default { async fetch(request, env) {
	const { pathname, searchParams } = new URL(request.url);
	try {
		if (pathname === "/many") {
			const count = Number(searchParams.get("count"));
			for (let i = 0; i < count; i += 100)
				await env.QUEUE.sendBatch(Array.from({ length: Math.min(100, count - i) }, (_, j) => ({ body: i + j })));
		} else if (pathname === "/kinds") {
			await env.QUEUE.send({ a: [1] });
			await env.QUEUE.send("täxt", { contentType: "text" });
			await env.QUEUE.send(new Uint8Array([1, 255]), { contentType: "bytes" });
		} else if (pathname === "/deep") {
			await env.QUEUE.send(JSON.parse("[".repeat(3000) + "]".repeat(3000)));
			await env.QUEUE.send("behind it");
		} else await env.QUEUE.send(searchParams.get("body"), { delaySeconds: Number(searchParams.get("delay") ?? 0) });
		return new Response("sent");
	} catch (error) {
		return new Response(error.message);
	}
} };`;

const producer = (queue: string) => ({ bindings: { QUEUE: { type: "queue", queue } } });
const kv = (id: string) => ({ KV: { type: "kv", id } });

async function kept(name: string): Promise<unknown[]> {
	return JSON.parse(await atoll.text(name, "/kept")) as unknown[];
}

test("messages come as they were sent, in batches, to the function that consumes their queue", async () => {
	await atoll.deploy("kinds", PRODUCER, producer("kinds"));
	await atoll.deploy(
		"takes-kinds",
		`${KEEPS}
export default {
	async fetch(_, env) { return Response.json(await kept(env)); },
	async queue(batch, env) {
		for (const { body, attempts } of batch.messages)
			await keep(env, [batch.queue, attempts, body?.length === 1 ? "deep" : body instanceof ArrayBuffer ? [...new Uint8Array(body)] : body]);
	},
};`,
		{ bindings: kv("kinds"), triggers: { queues: [{ queue: "kinds", maxBatchTimeout: 0 }] } },
	);
	assert.equal(await atoll.text("kinds", "/kinds"), "sent");
	await until(async () => (await kept("takes-kinds")).length === 3);
	const bodies = (await kept("takes-kinds")).map((one) => JSON.stringify(one));
	assert.deepEqual(bodies.toSorted(), ['["kinds",1,"täxt"]', '["kinds",1,[1,255]]', '["kinds",1,{"a":[1]}]']);
});

test("a message that nests deep keeps those behind it from nothing", async () => {
	assert.equal(await atoll.text("kinds", "/deep"), "sent");
	await until(async () => (await kept("takes-kinds")).some((one) => JSON.stringify(one).includes("behind it")));
	assert.ok((await kept("takes-kinds")).some((one) => JSON.stringify(one).includes("deep")));
});

test("what a consumer fails at comes again, goes to the dead-letter queue at last, and stops nobody", async () => {
	await atoll.deploy("work", PRODUCER, producer("work"));
	await atoll.deploy(
		"works",
		`${KEEPS}
export default {
	async fetch(_, env) { return Response.json(await kept(env)); },
	async queue(batch, env) {
		for (const message of batch.messages) {
			if (message.body === "poison") { await keep(env, "poison " + message.attempts); message.retry({ delaySeconds: 0 }); }
			else { await keep(env, message.body); message.ack(); }
		}
	},
};`,
		{
			bindings: kv("work"),
			triggers: {
				queues: [{ queue: "work", maxBatchTimeout: 0, maxRetries: 2, deadLetterQueue: "dead" }],
			},
		},
	);
	await atoll.deploy(
		"buries",
		`${KEEPS}
export default {
	async fetch(_, env) { return Response.json(await kept(env)); },
	async queue(batch, env) { for (const { body } of batch.messages) await keep(env, body); },
};`,
		{ bindings: kv("dead"), triggers: { queues: [{ queue: "dead", maxBatchTimeout: 0 }] } },
	);
	assert.equal(await atoll.text("work", "/one?body=poison"), "sent");
	assert.equal(await atoll.text("work", "/one?body=fine"), "sent");
	await until(async () => (await kept("buries")).length === 1);
	assert.deepEqual(await kept("buries"), ["poison"]);
	await until(async () => (await kept("works")).includes("fine"));
	assert.deepEqual((await kept("works")).map(String).toSorted(), ["fine", "poison 1", "poison 2", "poison 3"]);
});

test("each message of a thousand is acknowledged, though one in ten fails at first and the data process dies", async () => {
	await atoll.deploy("many", PRODUCER, producer("many"));
	await atoll.deploy(
		"counts",
		`
export default {
	async fetch(_, env) {
		const found = new Set();
		for (let cursor; ; ) {
			const list = await env.KV.list({ prefix: "done/", cursor });
			for (const { name } of list.keys) found.add(name);
			if (list.list_complete) return Response.json(found.size);
			cursor = list.cursor;
		}
	},
	async queue(batch, env) {
		await Promise.all(batch.messages.map(async (message) => {
			if (message.body % 10 === 0 && message.attempts === 1) return message.retry({ delaySeconds: 0 });
			await env.KV.put("done/" + message.body, "x");
			message.ack();
		}));
	},
};`,
		{
			limits: { subrequests: 200 },
			bindings: kv("many"),
			triggers: { queues: [{ queue: "many", maxBatchSize: 100, maxBatchTimeout: 0 }] },
		},
	);
	const sent = atoll.text("many", "/many?count=1000");
	await until(() => atoll.runtime.dataPid() > 0);
	process.kill(atoll.runtime.dataPid(), "SIGKILL");
	assert.equal(await sent, "sent");
	await until(async () => (await atoll.text("counts")) === "1000");
});

test("a message that is held back comes when it may, and one that makes no sense is refused", async () => {
	assert.equal(await atoll.text("kinds", "/one?body=later&delay=1"), "sent");
	await until(async () => (await kept("takes-kinds")).some((one) => JSON.stringify(one).includes("later")));
	assert.match(
		await atoll.text("kinds", "/one?body=later&delay=90000"),
		/^Queue send failed: 400 delaySeconds must be/,
	);
	assert.match(await atoll.text("kinds", `/one?body=${"x".repeat(12_000)}`), /^sent$/);
	assert.match(await atoll.text("kinds", "/one?body=x&delay=1.5"), /delaySeconds must be a whole number/);
});

test("triggers without a handler, or that make no sense, are refused when they are deployed", async () => {
	const fetches = "export default { fetch: () => new Response() };";
	const deploy = (triggers: object) => atoll.deploy("refused", fetches, { triggers });
	await assert.rejects(deploy({ crons: ["* * * * *"] }), /triggers\.crons: the function has no scheduled handler/);
	await assert.rejects(deploy({ queues: [{ queue: "q" }] }), /triggers\.queues: the function has no queue handler/);
	await assert.rejects(deploy({ crons: ["61 * * * *"] }), /triggers\.crons\.0.*"61 \* \* \* \*" is no cron expression/);
	await assert.rejects(deploy({ crons: ["0 0 30 2 *"] }), /"0 0 30 2 \*" never comes about/);
	await assert.rejects(deploy({ queues: [{ queue: "Q" }] }), /triggers\.queues\.0\.queue/);
	await assert.rejects(deploy({ queues: [{ queue: "q" }, { queue: "q" }] }), /a queue is named twice/);
	await assert.rejects(deploy({ queues: [{ queue: "q", deadLetterQueue: "q" }] }), /its own dead-letter queue/);
});
