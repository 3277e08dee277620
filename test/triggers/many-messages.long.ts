import assert from "node:assert/strict";
import { test } from "node:test";
import { TenantQueue } from "../../src/bindings/queue/tenant-queue.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { Consumer } from "../../src/triggers/consumer.ts";
import { QueueWork } from "../../src/triggers/queue-work.ts";
import { consumerSchema } from "../../src/triggers/trigger-settings.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const MESSAGES = 100_000;
const BATCH = 100;
const SENDERS = 16;

test("of 100,000 messages each is acknowledged as it was told, though one in ten fails at first and the process dies", async () => {
	const launcher = new Launcher();
	const data = new DataProcess(launcher, temporaryFolder());
	const queue = new TenantQueue(data, { tenant: "one", queue: "many" }, 2 ** 30);
	const notices: string[] = [];
	try {
		let sent = 0;
		const sender = async () => {
			while (sent < MESSAGES) {
				const first = sent;
				sent += BATCH;
				const bodies = Array.from({ length: BATCH }, (_, i) => Buffer.from(String(first + i)));
				const messages = bodies.map(({ length: size }) => ({ type: "json" as const, size, delaySeconds: null }));
				await queue.send(messages, Buffer.concat(bodies), { trace: null });
			}
		};
		await Promise.all(Array.from({ length: SENDERS }, sender));
		assert.equal((await queue.count()).messages, MESSAGES);
		/** How often each was delivered before it was acknowledged, and in all. */
		const done = new Map<number, number>();
		let deliveries = 0;
		const work = new QueueWork({
			settings: consumerSchema.parse({ queue: "many", maxBatchSize: BATCH, maxBatchTimeout: 0, maxConcurrency: 16 }),
			queue,
			dispatch: async ({ messages }) => {
				deliveries += messages.length;
				const fails = (body: unknown, attempts: number) => Number(body) % 10 === 0 && attempts === 1;
				const result = {
					acknowledged: messages.filter(({ body, attempts }) => !fails(body, attempts)).map(({ id }) => id),
					retried: messages
						.filter(({ body, attempts }) => fails(body, attempts))
						.map(({ id }) => ({ id, delaySeconds: 0 })),
				};
				for (const { body, attempts, id } of messages)
					if (result.acknowledged.includes(id)) done.set(Number(body), attempts);
				return result;
			},
			notice: (message) => notices.push(message),
		});
		const consumer = new Consumer(work, (message) => notices.push(message));
		consumer.wake();
		// It dies amid the work, and what it has not acknowledged is asked for again.
		await until(() => done.size > MESSAGES / 2);
		process.kill(data.pid, "SIGKILL");
		await until(async () => {
			consumer.wake();
			return done.size === MESSAGES && (await queue.count()).messages === 0;
		});
		await consumer.close();
		// Each was delivered once, and those that had failed once more: nothing was done twice, nor left out.
		assert.equal(deliveries, MESSAGES + MESSAGES / 10);
		for (let i = 0; i < MESSAGES; i++) assert.equal(done.get(i), i % 10 === 0 ? 2 : 1);
		assert.deepEqual(notices, []);
	} finally {
		await data.close();
		await launcher.close();
	}
});
