import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ControlError } from "../../src/control/control-error.ts";
import type { RollupBounds } from "../../src/logs/rollups/rollup-search.ts";
import { RollupStore } from "../../src/logs/rollups/rollup-store.ts";
import { BOUNDS, quantile, Tallies, type Tally } from "../../src/observe/tally.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { LogsForTest, record } from "./support.ts";

const launcher = new Launcher();
after(() => launcher.close());

const HOUR = 3600_000;
/** The beginning of an hour. */
const T = 500_000 * HOUR;

/** What was counted of so many invocations of a function's version. */
function tally(count: number, { version = "v1", ...more }: Partial<Tally> & { version?: string } = {}): Tally {
	const tallies = new Tallies(1);
	for (let i = 0; i < count; i++)
		tallies.count(record({ wallMs: 3, cpuMs: 1, responseBytes: 10, subrequests: 1, bindingCalls: { KV: 1 } }).record);
	return { ...tallies.take()[0], ...more, version } as Tally;
}

const total = (outcomes: Record<string, number>) => Object.values(outcomes).reduce((sum, count) => sum + count, 0);

test("what was counted is told by steps of 10 s, 1 min and 1 h, together and apart", async () => {
	await using log = new LogsForTest(launcher);
	const { logs } = log;
	// Its process is there.
	await log.query("");
	logs.addRollups(T + 1000, [tally(3), tally(2, { version: "v2" })]);
	logs.addRollups(T + 9999, [tally(1), tally(5, { function: "cart" }), tally(7, { tenant: "two" })]);
	logs.addRollups(T + 10_000, [tally(1)]);
	logs.addRollups(T + 61_000, [tally(1)]);
	logs.addRollups(T + HOUR, [tally(1)]);
	const ask = async (step: 10_000 | 60_000 | 3600_000, by: "total" | "function" | "version", more = {}) =>
		(await logs.rollups({ tenant: "one", functions: null, since: T, until: T + 2 * HOUR, step, by, ...more })).map(
			(one) => [one.time - T, one.function, one.version, total(one.outcomes)],
		);
	assert.deepEqual(await ask(10_000, "version"), [
		[0, "cart", "v1", 5],
		[0, "shop", "v1", 4],
		[0, "shop", "v2", 2],
		[10_000, "shop", "v1", 1],
		[60_000, "shop", "v1", 1],
		[HOUR, "shop", "v1", 1],
	]);
	assert.deepEqual(await ask(60_000, "function"), [
		[0, "cart", "", 5],
		[0, "shop", "", 7],
		[60_000, "shop", "", 1],
		[HOUR, "shop", "", 1],
	]);
	assert.deepEqual(await ask(3600_000, "total"), [
		[0, "", "", 13],
		[HOUR, "", "", 1],
	]);
	assert.deepEqual(await ask(3600_000, "total", { tenant: null }), [
		[0, "", "", 20],
		[HOUR, "", "", 1],
	]);
	assert.deepEqual(await ask(3600_000, "total", { functions: ["cart"] }), [[0, "", "", 5]]);
	assert.deepEqual(await ask(3600_000, "total", { tenant: "two", functions: ["cart"] }), []);
	assert.deepEqual(await ask(3600_000, "total", { since: T + 1, until: T + HOUR }), []);
	const [hour] = await logs.rollups({
		tenant: "one",
		functions: ["shop"],
		since: T,
		until: T + 1,
		step: 3600_000,
		by: "total",
	});
	assert.deepEqual([hour.responseBytes, hour.subrequests, hour.outcomes], [80, 8, { ok: 8 }]);
	assert.equal(hour.wall.counts[BOUNDS.indexOf(0.005)], 8);
	assert.ok(Math.abs(hour.wall.sum - 0.024) < 1e-9);
	await assert.rejects(
		logs.rollups({ tenant: null, functions: ["shop"], since: T, until: T + 1, step: 60_000, by: "total" }),
		{ code: "invalid" },
	);
});

