import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { LogEntry } from "../../src/logs/calls.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { until } from "../support/until.ts";
import { LogsForTest, line, record } from "./support.ts";

const launcher = new Launcher();
after(() => launcher.close());

const ids = (entries: LogEntry[]) => entries.map((entry) => entry.record?.requestId ?? entry.lines[0].message);
const messages = (entries: LogEntry[]) => entries.map(({ lines }) => lines.map(({ message }) => message));
const at = (ms: number) => new Date(1_800_000_000_000 + ms).toISOString();

test("an invocation is found with its lines, whole and as they were, whatever is in them", async () => {
	await using log = new LogsForTest(launcher);
	const texts = [
		"plain",
		'quotes " and \\ and\nlines',
		"\u0000 \u001a \u001e \u001b[31mred\u001b[0m \u007f \u2028",
		"half a pair \ud800 and \udfff, and a whole one 🦀",
		"",
		"\u001a001e",
		"x".repeat(2 ** 20),
	];
	const one = record({ requestId: "id-1", outcome: "exception", cold: true, exceeded: { cpuMs: 2 }, cpuMs: 12.5 });
	Object.assign(one.record, { traceId: "abc" });
	const lines = texts.map((message, i) => line(message, { requestId: "id-1", time: at(i), level: "warn" }));
	one.record.time = at(3);
	await log.append(...lines, one);
	await until(async () => (await log.query("")).entries.length === 1);
	const { entries } = await log.query("");
	assert.deepEqual(entries, [{ time: Date.parse(at(3)), record: one.record, lines: lines.map((each) => each.line) }]);
	for (const text of ["lines", 'QUOTES \\" and', "[31mred", "\ud800 and", "🦀", "\u0000 \u001a", "xxxxxx"])
		assert.equal((await log.query(`"${text}"`)).entries.length, 1, text);
	for (const text of ["001e x", "plain quotes", "warn", "id-2"])
		assert.equal((await log.query(`"${text}"`)).entries.length, 0, text);
});

test("lines without an invocation are found, and join theirs when it ends", async () => {
	await using log = new LogsForTest(launcher);
	await log.append(line("of nobody"), line("early", { requestId: "slow" }));
	await until(async () => (await log.query("")).entries.length === 2);
	const before = await log.query("early");
	assert.deepEqual([before.entries[0].record, messages(before.entries)], [null, [["early"]]]);
	await log.append(line("late", { requestId: "slow" }), record({ requestId: "slow" }));
	await until(async () => (await log.query("outcome:ok")).entries.length === 1);
	const { entries } = await log.query("");
	assert.deepEqual(messages(entries).sort(), [["early", "late"], ["of nobody"]]);
});

test("an id is one tenant's: nobody else's lines become an invocation's", async () => {
	await using log = new LogsForTest(launcher);
	await log.append(line("mine", { requestId: "same" }), line("not mine", { requestId: "same", tenant: "two" }));
	await log.append(record({ requestId: "same" }));
	await until(async () => (await log.query("")).entries.length === 2);
	assert.deepEqual(messages((await log.query("", { tenant: "one" })).entries), [["mine"]]);
});

test("conditions hold of what they say", async () => {
	await using log = new LogsForTest(launcher);
	await log.append(
		record({ requestId: "a", cpuMs: 60, wallMs: 1500, version: "v2", exceeded: { cpuMs: 1 }, time: at(0) }),
		record({ requestId: "b", status: 404, url: "https://shop.example/Lost?%_x", method: "POST", time: at(1) }),
		line("It is GONE", { requestId: "c", level: "error", function: "cart" }),
		record({ requestId: "c", outcome: "exception", status: 500, cold: true, function: "cart", time: at(2) }),
		line("background", { time: at(3) }),
	);
	await until(async () => (await log.query("")).entries.length === 4);
	const found = async (query: string) => ids((await log.query(query)).entries).join(" ");
	for (const [query, expected] of [
		["", "background c b a"],
		["function:cart", "c"],
		["cpuMs>50", "a"],
		["cpuMs>60", ""],
		["wallMs>=1.5s wallMs<2s", "a"],
		["version:v1", "background c b"],
		["version:v* -version:v1", "a"],
		["status>=400", "c b"],
		["outcome:exception OR status:404", "c b"],
		["-outcome:exception", "background b a"],
		["outcome!=exception", "b a"],
		["outcome:*", "c b a"],
		["-outcome:*", "background"],
		["gone", "c"],
		["GoNe level:error", "c"],
		["level:log", "background"],
		["lost", "b"],
		["message:lost", ""],
		["url:https://shop.example/Lost*", "b"],
		["url:https://shop.example/lost*", ""],
		["url:*?%_x", ""],
		['"%"', "b"],
		["_", "b"],
		["exceeded:cpuMs", "a"],
		["exceeded:wallMs", ""],
		["exceeded:*", "a"],
		["cold:true", "c"],
		["-(cold:true OR cpuMs>1)", "background b"],
		["method:POST", "b"],
		[`time>${Date.parse(at(1))}`, "background c"],
		[`since:${at(1)} until:${at(3)}`, "c b"],
		[`-since:${at(2)}`, "b a"],
		['"\' OR 1=1 --"', ""],
	] as const)
		assert.equal(await found(query), expected, query);
});

