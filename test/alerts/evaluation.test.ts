import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { Registry } from "prom-client";
import { alertsSchema, receiverSchema } from "../../src/config/alert-receivers.ts";
import { Alerts } from "../../src/control/alerts/alerts.ts";
import { ruleSchema } from "../../src/control/alerts/rule.ts";
import type { ControlError } from "../../src/control/control-error.ts";
import { Sealer } from "../../src/control/secrets.ts";
import type { FunctionDocument } from "../../src/control/store/documents.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import type { EdgeStats } from "../../src/feed/messages.ts";
import type { LogQuery, LogResult, Rollup } from "../../src/logs/calls.ts";
import { BOUNDS, type Tally } from "../../src/observe/tally.ts";
import { startHook } from "../support/alert-receivers.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { MadeClock } from "./clock.ts";

const MINUTE = 60_000;
const FOUND: LogResult = {
	...{ entries: [], columns: ["count"], rows: [], cursor: null, whole: true, lost: 0 },
	read: { segments: 0, entries: 0, bytes: 0 },
};
const EDGE = { faults: 0, restarts: 0, loopDelayP99: 0.001 } as EdgeStats;

/** What watches, with a store of its own and a clock that is moved. */
class Watch {
	readonly clock = new MadeClock();
	readonly folder = temporaryFolder();
	readonly store = SqliteStore.open(join(this.folder, "control.sqlite"));
	readonly lines: string[] = [];
	readonly queries: LogQuery[] = [];
	readonly budgets: { tenant: string; ratio: number }[] = [];
	answer: (query: LogQuery) => LogResult | Promise<LogResult> = () => FOUND;
	/** What the log knows of before; `null` where it cannot be asked. */
	rollups: Rollup[] | null = null;
	edges = 1;
	alerts = this.#made();

	constructor() {
		after(() => this.alerts.close().then(() => this.store.close()));
	}

	#made(): Alerts {
		const query = async (one: LogQuery) => {
			this.queries.push(one);
			return this.answer(one);
		};
		return new Alerts({
			...{
				store: this.store,
				clock: this.clock,
				folder: this.folder,
				registry: new Registry(),
				allowEgress: ["127.0.0.1"],
			},
			sealer: Sealer.open(this.folder),
			config: alertsSchema.parse({}),
			url: "http://here/",
			edges: () => this.edges,
			logs: {
				query,
				rollups: () => (this.rollups ? Promise.resolve(this.rollups) : Promise.reject(new Error("no log"))),
			},
			budgets: () => this.budgets,
			log: (_, message) => void this.lines.push(message),
		});
	}

	/** Another process takes its place. */
	async restart(): Promise<void> {
		await this.alerts.close();
		this.alerts = this.#made();
	}

	async functions(tenant: string, ...names: string[]): Promise<void> {
		const changes = names.map((name) => {
			const value = { tenant, name, created: new Date(this.clock.wall()).toISOString() } as FunctionDocument;
			return { kind: "function" as const, key: `${tenant}/${name}`, value, expected: 0 };
		});
		await this.store.commit({ actor: "test", action: "function.make", target: tenant }, changes);
	}

	/** An edge tells what a tenant's function has done. */
	counted(key: string, outcomes: Record<string, number>): void {
		const [tenant, name] = key.split("/");
		const none = () => ({ counts: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0 });
		const tally = {
			...{ tenant, function: name, event: "http", version: "", outcomes, wall: none(), cpu: none(), start: none() },
			...{ requestBytes: 0, responseBytes: 0, subrequests: 0, bindingCalls: {}, memoryBytes: 0 },
		} as Tally;
		this.alerts.measured(this, [tally], EDGE);
	}

	/** The same, and all is evaluated. */
	async did(key: string, outcomes: Record<string, number>): Promise<void> {
		this.counted(key, outcomes);
		await this.alerts.evaluate();
	}

	async wait(ms: number): Promise<void> {
		this.clock.now += ms;
		await this.alerts.evaluate();
	}

	rule(tenant: string | null, name: string, settings: object) {
		return this.alerts.rules.put("test", tenant, name, ruleSchema.parse(settings));
	}

	receiver(tenant: string | null, settings: object) {
		const given = receiverSchema.parse({ kind: "slack", groupWait: "0s", groupInterval: "5m", ...settings });
		return this.alerts.receivers.put("test", tenant, "hook", given);
	}

	/** As `error-rate acme/shop firing`. */
	told(tenant: string | null = null): string[] {
		return this.alerts
			.list(tenant)
			.map((one) => `${one.rule} ${[one.tenant, one.function].filter(Boolean).join("/") || "server"} ${one.state}`)
			.sort();
	}
}

