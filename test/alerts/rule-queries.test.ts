import assert from "node:assert/strict";
import { test } from "node:test";
import { type Rule, ruleSchema } from "../../src/control/alerts/rule.ts";
import { RuleQueries } from "../../src/control/alerts/rule-queries.ts";
import type { LogResult } from "../../src/logs/calls.ts";
import { MadeClock } from "./clock.ts";

const ANSWER: LogResult = {
	...{ entries: [], columns: ["count"], rows: [[7]], cursor: null, whole: true, lost: 0 },
	read: { segments: 0, entries: 0, bytes: 0 },
};

function ruleOf(name: string, origin: Rule["origin"]): Rule {
	return { ...ruleSchema.parse({ query: "outcome:exception", above: 2, window: "1m" }), name, origin };
}

test("however many tenants have queries, the operator's is asked when it is time, and nobody's is left out", async () => {
	const clock = new MadeClock();
	const asked = new Map<string, number>();
	const queries = new RuleQueries(async ({ tenant }) => {
		asked.set(tenant ?? "", (asked.get(tenant ?? "") ?? 0) + 1);
		return ANSWER;
	}, clock);
	const rules = new Map([["", [ruleOf("own", "operator")]]]);
	for (let i = 0; i < 40; i++) rules.set(`t${i}`, [ruleOf("a", "tenant"), ruleOf("b", "tenant")]);
	for (let tick = 0; tick < 60; tick++) {
		queries.refresh(rules);
		await new Promise((resolve) => setImmediate(resolve));
		clock.now += 10_000;
	}
	assert.equal(asked.get(""), 60);
	assert.deepEqual([...new Set(asked.values())].sort(), [120, 60]);
});

test("an answer that is older than the window is none, and the rule says so", async () => {
	const clock = new MadeClock();
	const rule = ruleOf("slow", "tenant");
	let answers = 0;
	const queries = new RuleQueries(() => (answers++ === 0 ? Promise.resolve(ANSWER) : new Promise(() => {})), clock);
	const seen: unknown[] = [];
	for (let tick = 0; tick < 9; tick++) {
		queries.refresh(new Map([["acme", [rule]]]));
		await new Promise((resolve) => setImmediate(resolve));
		seen.push(queries.sample("acme", rule).value);
		clock.now += 10_000;
	}
	assert.deepEqual(seen, [7, 7, 7, 7, 7, 7, 7, null, null]);
	assert.match(queries.problemOf("acme", rule) ?? "", /^its query has had no answer for longer than 1m/);
});