test("groups are counted and measured, by fields, by time and by size", async () => {
	await using log = new LogsForTest(launcher);
	const all = Array.from({ length: 100 }, (_, i) =>
		record({ cpuMs: i + 1, version: i < 30 ? "v1" : "v2", time: at(i * 1000), cold: i === 0 }),
	);
	await log.append(...all, line("no invocation"));
	await until(
		async () => (await log.query("")).entries.length === 100 && (await log.query("-outcome:*")).entries.length === 1,
	);
	const table = async (query: string, limit = 100) => {
		const { columns, rows, whole, entries, cursor } = await log.query(query, { limit });
		assert.deepEqual([whole, entries, cursor], [true, [], null]);
		return [columns, ...rows];
	};
	assert.deepEqual(await table("outcome:* | count by version"), [
		["version", "count"],
		["v2", 70],
		["v1", 30],
	]);
	assert.deepEqual(await table("outcome:* | count by version | top 1"), [
		["version", "count"],
		["v2", 70],
	]);
	assert.deepEqual(await table("outcome:* | count by version", 1), [
		["version", "count"],
		["v2", 70],
	]);
	assert.deepEqual(await table("outcome:paused | count, max(cpuMs)"), [
		["count", "max(cpuMs)"],
		[0, null],
	]);
	assert.deepEqual(await table("| min(cpuMs), max(cpuMs), avg(cpuMs), sum(cpuMs)"), [
		["min(cpuMs)", "max(cpuMs)", "avg(cpuMs)", "sum(cpuMs)"],
		[1, 100, 50.5, 5050],
	]);
	assert.deepEqual(await table("outcome:* | count by cold"), [
		["cold", "count"],
		["false", 99],
		["true", 1],
	]);
	assert.deepEqual(await table("outcome:* | count, max(cpuMs) by version | top 2 by max(cpuMs)"), [
		["version", "count", "max(cpuMs)"],
		["v2", 70, 100],
		["v1", 30, 30],
	]);
	const began = Date.parse(at(0));
	const steps = await table("outcome:* | count by 1m");
	assert.deepEqual(
		steps.slice(1).map(([, count]) => count),
		[60, 40],
	);
	assert.equal(steps[1][0], began);
	assert.deepEqual(await table("| histogram(cpuMs)"), [
		["cpuMs", "count"],
		...[
			[1, 1],
			[2.5, 1],
			[5, 3],
			[10, 5],
			[25, 15],
			[50, 25],
			[100, 50],
		],
	]);
	const [, [p50, p99]] = (await table("| p50(cpuMs), p99(cpuMs)")) as [unknown, [number, number]];
	assert.ok(Math.abs(p50 - 50) <= 1 && Math.abs(p99 - 99) <= 1.5, `${p50} ${p99}`);
});

test("pages follow one another while entries come in, and no entry is on two or on none", async () => {
	await using log = new LogsForTest(launcher);
	const all = Array.from({ length: 50 }, (_, i) =>
		// Several have the same time, and lie in several groups.
		record({ requestId: `r${i}`, time: at(Math.floor(i / 7)), version: `v${i % 3}` }),
	);
	await log.append(...all);
	await until(async () => (await log.query("")).entries.length === 50);
	const found: string[] = [];
	let cursor: string | null = null;
	for (let page = 0; ; page++) {
		const result = await log.query("outcome:ok", { limit: 7, cursor });
		found.push(...ids(result.entries));
		cursor = result.cursor;
		if (cursor === null) break;
		await log.append(record({ requestId: `new${page}`, time: at(1000 + page), version: `v${page}` }));
		await until(async () => (await log.query(`requestId:new${page}`)).entries.length === 1);
	}
	assert.equal(new Set(found).size, found.length);
	assert.deepEqual(new Set(found), new Set(all.map((one) => one.record.requestId)));
	assert.deepEqual(found, ids((await log.query(`until:${at(999)}`)).entries));
});