test("every function is watched from the start; a tenant changes a rule for itself, or switches it off", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	await watch.functions("other", "shop");
	await watch.functions("third", "shop");
	await watch.alerts.evaluate();
	await watch.rule("other", "error-rate", { metric: "errorPercent", above: 60, enabled: false });
	await watch.rule("third", "error-rate", { metric: "errorPercent", above: 60, severity: "info" });
	await watch.alerts.evaluate();
	for (const tenant of ["acme", "other", "third"]) await watch.did(`${tenant}/shop`, { ok: 50, exception: 50 });
	assert.deepEqual(watch.told(), ["error-rate acme/shop firing"]);
	assert.ok(watch.lines.includes("alert error-rate of acme/shop fires: 50 (> 5, over at 4)"));
	await watch.did("third/shop", { exception: 200 });
	assert.deepEqual(watch.told("third"), ["error-rate third/shop firing"]);
	const own = await watch.alerts.rule("third", "error-rate");
	assert.deepEqual([own.origin, own.above, own.lastError], ["tenant", 60, null]);
	await watch.alerts.rules.remove("test", "third", "error-rate");
	assert.equal((await watch.alerts.rule("third", "error-rate")).origin, "default");
	await assert.rejects(
		watch.alerts.rules.remove("test", "acme", "error-rate"),
		/it is a default one, which is switched off/,
	);
	// The operator changes it for everybody who has said nothing of their own.
	await watch.rule(null, "error-rate", { metric: "errorPercent", above: 99, tenants: "ac*" });
	await watch.alerts.evaluate();
	assert.deepEqual(watch.told("acme"), ["error-rate acme/shop resolved"]);
	await watch.wait(400_000);
	assert.deepEqual(watch.told("third"), ["error-rate third/shop resolved"]);
});

test("what a tenant has thought of is told to nobody else", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	const [own, operators] = [await startHook(), await startHook()];
	for (const [tenant, hook] of [
		["acme", own],
		[null, operators],
		["other", operators],
	] as const)
		await watch.receiver(tenant, { groupInterval: "1s", url: `http://127.0.0.1:${hook.port}/` });
	await watch.rule("acme", "busy", { metric: "requests", above: 5 });
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { ok: 50 });
	await until(() => own.got.length === 1);
	await watch.did("acme/shop", { exception: 500 });
	await until(() => operators.got.length === 1);
	assert.match(operators.got[0].body, /error-rate/);
	assert.doesNotMatch(operators.got[0].body, /busy/);
	assert.equal(watch.alerts.deliveriesOf("other").length, 0);
});

