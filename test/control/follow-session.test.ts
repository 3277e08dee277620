import assert from "node:assert/strict";
import { test } from "node:test";
import { FollowSession } from "../../src/control/observe/follow-session.ts";
import { SharedBudget } from "../../src/control/observe/step-budget.ts";
import type { LogEntry } from "../../src/logs/calls.ts";
import { type LogLine, newRecord } from "../../src/observe/record.ts";

function follow(query: string, functions: string[] | null = null) {
	const entries: LogEntry[] = [];
	let left = 0;
	const reader = {
		send: (entry: LogEntry) => entries.push(entry),
		leftOut(count: number) {
			left += count;
		},
	};
	const session = new FollowSession({ scope: "acme/", functions, query }, reader);
	const line = (requestId: string, message: string, name = "shop"): LogLine => ({
		...{ time: new Date().toISOString(), level: "log", tenant: "acme", function: name, version: "v", requestId },
		message,
	});
	const record = (requestId: string, name = "shop", url = "http://shop.test/") =>
		session.onRecord({ ...newRecord(requestId, "http", "http"), tenant: "acme", function: name, url }, null, null);
	return { session, entries, left: () => left, line, record };
}

test("an invocation comes with its lines, and a line of none by itself", () => {
	const { session, entries, line, record } = follow("item");
	session.onLine(line("1", "an Item"));
	session.onLine(line("2", "nothing"));
	session.onLine(line("", "the item of no request"));
	record("1");
	record("2");
	assert.deepEqual(
		entries.map((entry) => [entry.record?.requestId, entry.lines.map(({ message }) => message)]),
		[
			[undefined, ["the item of no request"]],
			["1", ["an Item"]],
		],
	);
});

test("who may see one function is shown no other's", () => {
	const { session, entries, line, record } = follow("", ["shop"]);
	session.onLine(line("", "mine"));
	session.onLine(line("", "another's", "other"));
	record("1");
	record("2", "other");
	assert.deepEqual(
		entries.map((entry) => entry.record?.function ?? entry.lines[0].message),
		["mine", "shop"],
	);
});

test("what costs too much to look through is left out, and counted", () => {
	const { entries, left, record } = follow(`"${"a".repeat(3000)}b"`);
	for (let i = 0; i < 100; i++) record(String(i), "shop", `http://shop.test/${"a".repeat(8000)}`);
	assert.equal(entries.length, 0);
	assert.equal(left(), 100);
});

test("conditions that are no texts have their price, too", () => {
	const { entries, left, record } = follow(Array(100).fill("cpuMs<0").join(" OR "));
	for (let i = 0; i < 1000; i++) record(String(i));
	assert.equal(entries.length, 0);
	assert.ok(left() > 0 && left() < 1000, String(left()));
});

test("followers of one tenant leave steps to another's, and to the operator's", () => {
	const budget = new SharedBudget(100);
	const taken = (tenant: string) => {
		let steps = 0;
		while (budget.takes(tenant, 1)) steps++;
		return steps;
	};
	assert.deepEqual([taken("one"), taken("one"), taken("two"), taken("three"), taken("")], [33, 0, 22, 15, 33]);
});

test("groups cannot be followed, nor what makes no sense", () => {
	assert.throws(() => follow("| count"), { code: "invalid" });
	assert.throws(() => follow("status:200 nope:1"), { code: "invalid", message: /^query: at position 11: / });
});
