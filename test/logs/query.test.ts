import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery } from "../../src/logs/query/parser.ts";
import type { Filter, Grouping } from "../../src/logs/query/query.ts";
import { QueryError } from "../../src/logs/query/query-error.ts";

/** A filter with all its parentheses, to be compared by eye. */
function written(filter: Filter | null): string {
	if (filter === null) return "all";
	switch (filter.kind) {
		case "and":
		case "or":
			return `(${filter.parts.map(written).join(filter.kind === "and" ? " & " : " | ")})`;
		case "not":
			return `!${written(filter.part)}`;
		case "text":
			return `${filter.where}~${filter.text}`;
		case "compare":
			return `${filter.field.name}${filter.comparison}${filter.value}`;
		case "begins":
			return `${filter.field.name}^${filter.prefix}`;
		case "exceeded":
			return `exceeded:${filter.limit}`;
		case "level":
			return `level:${filter.level}`;
		case "time":
			return `time${filter.comparison}${"ago" in filter.time ? `-${filter.time.ago}` : filter.time.at}`;
	}
}

function told({ keys, measures, top }: Grouping): string {
	const names = (columns: { name: string }[]) => columns.map(({ name }) => name).join("+");
	return `${names(measures)} by ${names(keys)}${top === null ? "" : ` top ${top.count} by ${top.column}`}`;
}

const GOOD: [query: string, filter: string, grouping?: string][] = [
	["", "all"],
	["   \t\n ", "all"],
	[
		'function:shop outcome:exception cpuMs>50 "checkout"',
		"(function=shop & outcome=exception & cpuMs>50 & anywhere~checkout)",
	],
	["a OR b c OR d", "(anywhere~a | (anywhere~b & anywhere~c) | anywhere~d)"],
	["a AND b", "(anywhere~a & anywhere~b)"],
	["(a OR b) -c NOT d", "((anywhere~a | anywhere~b) & !anywhere~c & !anywhere~d)"],
	["-(a b)", "!(anywhere~a & anywhere~b)"],
	["NOT NOT a", "!!anywhere~a"],
	["-outcome:ok", "!outcome=ok"],
	["outcome!=ok", "outcome!=ok"],
	["url:https://shop.example/*", "url^https://shop.example/"],
	["url:https://shop.example/?a=b:c,d", "url=https://shop.example/?a=b:c,d"],
	['url:"https://shop.example/a b"', "url=https://shop.example/a b"],
	['url:"a b"*', "url^a b"],
	["url!=https://*", "!url^https://"],
	["version:*", "version^"],
	['"say \\"hi\\" \\\\ \\n"', 'anywhere~say "hi" \\ \\n'],
	["wallMs>1s", "wallMs>1000"],
	["wallMs>=1.5s", "wallMs>=1500"],
	["cpuMs<500us", "cpuMs<0.5"],
	["startMs=2m", "startMs=120000"],
	["responseBytes>5mb", "responseBytes>5242880"],
	["requestBytes<=1kb", "requestBytes<=1024"],
	["status>=500 status<600", "(status>=500 & status<600)"],
	["cold:true", "cold=1"],
	["cold!=true", "cold!=1"],
	["level:error", "level:error"],
	["level!=debug", "!level:debug"],
	['message:"not found"', "message~not found"],
	["exceeded:cpuMs", "exceeded:cpuMs"],
	["exceeded:*", "exceeded:"],
	["since:2h", "time>=-7200000"],
	["until:30m", "time<-1800000"],
	["time>2026-11-30", `time>${Date.UTC(2026, 10, 30)}`],
	["time>=2026-11-30T10:20", `time>=${Date.UTC(2026, 10, 30, 10, 20)}`],
	["since:2026-11-30T10:20:30.5+01:00", `time>=${Date.UTC(2026, 10, 30, 9, 20, 30, 500)}`],
	["time<1796069544893", "time<1796069544893"],
	["ORDER", "anywhere~ORDER"],
	["NOTHING", "anywhere~NOTHING"],
	["or", "anywhere~or"],
	["日本語 -🦀", "(anywhere~日本語 & !anywhere~🦀)"],
	["| count", "all", "count by "],
	["|count", "all", "count by "],
	["a | count by version", "anywhere~a", "count by version"],
	["a|count by version, function", "anywhere~a", "count by version+function"],
	["| count, p50(cpuMs), p99(wallMs), max( status ) by 5m", "all", "count+p50(cpuMs)+p99(wallMs)+max(status) by time"],
	["| sum(responseBytes) by function, 1h", "all", "sum(responseBytes) by time+function"],
	["| avg(cpuMs) by 1d | top 3", "all", "avg(cpuMs) by time top 3 by avg(cpuMs)"],
	[
		"| count, p99(cpuMs) by function | top 10 by p99(cpuMs)",
		"all",
		"count+p99(cpuMs) by function top 10 by p99(cpuMs)",
	],
	["| histogram(wallMs)", "all", "count by wallMs"],
	["| histogram(wallMs) by version", "all", "count by wallMs+version"],
];