test("a rule that cannot be evaluated says why, and stops no other; an answer is waited for by nobody", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	await watch.rule("acme", "checkout", { query: 'outcome:exception "checkout"', above: 2, window: "1m" });
	await watch.rule("acme", "slow-query", { query: "outcome:exception | count by function", above: 2, window: "1m" });
	await assert.rejects(
		watch.rule("acme", "wrong", { query: "outcome:", above: 1 }),
		/query: at position \d+: expected/,
	);
	await assert.rejects(watch.rule("acme", "wrong", { metric: "edges", below: 1 }), /of the server/);
	watch.answer = () => Promise.reject(new Error("the disk is gone"));
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { exception: 100 });
	await watch.wait(10_000);
	assert.equal((await watch.alerts.rule("acme", "checkout")).lastError, "the disk is gone");
	assert.deepEqual(watch.told("acme"), ["error-rate acme/shop firing"]);
	watch.answer = ({ query }) => {
		const rows = query.includes("by")
			? [
					["a", 1],
					["b", 9],
				]
			: [[3]];
		return { ...FOUND, rows };
	};
	for (let i = 0; i < 3; i++) await watch.wait(10_000);
	assert.equal((await watch.alerts.rule("acme", "checkout")).lastError, null);
	assert.deepEqual(watch.told("acme"), [
		...["checkout acme firing", "error-rate acme/shop firing", "slow-query acme firing"],
	]);
	assert.deepEqual(await watch.alerts.testRule("acme", "checkout"), [
		{ tenant: "acme", function: "", value: 3, requests: null, verdict: "breached" },
	]);
	const asked = watch.queries.filter(({ tenant }) => tenant !== null);
	assert.deepEqual([...new Set(asked.map(({ query }) => query))].sort(), [
		...['outcome:exception "checkout" | count', "outcome:exception | count by function"],
	]);
	assert.ok(asked.every(({ tenant }) => tenant === "acme"));
});

test("the log is asked once of each whole minute what it has lost in it", async () => {
	const watch = new Watch();
	const before = watch.clock.wall();
	for (let i = 0; i < 30; i++) await watch.wait(11_000);
	const asked = watch.queries.filter(({ tenant, query }) => tenant === null && query === "");
	assert.ok(asked.length >= 5 && asked[0].since <= before, String(asked.length));
	for (const [i, { since, until }] of asked.entries()) {
		assert.deepEqual([since % MINUTE, until - since], [0, MINUTE]);
		if (i > 0) assert.equal(since, asked[i - 1].until);
	}
});

test("what fires and what is pending goes on in the next process", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	await watch.rule("acme", "busy", { metric: "requests", above: 5, window: "5m", for: "2m" });
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { exception: 100 });
	const [before] = watch.alerts.list("acme");
	assert.deepEqual(watch.told("acme"), ["busy acme/shop pending", "error-rate acme/shop firing"]);
	watch.lines.length = 0;
	await watch.restart();
	await watch.wait(MINUTE);
	assert.deepEqual(watch.told("acme"), ["busy acme/shop pending", "error-rate acme/shop firing"]);
	await watch.did("acme/shop", { exception: 100 });
	await watch.wait(MINUTE);
	assert.deepEqual(watch.told("acme"), ["busy acme/shop firing", "error-rate acme/shop firing"]);
	assert.equal(watch.alerts.list("acme").find(({ rule }) => rule === "error-rate")?.startsAt, before.startsAt);
	assert.deepEqual(
		watch.lines.filter((line) => line.startsWith("alert ")),
		["alert busy of acme/shop fires: 100 (> 5)"],
	);
	// Once all of a window was seen, what has calmed down is over.
	await watch.wait(6 * MINUTE);
	assert.deepEqual(watch.told("acme"), ["busy acme/shop resolved", "error-rate acme/shop resolved"]);
});

test("with what the log knows of before, a process that begins anew takes what has calmed down for over at once", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	watch.rollups = [];
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { exception: 100 });
	const none = { counts: [], sum: 0 };
	const common = {
		tenant: "acme",
		function: "shop",
		version: "",
		step: 10_000,
		wall: none,
		cpu: none,
		start: none,
	} as const;
	const sizes = { requestBytes: 0, responseBytes: 0, subrequests: 0, bindingCalls: {}, memoryBytes: 0 };
	const rollup = { ...common, ...sizes, time: watch.clock.wall(), outcomes: { exception: 100 } };
	watch.clock.now += 20_000;
	watch.rollups = [rollup];
	await watch.restart();
	for (let i = 0; i < 3; i++) await watch.wait(10_000);
	assert.deepEqual(watch.told("acme"), ["error-rate acme/shop firing"]);
	watch.rollups = [{ ...rollup, outcomes: { ok: 100 } }];
	await watch.restart();
	for (let i = 0; i < 3; i++) await watch.wait(10_000);
	assert.deepEqual(watch.told("acme"), ["error-rate acme/shop resolved"]);
});