test("nobody sees what is another tenant's, or a function's that he may not see", async () => {
	await using log = new LogsForTest(launcher);
	const said = ["one", "two", "three"].flatMap((tenant) =>
		["shop", "cart"].flatMap((name) =>
			Array.from({ length: 3 }, (_, i) => [
				line(`${tenant} ${name} says secret`, { tenant, function: name, requestId: `${tenant}${name}${i}` }),
				record({ tenant, function: name, requestId: `${tenant}${name}${i}` }),
			]).flat(),
		),
	);
	await log.append(...said, line("secret of nobody's", { tenant: "two" }), record({ tenant: "", function: "" }));
	await until(async () => (await log.query("")).entries.length === 20);
	const queries = [
		"",
		"secret",
		"tenant:two",
		"tenant:two OR tenant:one OR secret",
		"-tenant:one",
		"NOT (tenant:one secret)",
		"function:cart",
		"| count by tenant, function",
		"tenant:two OR cpuMs>=0 | count by tenant, function",
		"-function:shop | count by tenant, function",
	];
	for (const query of queries) {
		const own = await log.query(query, { tenant: "one", limit: 2 });
		const theirs = await log.query(query, { tenant: "one", functions: ["cart"] });
		for (const { record, lines } of [...own.entries, ...theirs.entries])
			for (const each of [...(record === null ? [] : [record]), ...lines]) assert.equal(each.tenant, "one", query);
		for (const [tenant] of query.includes("by tenant") ? own.rows : []) assert.equal(tenant, "one", query);
		for (const { record } of theirs.entries) assert.equal(record?.function, "cart", query);
		for (const row of query.includes("by tenant") ? theirs.rows : [])
			assert.deepEqual(row.slice(0, 2), ["one", "cart"]);
		assert.deepEqual((await log.query(query, { tenant: "one", functions: [] })).entries, []);
	}
	// A cursor is of its query and of whom it was for.
	const { cursor } = await log.query("secret", { tenant: "one", limit: 2 });
	assert.notEqual(cursor, null);
	assert.equal((await log.query("secret", { tenant: "one", cursor })).entries.length, 4);
	for (const other of [{ tenant: "two" }, { tenant: null }, { tenant: "one", functions: ["cart"] }])
		await assert.rejects(log.query("secret", { ...other, cursor }), /cursor: it belongs to another query/);
	await assert.rejects(log.query("secrets", { tenant: "one", cursor }), { code: "invalid" });
	for (const none of ["", "x", "e30", Buffer.from("[1,2,3]").toString("base64url"), "🦀"])
		await assert.rejects(log.query("", { cursor: none }), { code: "invalid", message: /cursor: it is none/ });
});

test("a query that makes no sense, or is one too many, is refused with what was wrong", async () => {
	await using log = new LogsForTest(launcher);
	await assert.rejects(log.query("fuction:shop"), {
		code: "invalid",
		message: /at position 0: expected the field function/,
	});
	const many = await Promise.allSettled(Array.from({ length: 20 }, () => log.query("", { tenant: "one" })));
	const refused = many.filter(({ status }) => status === "rejected");
	assert.equal(refused.length, 12);
	await log.query("", { tenant: "one" });
});

test("entries of a clock that was set are found, and losses are told", async () => {
	await using log = new LogsForTest(launcher);
	const day = 24 * 3600_000;
	for (const offset of [0, 400 * day, -400 * day, 0])
		await log.append(record({ requestId: String(offset), time: new Date(Date.now() + offset).toISOString() }));
	await log.append({ lost: 3 }, { lost: 2, tenant: "two" }, record({ requestId: "x", time: "no time" }));
	await log.logs.append(Buffer.from("this is no batch"));
	await until(async () => (await log.query("")).entries.length === 5);
	const now = await log.query("", { since: Date.now() - day, until: Date.now() });
	assert.equal(now.entries.length, 4);
	assert.equal((await log.query("", { until: Date.now() - 399 * day })).entries.length, 1);
	await until(async () => (await log.query("")).lost === 6);
	assert.equal((await log.query("", { tenant: "one" })).lost, 4);
	assert.equal((await log.query("", { until: Date.now() - day })).lost, 0);
});
