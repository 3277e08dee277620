import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Registry } from "prom-client";
import { check } from "../../../src/config/check.ts";
import { type Pricing, pricingSchema } from "../../../src/config/pricing.ts";
import { addBudgetMetric } from "../../../src/control/metering/budget-metric.ts";
import { Budgets } from "../../../src/control/metering/budgets.ts";
import { Metering } from "../../../src/control/metering/metering.ts";
import type { BudgetDocument } from "../../../src/control/store/documents.ts";
import { SqliteStore } from "../../../src/control/store/sqlite-store.ts";
import { Meter } from "../../../src/edge/meter.ts";
import { Refusals } from "../../../src/limits/refusals.ts";
import { newRecord } from "../../../src/observe/record.ts";
import { temporaryFolder } from "../../support/runtime.ts";
import { until } from "../../support/until.ts";

const DAY_MS = 24 * 3600_000;
const pricing = check<Pricing>(
	pricingSchema,
	{ currency: "EUR", prices: { requests: { price: "0.10" } }, tenants: { cheap: { requests: { price: "0.01" } } } },
	"here",
);
const NONE: BudgetDocument = {
	...{ requestsPerDay: null, requestsPerMonth: null, cpuMsPerDay: null, cpuMsPerMonth: null },
	...{ amountPerMonth: null, warnAt: 0.8 },
};

/** Budgets over a metering that an edge tells, at a made-up time. */
class Bench {
	readonly data = temporaryFolder();
	readonly logged: string[] = [];
	readonly refusals = new Refusals();
	now = Date.parse("2026-12-30T12:00:00Z");
	store!: SqliteStore;
	metering!: Metering;
	budgets!: Budgets;
	meter!: Meter;

	async open(prices: Pricing | undefined = pricing): Promise<this> {
		const now = () => this.now;
		const log = (_: string, message: string) => this.logged.push(message);
		this.store = SqliteStore.open(join(this.data, "control.sqlite"));
		this.metering = await Metering.open({ data: this.data, days: 400, log, now });
		this.budgets = new Budgets({ store: this.store, metering: this.metering, pricing: prices, log, now });
		await this.metering.listen(join(this.data, "metering.sock"));
		this.meter = new Meter({
			...{ path: join(this.data, "metering.sock"), held: () => [], now },
			onRefused: (tenants) => this.refusals.set(tenants),
		});
		return this;
	}

	/** So many requests of a tenant are over, and known. */
	async use(tenant: string, times: number, cpuMs = 0): Promise<void> {
		const time = new Date(this.now).toISOString();
		const known = { tenant, function: "shop", attempts: 1, cpuMs, time };
		const day = time.slice(0, 10);
		const before = this.metering.store.total(tenant, day, day)[0];
		for (let i = 0; i < times; i++) this.meter.count({ ...newRecord("id", "http", "http"), ...known }, 0);
		await until(async () => {
			await this.metering.fold();
			return this.metering.store.total(tenant, day, day)[0] === before + times;
		});
		await this.budgets.look();
	}

	/** What a request of a tenant gets at the edge, once that is so. */
	refused(tenant: string, code: string | null): Promise<void> {
		return until(() => (this.refusals.of(tenant, this.now)?.code ?? null) === code);
	}

	async close(): Promise<void> {
		await this.meter.close();
		this.budgets.close();
		await this.metering.close(0);
		await this.store.close();
	}
}

test("a quota warns, refuses, and is there again the next day, or when there is more of it", async () => {
	const bench = await new Bench().open();
	await bench.budgets.set("ada", "acme", { ...NONE, requestsPerDay: 10 });
	await bench.use("acme", 7);
	assert.deepEqual(bench.logged, []);
	await bench.use("acme", 1);
	assert.deepEqual(bench.logged, ["the tenant acme has used most of its budget: 8 of 10 (requestsPerDay)"]);
	await bench.refused("acme", null);
	await bench.use("acme", 2);
	await bench.refused("acme", "quota_exceeded");
	await bench.refused("other", null);
	const { states, refused } = await bench.budgets.told("acme");
	assert.deepEqual(refused, { tenant: "acme", code: "quota_exceeded", until: Date.parse("2026-12-31") });
	assert.deepEqual(states, [
		{
			...{ budget: "requestsPerDay", period: "2026-12-30", limit: 10, used: 10, ratio: 1, state: "exhausted" },
			warned: "2026-12-30T12:00:00.000Z",
		},
	]);
	assert.match(bench.logged[1], /all of its budget, and is refused: 10 of 10/);
	// It is told once, whatever is looked at again.
	await bench.use("acme", 1);
	assert.equal(bench.logged.length, 2);
	await bench.budgets.set("ada", "acme", { ...NONE, requestsPerDay: 20 });
	await bench.refused("acme", null);
	await bench.budgets.set("ada", "acme", { ...NONE, requestsPerDay: 5 });
	await bench.refused("acme", "quota_exceeded");
	const error = bench.refusals.of("acme", bench.now);
	assert.deepEqual([error?.status, error?.retryAfter], [429, 12 * 3600]);
	// An edge knows by itself that the day is over.
	bench.now = Date.parse("2026-12-31T00:00:00Z");
	assert.equal(bench.refusals.of("acme", bench.now), null);
	await bench.budgets.look();
	assert.equal((await bench.budgets.told("acme")).refused, null);
	await bench.budgets.set("ada", "acme", null);
	assert.deepEqual((await bench.budgets.told("acme")).states, []);
	await bench.close();
});

