import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ sandboxes: 1 });

/** Puts, removes and reads what its path says. */
const WRITES = `
export default { async fetch(request, { B, KV }) {
	const url = new URL(request.url);
	const [, what, ...rest] = url.pathname.split("/");
	const key = rest.join("/");
	if (what === "put") await B.put(key, await request.text());
	if (what === "put-once") return Response.json(await B.put(key, "x", { onlyIf: { etagMatches: "none" } }));
	if (what === "parts") {
		const upload = await B.createMultipartUpload(key);
		await upload.complete([await upload.uploadPart(1, "part")]);
	}
	if (what === "delete") await B.delete([key, "nothing"]);
	if (what === "kv-put") await KV.put(key, await request.text());
	if (what === "kv-delete") await KV.delete(key);
	return new Response("ok");
} };`;

/** Keeps what it hears as lines of the log. */
const HEARS = `
export default {
	fetch() { return new Response("ok"); },
	storage(batch) { for (const { ack, retry, id, attempts, ...change } of batch.changes) console.log(JSON.stringify(change)); },
	queue(batch) { for (const { body } of batch.messages) console.log(batch.queue, JSON.stringify(body)); },
};`;

const writer = { bindings: { B: { type: "objects", bucket: "uploads" }, KV: { type: "kv", id: "settings" } } };
const linesOf = (name: string) =>
	atoll.logs.filter((line) => line.function === name && line.message.includes("{")).map(({ message }) => message);
const changesOf = (name: string) => linesOf(name).map((text) => JSON.parse(text) as Record<string, unknown>);
const write = (path: string, body = "x") => atoll.text("writes", path, { method: "POST", body });

test("changes of a bucket come to the function, as its rules have them, and to a queue", async () => {
	await atoll.deploy("hears", HEARS, {
		triggers: {
			storage: [
				{ bucket: "uploads", prefix: "in/", suffix: ".png" },
				{ bucket: "uploads", prefix: "in/", events: ["object-delete"] },
				{ bucket: "uploads", prefix: "q/", queue: "told" },
				{ bucket: "uploads", prefix: "q/", queue: "told", events: ["object-create"] },
			],
			queues: [{ queue: "told", maxBatchTimeout: 0 }],
		},
	});
	await atoll.deploy("writes", WRITES, writer);
	for (const path of ["/put/in/a.png", "/put/in/b.txt", "/put/out/c.png", "/put-once/in/d.png", "/delete/in/b.txt"])
		await write(path, "hello");
	await write("/parts/q/big");
	await until(() => linesOf("hears").length >= 3);
	const [queued] = linesOf("hears").filter((line) => line.startsWith("told "));
	const changes = linesOf("hears")
		.filter((line) => !line.startsWith("told "))
		.map((line) => JSON.parse(line) as Record<string, unknown>);
	const { eventTime, ...created } = changes.find(({ action }) => action === "PutObject") ?? {};
	assert.ok(!Number.isNaN(Date.parse(eventTime as string)));
	assert.deepEqual(created, {
		account: "default",
		action: "PutObject",
		bucket: "uploads",
		object: { key: "in/a.png", size: 5, eTag: "5d41402abc4b2a76b9719d911017c592" },
	});
	assert.deepEqual(changes.find(({ action }) => action === "DeleteObject")?.object, { key: "in/b.txt" });
	assert.equal(changes.length, 2);
	const { eventTime: at, ...message } = JSON.parse(queued.slice(5)) as Record<string, unknown>;
	assert.ok(!Number.isNaN(Date.parse(at as string)));
	assert.deepEqual(
		[message.account, message.action, message.bucket, (message.object as { key: string }).key],
		["default", "CompleteMultipartUpload", "uploads", "q/big"],
	);
	// Nothing else was told, once something later has been.
	await write("/put/in/last.png");
	await until(() => linesOf("hears").some((line) => line.includes("last.png")));
	assert.equal(linesOf("hears").length, 4);
});

test("changes of keys of a KV namespace come by the same rules", async () => {
	await atoll.deploy("keys", HEARS, { triggers: { storage: [{ kv: "settings", prefix: "user:" }] } });
	await write("/kv-put/user:1", "ada");
	await write("/kv-put/other");
	await write("/kv-delete/user:1");
	await write("/kv-delete/user:none");
	await until(() => changesOf("keys").length >= 2);
	assert.deepEqual(
		changesOf("keys").map(({ action, namespace, key, size, account }) => ({ action, namespace, key, size, account })),
		[
			{ action: "PutKey", namespace: "settings", key: "user:1", size: 3, account: "default" },
			{ action: "DeleteKey", namespace: "settings", key: "user:1", size: undefined, account: "default" },
		],
	);
});

