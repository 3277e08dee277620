import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { TenantQueue } from "../../src/bindings/queue/tenant-queue.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { Consumer } from "../../src/triggers/consumer.ts";
import { QueueWork } from "../../src/triggers/queue-work.ts";
import { consumerSchema } from "../../src/triggers/trigger-settings.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const BATCH = 20;
const launcher = new Launcher();
const data = new DataProcess(launcher, temporaryFolder());
let queue: TenantQueue;
let consumer: Consumer<unknown>;
/** How often the queue was looked at, and how many messages came with each batch. */
let looks: number;
let batches: number[];
let queues = 0;

beforeEach(async () => {
	await consumer?.close();
	const name = `queue-${++queues}`;
	queue = new TenantQueue(data, { tenant: "one", queue: name }, 2 ** 30);
	looks = 0;
	batches = [];
	const work = new QueueWork({
		settings: consumerSchema.parse({ queue: name, maxBatchSize: BATCH, maxBatchTimeout: 60 }),
		queue,
		dispatch: async ({ messages }) => {
			batches.push(messages.length);
			return { acknowledged: messages.map(({ id }) => id), retried: [] };
		},
		notice: (message) => assert.fail(message),
	});
	const lease = work.lease.bind(work);
	work.lease = (name) => {
		looks++;
		return lease(name);
	};
	consumer = new Consumer(work, (message) => assert.fail(message));
});
after(async () => {
	await consumer.close();
	await data.close();
	await launcher.close();
});

async function send(messages: number, known = true): Promise<void> {
	const sent = Array.from({ length: messages }, () => ({ type: "text" as const, size: 1, delaySeconds: null }));
	await queue.send(sent, Buffer.alloc(messages), { trace: null });
	consumer.wake(known ? messages : undefined);
	await until(() => consumer.idle);
}

test("a queue is looked at when its first message comes, and again when a batch is full", async () => {
	for (let i = 1; i < BATCH; i++) await send(1);
	assert.deepEqual([looks, batches], [1, []]);
	await send(1);
	assert.deepEqual(batches, [BATCH]);
	assert.equal((await queue.count()).messages, 0);
});

test("messages that come together are counted one by one", async () => {
	await send(1);
	await send(BATCH - 2);
	assert.equal(looks, 1);
	await send(BATCH + 1);
	assert.deepEqual(batches, [BATCH, BATCH]);
});

test("where nobody knows how many have come it is looked at", async () => {
	await send(1);
	await send(1, false);
	await send(1);
	assert.equal(looks, 2);
	await send(BATCH - 3, false);
	assert.deepEqual(batches, [BATCH]);
});

test("what comes while it is looked at counts", async () => {
	await queue.send([{ type: "text", size: 1, delaySeconds: null }], Buffer.alloc(1), { trace: null });
	consumer.wake(1);
	const rest = Array.from({ length: BATCH - 1 }, () => ({ type: "text" as const, size: 1, delaySeconds: null }));
	// The answer to the first look, which has seen one, comes behind the news of these.
	const sent = queue.send(rest, Buffer.alloc(BATCH - 1), { trace: null });
	consumer.wake(BATCH - 1);
	await sent;
	await until(() => consumer.idle);
	assert.deepEqual(batches, [BATCH]);
});

test("a message whose lease ran out, and that was delivered as often as it may be, waits for no batch to be full", async () => {
	const dead = new TenantQueue(data, { tenant: "one", queue: `dead-${queues}` }, 2 ** 30);
	const given = { most: BATCH, leaseMs: 1, maxRetries: 0, deadLetterQueue: `dead-${queues}` };
	await send(1);
	assert.equal((await queue.lease({ ...given, lease: "first", waitMs: 0 })).messages.length, 1);
	await queue.send([{ type: "text", size: 1, delaySeconds: null }], Buffer.alloc(1), { trace: null });
	let told: Awaited<ReturnType<TenantQueue["lease"]>> | undefined;
	await until(async () => {
		told = await queue.lease({ ...given, lease: "second", waitMs: 60_000 });
		return (await dead.count()).messages === 1;
	});
	// The other one waits for more, of which there is one less than before.
	assert.deepEqual([told?.messages, told?.missing], [[], BATCH - 1]);
	assert.equal((await queue.count()).messages, 1);
	await queue.purge();
	await dead.purge();
});