test("a function that is removed, and a rule, take their alerts along", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop", "blog");
	await watch.rule("acme", "busy", { metric: "requests", above: 5, functions: "b*", noData: "keep" });
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { exception: 100 });
	await watch.did("acme/blog", { ok: 100 });
	assert.deepEqual(watch.told("acme"), ["busy acme/blog firing", "error-rate acme/shop firing"]);
	await watch.alerts.rules.remove("test", "acme", "busy");
	const entry = await watch.store.get("function", "acme/shop");
	await watch.store.commit({ actor: "test", action: "function.remove", target: "acme/shop" }, [
		{ kind: "function", key: "acme/shop", value: null, expected: entry?.revision ?? 0 },
	]);
	await watch.alerts.evaluate();
	assert.deepEqual(watch.told("acme"), ["busy acme/blog resolved", "error-rate acme/shop resolved"]);
});

test("silence is noticed: a function without requests, a server without edges, a budget that ends", async () => {
	const watch = new Watch();
	watch.rollups = [];
	await watch.functions("acme", "shop", "blog");
	await watch.rule("acme", "quiet", { metric: "requests", below: 1, window: "5m", functions: "shop" });
	await watch.alerts.evaluate();
	assert.deepEqual(watch.told("acme"), []);
	await watch.wait(6 * MINUTE);
	assert.deepEqual(watch.told("acme"), ["quiet acme/shop firing"]);
	await watch.did("acme/shop", { ok: 1 });
	assert.deepEqual(watch.told("acme"), ["quiet acme/shop resolved"]);
	watch.edges = 0;
	watch.budgets.push({ tenant: "acme", ratio: 0.95 }, { tenant: "acme", ratio: 0.2 });
	await watch.alerts.evaluate();
	await watch.wait(31_000);
	assert.deepEqual(watch.told(), ["budget acme firing", "no-edge server firing", "quiet acme/shop resolved"]);
	watch.edges = 1;
	await watch.alerts.evaluate();
	assert.ok(watch.told().includes("no-edge server resolved"));
	watch.alerts.measured(watch, [], { ...EDGE, faults: 1 });
	await watch.alerts.evaluate();
	assert.deepEqual(
		watch.told().filter((one) => one.includes("faults")),
		["edge-faults server firing"],
	);
});

test("a thousand functions that fail at once are so many alerts, told in one notification and a few lines", async () => {
	const watch = new Watch();
	const names = Array.from({ length: 1000 }, (_, i) => `f${i}`);
	await watch.functions("acme", ...names);
	const hook = await startHook();
	await watch.receiver("acme", { groupBy: ["alertname"], url: `http://127.0.0.1:${hook.port}/` });
	await watch.alerts.evaluate();
	for (const name of names.slice(1)) watch.counted(`acme/${name}`, { exception: 50 });
	await watch.did("acme/f0", { exception: 50 });
	assert.equal(watch.alerts.list("acme").length, 1000);
	await until(() => hook.got.length === 1);
	assert.match(hook.got[0].body, /FIRING: 1000/);
	await until(() => watch.alerts.deliveriesOf("acme").every(({ state }) => state === "delivered"));
	assert.ok(watch.lines.length <= 25, String(watch.lines.length));
	await watch.restart();
	await watch.alerts.evaluate();
	await watch.wait(10_000);
	assert.equal(watch.alerts.list("acme").length, 1000);
	assert.equal(hook.got.length, 1);
});

test("no secret is in the store or told, and one for another place is not taken along", async () => {
	const watch = new Watch();
	const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
	const put = (given: object) => watch.receiver("acme", { kind: "webhook", ...given });
	await assert.rejects(put({ url: "https://a.example/x" }), /secret: a webhook needs one/);
	await assert.rejects(put({ secret }), /url: a new receiver needs one/);
	await put({ url: "https://a.example/x?key=1", secret });
	await put({});
	await put({ url: "https://a.example/y" });
	const entry = await watch.store.get("alertReceiver", "acme/hook");
	assert.doesNotMatch(JSON.stringify(entry), /whsec|example\/x|key=1/);
	assert.equal(entry?.value.origin, "https://a.example");
	assert.deepEqual(watch.alerts.receivers.opened(entry?.value as never).address(), {
		url: "https://a.example/y",
		secret,
	});
	await assert.rejects(put({ url: "https://b.example/" }), /secret: a webhook needs one/);
});

