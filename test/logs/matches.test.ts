import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry } from "../../src/logs/calls.ts";
import { Matcher } from "../../src/logs/query/matches.ts";
import { parseQuery } from "../../src/logs/query/parser.ts";
import { newRecord } from "../../src/observe/record.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const RECORD = {
	...newRecord("7e45", "http", "http"),
	...{ tenant: "acme", function: "shop", version: "1f", method: "GET", url: "http://shop.test/Cart?id=1" },
	...{ status: 500, outcome: "exception" as const, cpuMs: 12, cold: true, exceeded: { logBytes: 1 } },
};
const LINE = {
	...{ time: "", level: "error" as const, tenant: "acme", function: "shop", version: "1f", requestId: "7e45" },
	message: "TypeError: No such ITEM",
};
const ENTRY: LogEntry = { time: NOW - 60_000, record: RECORD, lines: [LINE] };
const STRAY: LogEntry = { time: NOW, record: null, lines: [{ ...LINE, requestId: "" }] };

const matches = (query: string, entry = ENTRY) => new Matcher(parseQuery(query).filter).matches(entry, NOW);

test("an entry is what a query asks for, or is not", () => {
	const so = [
		...["", "function:shop", "function:s*", "outcome:exception status>=500", "cpuMs>10ms cpuMs<1s", "cold:true"],
		...['"no such item"', "message:typeerror", "cart", "level:error", "exceeded:logBytes", "exceeded:*"],
		...["NOT outcome:ok", "outcome:ok OR (status:500 tenant:acme)", "since:2m", "method!=POST", "requestId:7e45"],
	];
	const not = [
		...["function:sho", "outcome:ok", "cpuMs>1s", "cold:false", "nothing", "message:cart", "level:warn", "-cart"],
		...["exceeded:cpuMs", "since:30s", "tenant:other OR outcome:ok", "wallMs>1"],
	];
	for (const query of so) assert.ok(matches(query), query);
	for (const query of not) assert.ok(!matches(query), query);
});

test("lines of no invocation have what a line has, and nothing of a record", () => {
	for (const query of ["function:shop", "item", "level:error", "tenant:acme"]) assert.ok(matches(query, STRAY), query);
	for (const query of ["outcome:exception", "status<1000", "cold:false", "cart"])
		assert.ok(!matches(query, STRAY), query);
});