test("a month's quota, its processor time and its money count from the month's first day", async () => {
	const bench = await new Bench().open();
	await bench.use("acme", 3, 10);
	bench.now += DAY_MS;
	await bench.use("acme", 3, 10);
	await bench.use("cheap", 6);
	const limits = { requestsPerMonth: 6, cpuMsPerMonth: 100, cpuMsPerDay: 100, amountPerMonth: "0.70" };
	for (const tenant of ["acme", "cheap"]) await bench.budgets.set("ada", tenant, { ...NONE, ...limits });
	const { states } = await bench.budgets.told("acme");
	assert.deepEqual(
		states.map(({ budget, used, state }) => [budget, used, state]),
		[
			["requestsPerMonth", 6, "exhausted"],
			["cpuMsPerDay", 30, "ok"],
			["cpuMsPerMonth", 60, "ok"],
			["amountPerMonth", "0.60", "warned"],
		],
	);
	// A tenant may have prices of its own.
	assert.equal((await bench.budgets.told("cheap")).states.at(-1)?.used, "0.06");
	await bench.budgets.set("ada", "acme", { ...NONE, amountPerMonth: "0.60" });
	await bench.refused("acme", "budget_exhausted");
	assert.equal(bench.refusals.of("acme", bench.now)?.status, 402);
	bench.now = Date.parse("2027-01-01T00:00:00Z");
	assert.equal(bench.refusals.of("acme", bench.now), null);
	await bench.close();
});

test("a balance burns down over months, and is credited once by a reference", async () => {
	const bench = await new Bench().open();
	// What was used before there was a balance is not taken from it.
	await bench.use("acme", 5);
	await bench.budgets.credit("ada", "acme", { amount: "1.00", reference: "invoice-1" });
	await bench.budgets.credit("ada", "acme", { amount: "1.00", reference: "invoice-1" });
	await bench.use("acme", 4);
	const left = async () => (await bench.budgets.told("acme")).balance;
	assert.deepEqual(await left(), { credited: "1.00", spent: "0.40", left: "0.60" });
	// Months that are over are written off, and late words of a month still count until then.
	for (const day of ["2027-01-01", "2027-01-02", "2027-02-15"]) {
		bench.now = Date.parse(`${day}T01:00:00Z`);
		await bench.budgets.look();
		await bench.use("acme", 1);
	}
	assert.deepEqual(await left(), { credited: "1.00", spent: "0.70", left: "0.30" });
	assert.equal((await bench.store.get("balance", "acme"))?.value.month, "2027-02");
	await bench.use("acme", 3);
	await bench.refused("acme", "budget_exhausted");
	bench.now += 400 * DAY_MS;
	await bench.budgets.look();
	// It is not the time that brings it back.
	await bench.refused("acme", "budget_exhausted");
	await bench.budgets.credit("ada", "acme", { amount: "0.50" });
	await bench.refused("acme", null);
	assert.deepEqual(await left(), { credited: "1.50", spent: "1.00", left: "0.50" });
	const audit = await bench.store.audit(100);
	assert.deepEqual(
		audit
			.filter(({ action }) => action.startsWith("balance.add"))
			.map(({ actor, target, action }) => [actor, target, action]),
		[
			["ada", "acme", "balance.add 0.50"],
			["ada", "acme", "balance.add 1.00"],
		],
	);
	await bench.close();
});

test("two credits at once are both there", async () => {
	const bench = await new Bench().open();
	await Promise.all(
		Array.from({ length: 10 }, (_, i) => bench.budgets.credit("ada", "acme", { amount: "1.00", reference: `${i}` })),
	);
	assert.equal((await bench.budgets.told("acme")).balance?.credited, "10.00");
	await bench.close();
});

test("whoever is refused is refused after a restart of control, too", async () => {
	const bench = await new Bench().open();
	await bench.budgets.set("ada", "acme", { ...NONE, requestsPerDay: 2 });
	await bench.use("acme", 2);
	await bench.refused("acme", "quota_exceeded");
	await bench.close();
	bench.refusals.set([]);
	await bench.open();
	await bench.budgets.look();
	await bench.refused("acme", "quota_exceeded");
	await bench.close();
});

test("without prices there is no money", async () => {
	const bench = await new Bench().open();
	bench.budgets.close();
	const { store, metering } = bench;
	const budgets = new Budgets({ store, metering, pricing: undefined, log: () => undefined });
	await assert.rejects(budgets.credit("ada", "acme", { amount: "1.00" }), /no prices/);
	assert.deepEqual((await budgets.told("acme")).states, []);
	budgets.close();
	await bench.close();
});

test("the metric tells the part that is used, those first that have used most", async () => {
	const bench = await new Bench().open();
	const registry = new Registry();
	addBudgetMetric(registry, bench.budgets);
	for (const tenant of ["acme", "cheap"]) await bench.budgets.set("ada", tenant, { ...NONE, requestsPerDay: 4 });
	await bench.use("acme", 1);
	await bench.use("cheap", 3);
	const text = await registry.metrics();
	assert.match(text, /\{atoll_tenant="cheap",budget="requestsPerDay"\} 0\.75\n.*acme.* 0\.25/);
	assert.deepEqual(bench.budgets.ratios(1), [{ tenant: "cheap", budget: "requestsPerDay", ratio: 0.75 }]);
	await bench.close();
});