test("what a handler fails is delivered again, and goes to the dead letters in the end", async () => {
	await atoll.deploy(
		"fails",
		`export default {
			storage(batch) {
				const [change] = batch.changes;
				console.log("try", change.attempts, change.object.key);
				change.retry({ delaySeconds: 0 });
			},
			queue(batch) { console.log("dead", JSON.stringify(batch.messages[0].body)); },
		};`,
		{
			triggers: {
				storage: [{ bucket: "uploads", prefix: "fail/", deadLetterQueue: "dead" }],
				queues: [{ queue: "dead", maxBatchTimeout: 0 }],
			},
		},
	);
	await write("/put/fail/x");
	const { message } = await atoll.log(/^dead /);
	assert.equal((JSON.parse(message.slice(5)) as { object: { key: string } }).object.key, "fail/x");
	const tries = atoll.logs.filter((line) => line.function === "fails" && line.message.startsWith("try"));
	assert.deepEqual(
		tries.map((line) => line.message),
		["try 1 fail/x", "try 2 fail/x", "try 3 fail/x", "try 4 fail/x"],
	);
});

test("a function that writes where it is called from stops being called", async () => {
	await atoll.deploy(
		"loops",
		`export default {
			async storage(batch, { B }) {
				for (const { object } of batch.changes) {
					console.log("loop", object.key);
					await B.put("loop/" + (Number(object.key.slice(5)) + 1), "x");
				}
			},
		};`,
		{ ...writer, triggers: { storage: [{ bucket: "uploads", prefix: "loop/" }] } },
	);
	await write("/put/loop/0");
	const loops = () => atoll.logs.filter(({ message }) => message.startsWith("loop "));
	await until(() => loops().length >= 16);
	// The chain has ended: what is written from outside begins another one, which comes after it.
	await write("/put/loop/100");
	await until(() => loops().length >= 32);
	assert.deepEqual(
		loops().map(({ message }) => Number(message.slice("loop loop/".length))),
		[...Array.from({ length: 16 }, (_, i) => i), ...Array.from({ length: 16 }, (_, i) => i + 100)],
	);
});

test("rules that make no sense are refused, and those without a handler", async () => {
	const refused: [object, RegExp][] = [
		[{ prefix: "x" }, /it must name a bucket, or a KV namespace/],
		[{ bucket: "uploads", kv: "settings" }, /it must name a bucket, or a KV namespace/],
		[{ bucket: "uploads", events: ["key-put"] }, /a bucket has object-create/],
		[{ bucket: "uploads", queue: "q", deadLetterQueue: "d" }, /say it where the queue is consumed/],
		[{ bucket: "uploads" }, /triggers\.storage: the function has no storage handler/],
	];
	for (const [rule, message] of refused)
		await assert.rejects(
			atoll.deploy("refused", "export default { fetch() {} };", { triggers: { storage: [rule] } }),
			message,
		);
});

test("once a rule is taken away its events are, too", async () => {
	await atoll.deploy("leaves", HEARS, { triggers: { storage: [{ bucket: "uploads", prefix: "leave/" }] } });
	await write("/put/leave/1");
	await until(() => changesOf("leaves").length === 1);
	await atoll.deploy("leaves", HEARS, {});
	await write("/put/leave/2");
	await atoll.deploy("leaves", HEARS, { triggers: { storage: [{ bucket: "uploads", prefix: "leave/" }] } });
	await write("/put/leave/3");
	await until(() => changesOf("leaves").length === 2);
	assert.deepEqual(
		changesOf("leaves").map(({ object }) => (object as { key: string }).key),
		["leave/1", "leave/3"],
	);
});

test("events wait for their turn, as requests do, where a function runs as often as it may", async () => {
	const source = `
		let inside = 0;
		export default {
			async fetch(request) { inside++; await request.text(); inside--; return new Response("ok"); },
			storage() { console.log("heard beside " + inside); },
		};`;
	await atoll.deploy("one-at-a-time", source, {
		limits: { concurrentRequests: 1, queuedRequests: 5 },
		triggers: { storage: [{ bucket: "uploads", prefix: "turns/" }] },
	});
	await atoll.deploy("writes", WRITES, writer);
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
	const body = writable.getWriter();
	const first = atoll.text("one-at-a-time", "/", { method: "POST", body: readable, duplex: "half" } as RequestInit);
	await body.write(new Uint8Array(100_000));
	await write("/put/turns/a");
	await Promise.race([atoll.log("heard beside"), setTimeout(500)]);
	await body.close();
	assert.equal(await first, "ok");
	assert.equal((await atoll.log("heard beside")).message, "heard beside 0");
});