test("queries are read as they are meant", () => {
	for (const [text, filter, grouping] of GOOD) {
		const query = parseQuery(text);
		assert.equal(written(query.filter), filter, text);
		assert.equal(query.grouping === null ? undefined : told(query.grouping), grouping, text);
	}
});

const BAD: [query: string, position: number, expected: RegExp][] = [
	["fuction:shop", 0, /^the field function .*there is no field fuction/],
	["a outcme:ok", 2, /^the field outcome /],
	["zzzzzzzz:1", 0, /^a field: requestId, traceId/],
	["https://shop.example", 0, /there is no field https; text that is searched for stands in quotes/],
	["cpuMs>fast", 6, /^a time, as 50, 50ms/],
	["cpuMs>5kb", 6, /^a time/],
	["responseBytes>5s", 14, /^a size/],
	["status:2xx", 7, /^a number/],
	["status:5*", 7, /^a number, and no \*/],
	["cpuMs>", 6, /^a value/],
	["cpuMs> 50", 6, /^a value/],
	["cold:yes", 5, /^true or false/],
	["cold>true", 4, /^: or !=/],
	["outcome:exceptoin", 8, /^an outcome: ok, client_gone, .*exception/],
	["outcome!=nothing", 9, /^an outcome: /],
	["level:warning", 6, /^the level warn$/],
	["level:zzzzz", 6, /^a level: debug/],
	["level>warn", 5, /^: or !=/],
	["since>2h", 5, /^: behind since/],
	["since:yesterday", 6, /^a time, as 2h/],
	["time>2026-13-45", 5, /^a time, as 2h/],
	["exceeded:cpu*", 9, /^a limit/],
	['"abc', 0, /^a second "/],
	['a url:"abc', 6, /^a second "/],
	['""', 0, /^a text that is not empty/],
	["(a", 2, /^a \) for the \( at position 0/],
	["(a | count", 3, /^a \) for the \( at position 0/],
	["a)", 1, /^no \) without a \(/],
	["()", 1, /^a condition/],
	["OR a", 0, /^a condition/],
	["a OR", 4, /^a condition/],
	["a OR OR b", 5, /^a condition/],
	["NOT", 3, /^a condition/],
	["-", 1, /^a condition/],
	["a AND", 5, /^a condition/],
	["|", 1, /^a number: count, p50/],
	["| cuont", 2, /^count$/],
	["| p98(cpuMs)", 2, /^p9\d$/],
	["| p50", 5, /^a field in parentheses/],
	["| p50(", 6, /^a field/],
	["| p50(url)", 6, /^a field that has numbers/],
	["| p50(cpums)", 6, /^the field cpuMs/],
	["| p50(cpuMs", 11, /^\)/],
	["| count by", 10, /^a field/],
	["| count by verson", 11, /^the field version/],
	["| count by 5m, 1h", 15, /^one step of time/],
	["| histogram(wallMs) by 5m", 23, /^one step of time/],
	["| count by 1ms", 11, /^a step of time from 1s/],
	["| count by 99d", 11, /^a step of time from 1s to 31d/],
	["| count, count", 9, /^count once/],
	["| count by version, version", 20, /^version once/],
	["| count version", 8, /^`by`, `\| top` or the query's end/],
	["| count | top", 13, /^a number from 1 to 1000/],
	["| count | top 0", 14, /^a number from 1 to 1000/],
	["| count | bottom 3", 10, /^top/],
	["| count | top 3 by max(cpuMs)", 19, /^one of the query's numbers: count/],
	["| count | top 3 more", 16, /^the query's end/],
	["(".repeat(31), 31, /^no more than 30 parentheses/],
	["-".repeat(31), 31, /^no more than 30 parentheses/],
	["a ".repeat(101), 200, /^no more than 100 conditions/],
	["a".repeat(4001), 4000, /^the query's end/],
];

test("what makes no sense is told with its place, and what should have stood there", () => {
	for (const [text, position, expected] of BAD)
		assert.throws(
			() => parseQuery(text),
			(error) => {
				assert.ok(error instanceof QueryError, `${text}: ${error}`);
				assert.match(error.expected, expected, text);
				assert.equal(error.position, position, text);
				return true;
			},
			text,
		);
});