test("a receiver that fails is an alert, until it is switched off", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	const hook = await startHook(0, 500);
	await watch.receiver("acme", { url: `http://127.0.0.1:${hook.port}/` });
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { exception: 100 });
	for (let times = 1; times <= 3; times++) {
		await until(() => watch.alerts.deliveriesOf("acme").at(-1)?.attempts === times);
		await watch.wait(400_000);
	}
	await watch.wait(400_000);
	assert.ok(watch.told("acme").includes("receiver-failing acme firing"));
	await watch.receiver("acme", { enabled: false });
	await watch.alerts.evaluate();
	await watch.alerts.evaluate();
	assert.ok(watch.told("acme").includes("receiver-failing acme resolved"));
});

test("a tenant's rule takes the place of one of the operator's for the tenant, and not for the operator", async () => {
	const watch = new Watch();
	await watch.functions("acme", "shop");
	const [own, operators] = [await startHook(), await startHook()];
	for (const [tenant, hook] of [
		["acme", own],
		[null, operators],
	] as const)
		await watch.receiver(tenant, { groupInterval: "1s", url: `http://127.0.0.1:${hook.port}/` });
	await watch.rule(null, "busy", { metric: "requests", above: 5 });
	await watch.alerts.evaluate();
	await watch.did("acme/shop", { ok: 50 });
	await until(() => own.got.length === 1 && operators.got.length === 1);
	await watch.rule("acme", "busy", { metric: "requests", above: 1000, enabled: false });
	await watch.wait(2000);
	await until(() => own.got.length === 2);
	assert.match(own.got[1].body, /RESOLVED/);
	assert.deepEqual([watch.told("acme"), watch.told()], [[], ["busy acme/shop firing"]]);
	const seen = (await watch.alerts.rulesOf("acme")).filter(({ name }) => name === "busy");
	assert.deepEqual(
		seen.map(({ origin }) => origin),
		["tenant"],
	);
	assert.equal((await watch.alerts.testRule(null, "busy"))[0].verdict, "breached");
	await watch.rule("acme", "busy", { metric: "requests", above: 20 });
	await watch.wait(2000);
	assert.deepEqual(watch.told(), ["busy acme/shop firing", "busy acme/shop firing"]);
	assert.equal(operators.got.length, 1);
});

test("a tenant that tries out many receivers keeps nobody else from it", async () => {
	const watch = new Watch();
	const hook = await startHook();
	for (const tenant of ["evil", "acme"]) await watch.receiver(tenant, { url: `http://127.0.0.1:${hook.port}/` });
	const tried = (tenant: string) =>
		watch.alerts.testReceiver(tenant, "hook").catch(({ code }: ControlError) => ({ status: code }));
	const ended = await Promise.all([...Array.from({ length: 9 }, () => tried("evil")), tried("acme")]);
	assert.deepEqual(
		ended.map(({ status }) => status),
		[200, ...new Array<string>(8).fill("too_many_attempts"), 200],
	);
});

test("a silence by a label that no alert has is refused, with the one that may have been meant", async () => {
	const watch = new Watch();
	const until = new Date(Date.now() + 3600_000).toISOString();
	const add = (matcher: string) =>
		watch.alerts.silences.add("test", "acme", { matchers: [matcher], until, comment: "" });
	await assert.rejects(add("fuction=shop"), /no alert has a label fuction: did you mean function\?/);
	await assert.rejects(add("team=shop"), /no alert has a label team/);
	await watch.rule("acme", "busy", { metric: "requests", above: 5, labels: { team: "shop" } });
	await add("team!=shop");
	await add("function=shop");
});