test("what was counted is there once, however often its process is killed", async () => {
	await using log = new LogsForTest(launcher);
	let sent = 0;
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 20; i++) {
			log.logs.addRollups(T + i, [tally(1)]);
			sent++;
			await new Promise((resolve) => setImmediate(resolve));
		}
		await until(() => log.logs.pid > 0);
		const { pid } = log.logs;
		process.kill(pid, "SIGKILL");
		await until(() => log.logs.pid !== pid);
	}
	const count = async () => {
		const asked = { tenant: "one", functions: null, since: T, until: T + 1, step: 3600_000, by: "total" } as const;
		const rollups = await log.logs.rollups(asked).catch(() => []);
		return rollups.length === 0 ? 0 : total(rollups[0].outcomes);
	};
	await until(async () => (await count()) >= sent);
	assert.equal(await count(), sent);
});

test("versions past a bound share one, of which a tenant that has many has most", async () => {
	await using log = new LogsForTest(launcher);
	const one = tally(1);
	await log.query("");
	log.logs.addRollups(
		T,
		Array.from({ length: 600 }, (_, i) => ({ ...one, tenant: "many", function: `f${i}` })),
	);
	log.logs.addRollups(T, [tally(1)]);
	const asked = { functions: null, since: T, until: T + 1, step: 3600_000, by: "function" } as const;
	const all = await log.logs.rollups({ tenant: null, ...asked });
	assert.equal(all.length, 252);
	assert.equal(total(all.find((rollup) => rollup.function === "_others")?.outcomes ?? {}), 350);
	assert.equal((await log.logs.rollups({ tenant: "one", ...asked })).length, 1);
});

test("queries that take too long end with words, and what they read is no longer held", () => {
	const store = new RollupStore(temporaryFolder(), assert.fail);
	const functions = Array.from({ length: 240 }, (_, i) => tally(1, { function: `f${i}` }));
	store.add("s", 1, [{ time: T, tallies: functions }]);
	const asked = { tenant: "one", functions: null, since: T, until: T + 1, step: 60_000, by: "total" } as const;
	const run = (more: Partial<RollupBounds>) => {
		const search = store.search(asked, { rows: 1000, told: 1000, ownMs: 1000, ms: 60_000, ...more });
		// The shortest steps that there are.
		while (!search.step(performance.now() + 0.001));
		return search.result();
	};
	assert.equal(total(run({})[0].outcomes), 240);
	assert.throws(() => run({ ownMs: 0 }), { message: /^400 step: that takes too long/ });
	assert.throws(() => run({ ms: 0 }), { message: /^429 / });
	assert.throws(() => run({ rows: 200 }), { message: /^400 step: there are too many/ });
	store.close();
});

test("a tenant's queries past a few are refused, the operator's are not", async () => {
	await using log = new LogsForTest(launcher);
	const asked = { functions: null, since: T, until: T + 1, step: 60_000, by: "total" } as const;
	const ask = (tenant: string | null) => log.logs.rollups({ ...asked, tenant });
	const all = await Promise.allSettled([...Array.from({ length: 6 }, () => ask("one")), ask("two"), ask(null)]);
	const codes = all.map((one) => (one.status === "fulfilled" ? "" : (one.reason as ControlError).code));
	assert.deepEqual(codes, ["", "", "", "", "too_many_queries", "too_many_queries", "", ""]);
	assert.deepEqual(await ask("one"), []);
});

test("a quantile is as near as the buckets tell", () => {
	const counts = new Array<number>(BOUNDS.length + 1).fill(0);
	assert.equal(quantile({ counts, sum: 0 }, 0.5), null);
	counts[BOUNDS.indexOf(0.01)] = 100; // Between 5 and 10 ms.
	assert.equal(quantile({ counts, sum: 1 }, 0.5), 0.0075);
	assert.equal(quantile({ counts, sum: 1 }, 1), 0.01);
	assert.equal(quantile({ counts, sum: 1 }, 0), 0.005);
	counts[BOUNDS.length] = 100; // Above all bounds.
	assert.equal(quantile({ counts, sum: 1 }, 0.99), 30);
	counts[0] = 800;
	assert.equal(quantile({ counts, sum: 1 }, 0.4), 0.00025);
});
