import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Alert, step, type Transition } from "../../src/control/alerts/alert.ts";
import { judge, type Rule, type RuleSettings, ruleSchema } from "../../src/control/alerts/rule.ts";
import { MadeClock } from "./clock.ts";

const OF = { tenant: "acme", function: "shop" };

function ruleOf(settings: Partial<RuleSettings>): Rule {
	return { ...ruleSchema.parse({ metric: "errorPercent", ...settings }), name: "rule", origin: "tenant" };
}

/** An alert's way through values that are measured one after the other, ten seconds apart. */
class Way {
	readonly clock = new MadeClock();
	readonly transitions: Transition[] = [];
	readonly #rule: Rule;
	readonly #forMs: number;
	alert: Alert | null = null;

	constructor(rule: Rule, forMs = 0) {
		this.#rule = rule;
		this.#forMs = forMs;
	}

	next(value: number | null, requests = 100, whole = true): Transition {
		const verdict = judge(this.#rule, { value, requests, whole });
		const how = { rule: this.#rule, of: OF, value, forMs: this.#forMs, clock: this.clock };
		const { after, transition } = step(this.alert, verdict, how);
		this.alert = after;
		this.clock.now += 10_000;
		if (transition !== null) this.transitions.push(transition);
		return transition;
	}
}

const rules = fc
	.record({
		limit: fc.integer({ min: -100, max: 100 }),
		gap: fc.integer({ min: 0, max: 50 }),
		isAbove: fc.boolean(),
		forMs: fc.constantFrom(0, 10_000, 25_000, 60_000),
		noData: fc.constantFrom("ok" as const, "fire" as const, "keep" as const),
	})
	.map(({ limit, gap, isAbove, forMs, noData }) => ({
		rule: ruleOf(isAbove ? { above: limit, clear: limit - gap, noData } : { below: limit, clear: limit + gap, noData }),
		forMs,
	}));
const values = fc.array(fc.option(fc.integer({ min: -200, max: 200 })), { maxLength: 60 });

test("a value that stays as it is fires once at most, and ends nothing", () => {
	fc.assert(
		fc.property(rules, fc.option(fc.integer({ min: -200, max: 200 })), ({ rule, forMs }, value) => {
			const way = new Way(rule, forMs);
			for (let i = 0; i < 20; i++) way.next(value);
			assert.ok([[], ["firing"], ["pending", "firing"]].some((one) => one.join() === way.transitions.join()));
		}),
	);
});

test("whatever is measured, no transition is told twice, and none that contradicts the one before", () => {
	const next: Record<string, string[]> = {
		none: ["pending", "firing"],
		pending: ["firing", "dropped"],
		dropped: ["pending", "firing"],
		firing: ["resolved"],
		resolved: ["pending", "firing"],
	};
	fc.assert(
		fc.property(rules, values, ({ rule, forMs }, measured) => {
			const way = new Way(rule, forMs);
			for (const value of measured) way.next(value);
			let before = "none";
			for (const transition of way.transitions) {
				assert.ok(next[before].includes(transition as string), way.transitions.join());
				before = transition as string;
			}
		}),
	);
});

test("a clock on the wall that jumps fires and ends nothing", () => {
	const jumps = fc.array(fc.integer({ min: -1e10, max: 1e10 }), { minLength: 60, maxLength: 60 });
	fc.assert(
		fc.property(rules, values, jumps, ({ rule, forMs }, measured, offsets) => {
			const [calm, jumping] = [new Way(rule, forMs), new Way(rule, forMs)];
			for (const [at, value] of measured.entries()) {
				jumping.clock.offset += offsets[at];
				assert.equal(jumping.next(value), calm.next(value));
			}
		}),
	);
});

test("a process that begins anew goes on where the one before was: neither fires it anew, nor is time lost", () => {
	fc.assert(
		fc.property(rules, values, fc.nat(60), ({ rule, forMs }, measured, at) => {
			const [one, restarted] = [new Way(rule, forMs), new Way(rule, forMs)];
			for (const [index, value] of measured.entries()) {
				if (index === at) restarted.alert = JSON.parse(JSON.stringify(restarted.alert)) as Alert | null;
				assert.equal(restarted.next(value), one.next(value));
			}
		}),
	);
});

test("after another start of the machine what fires goes on, and what is pending begins anew", () => {
	const way = new Way(ruleOf({ above: 5 }), 30_000);
	for (const transition of ["pending", null]) assert.equal(way.next(10), transition);
	way.clock.boot = "second";
	way.clock.now = 5000;
	for (const transition of [null, null, null, "firing"]) assert.equal(way.next(10), transition);
	way.clock.boot = "third";
	way.clock.now = 5000;
	assert.equal(way.next(10), null);
	assert.equal(way.alert?.state, "firing");
});

test("what is between its end and its beginning is what it was", () => {
	const way = new Way(ruleOf({ above: 5, clear: 3 }));
	assert.deepEqual(
		[4, 6, 4, 5, 3, 4, 5.1].map((value) => way.next(value)),
		[...[null, "firing", null, null, "resolved", null, "firing"]],
	);
});

test("one failure of two is no alert, and too little traffic ends one", () => {
	const way = new Way(ruleOf({ above: 5, minRequests: 20 }));
	assert.equal(way.next(50, 2), null);
	assert.equal(way.next(50, 20), "firing");
	assert.equal(way.next(50, 19), "resolved");
	const keeps = new Way(ruleOf({ above: 5, minRequests: 20, noData: "keep" }));
	assert.equal(keeps.next(50, 20), "firing");
	assert.equal(keeps.next(50, 19), null);
	assert.equal(keeps.alert?.state, "firing");
});

test("where nothing is measured there is what the rule says", () => {
	const ways = (["ok", "fire", "keep"] as const).map((noData) => new Way(ruleOf({ above: 5, noData })));
	assert.deepEqual(
		ways.map((way) => way.next(null)),
		[null, "firing", null],
	);
	for (const way of ways) way.next(10);
	assert.deepEqual(
		ways.map((way) => way.next(null)),
		["resolved", null, null],
	);
});

test("of a window that is not whole yet nothing is taken for over, nor for too little", () => {
	const above = new Way(ruleOf({ above: 5 }));
	assert.equal(above.next(10, 100, false), "firing");
	assert.equal(above.next(0, 100, false), null);
	assert.equal(above.next(0, 100, true), "resolved");
	const below = new Way(ruleOf({ below: 5 }));
	assert.equal(below.next(1, 100, false), null);
	assert.equal(below.next(1, 100, true), "firing");
});

test("what makes no sense as a rule is refused with where", () => {
	const problem = (given: object) =>
		ruleSchema.safeParse(given).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
	assert.deepEqual(problem({ above: 1 }), ["metric: a rule has a metric or a query"]);
	assert.deepEqual(problem({ metric: "errors" }), ["above: a rule has above or below"]);
	assert.deepEqual(problem({ metric: "errors", above: 1, clear: 2 }), ["clear: must not be more than above"]);
	assert.deepEqual(problem({ metric: "errors", below: 1, clear: 0 }), ["clear: must not be less than below"]);
	assert.match(String(problem({ metric: "errors", above: 1, for: "5" })), /^for: must be a number with s, m, h or d/);
	assert.match(String(problem({ metric: "errors", above: 1, for: "2d" })), /^for: must be from 0s to 1d/);
	assert.match(String(problem({ metric: "x", above: 1 })), /^metric: /);
	assert.deepEqual(problem({ metric: "errors", above: 1, labels: { tenant: "x" } }), [
		"labels: tenant is a label that every alert has",
	]);
});

test("an alert says when it is over, and of no one function whose it is", () => {
	const annotations = { summary: "{value} of {function}" };
	const rule = ruleOf({ above: 5, clear: 4, annotations });
	const how = { rule, of: { tenant: "acme", function: "" }, value: 6, forMs: 0, clock: new MadeClock() };
	const { after } = step(null, "breached", how);
	assert.equal(after?.threshold, "> 5, over at 4");
	assert.equal(after?.annotations.summary, "6 of the tenant's functions");
});
