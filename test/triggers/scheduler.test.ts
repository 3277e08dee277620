import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Blobs } from "../../src/stores/blobs.ts";
import { CronStore } from "../../src/stores/cron-store.ts";
import type { DataProcess } from "../../src/stores/data-process.ts";
import { openDatabase } from "../../src/stores/database.ts";
import { Outbox } from "../../src/stores/outbox.ts";
import { Quota } from "../../src/stores/quota.ts";
import { Scheduler } from "../../src/triggers/scheduler.ts";
import { temporaryFolder } from "../support/runtime.ts";

const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 0, 1, 12, 0, 30);
const JOB = { tenant: "default", name: "job" };

/** Schedulers of several edges over one store, in a time that the test makes go by. */
class Clockwork {
	readonly runs: string[] = [];
	readonly notices: string[] = [];
	readonly #store: CronStore;
	readonly #context: TestContext;
	/** What a run waits for. */
	ends: Promise<void> = Promise.resolve();

	constructor(context: TestContext) {
		const folder = temporaryFolder();
		const database = openDatabase(folder);
		const quota = new Quota(database);
		const outbox = new Outbox(database, quota);
		this.#store = new CronStore({ database, blobs: new Blobs(folder), quota, outbox });
		this.#context = context;
		context.after(() => database.close());
		context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: BEGIN });
	}

	/** A scheduler as an edge has one. */
	edge(): Scheduler {
		const ask: DataProcess["ask"] = async (_, { operation, said }) => {
			const { said: told } = this.#store.writes[operation as "begin" | "claim" | "end"](said as never);
			return { said: told, bytes: new Uint8Array(0) };
		};
		const scheduler = new Scheduler({
			data: { ask } as DataProcess,
			dispatch: async (_, cron, time) => {
				this.runs.push(`${cron} ${new Date(time).toISOString().slice(11, 16)}`);
				await this.ends;
			},
			notice: (_, message) => this.notices.push(message),
		});
		this.#context.after(() => scheduler.close());
		return scheduler;
	}

	async pass(ms: number): Promise<void> {
		for (let left = ms; left > 0; left -= MINUTE) {
			await settled();
			this.#context.mock.timers.tick(Math.min(left, MINUTE));
			await settled();
		}
	}
}

/** All that was under way has come to its end. */
async function settled(): Promise<void> {
	for (let i = 0; i < 20; i++) await null;
}

test("each time is run once, whichever of two edges is first", async (t) => {
	const clockwork = new Clockwork(t);
	for (const edge of [clockwork.edge(), clockwork.edge()]) edge.set(JOB, ["*/2 * * * *"]);
	await clockwork.pass(5 * MINUTE);
	assert.deepEqual(clockwork.runs, ["*/2 * * * * 12:02", "*/2 * * * * 12:04"]);
	assert.deepEqual(clockwork.notices, []);
});

test("of the times that went by while nothing ran the last is made up for, and it is told", async (t) => {
	const clockwork = new Clockwork(t);
	const first = clockwork.edge();
	first.set(JOB, ["*/10 * * * *"]);
	await clockwork.pass(11 * MINUTE);
	first.close();
	await clockwork.pass(45 * MINUTE);
	clockwork.edge().set(JOB, ["*/10 * * * *"]);
	await clockwork.pass(6 * MINUTE);
	assert.deepEqual(clockwork.runs, ["*/10 * * * * 12:10", "*/10 * * * * 12:50", "*/10 * * * * 13:00"]);
	assert.deepEqual(clockwork.notices, ["runs of */10 * * * * were missed: the last one is made up for"]);
});

test("a run that has not ended keeps the next one from beginning", async (t) => {
	const clockwork = new Clockwork(t);
	const { promise, resolve } = Promise.withResolvers<void>();
	clockwork.ends = promise;
	clockwork.edge().set(JOB, ["* * * * *"]);
	await clockwork.pass(3 * MINUTE);
	assert.deepEqual(clockwork.runs, ["* * * * * 12:01"]);
	assert.equal(clockwork.notices.length, 2);
	resolve();
	await clockwork.pass(MINUTE);
	assert.deepEqual(clockwork.runs, ["* * * * * 12:01", "* * * * * 12:04"]);
});

test("schedules that were taken away run no more, and others go on as they were", async (t) => {
	const clockwork = new Clockwork(t);
	const edge = clockwork.edge();
	edge.set(JOB, ["* * * * *", "*/2 * * * *"]);
	await clockwork.pass(MINUTE);
	edge.set(JOB, ["*/2 * * * *"]);
	await clockwork.pass(3 * MINUTE);
	edge.set(JOB, []);
	await clockwork.pass(3 * MINUTE);
	assert.deepEqual(clockwork.runs, ["* * * * * 12:01", "*/2 * * * * 12:02", "*/2 * * * * 12:04"]);
});

test("one that comes back after it was taken away begins anew, and makes up for nothing", async (t) => {
	const clockwork = new Clockwork(t);
	const edge = clockwork.edge();
	edge.set(JOB, ["*/10 * * * *"]);
	await clockwork.pass(MINUTE);
	edge.set(JOB, []);
	await clockwork.pass(45 * MINUTE);
	edge.set(JOB, ["*/10 * * * *"]);
	await clockwork.pass(5 * MINUTE);
	assert.deepEqual([clockwork.runs, clockwork.notices], [["*/10 * * * * 12:50"], []]);
});
