import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import type { LogQuery } from "../../src/logs/calls.ts";
import { FIELDS } from "../../src/logs/query/fields.ts";
import { parseQuery } from "../../src/logs/query/parser.ts";
import { QueryError } from "../../src/logs/query/query-error.ts";
import { Search, type SearchBounds } from "../../src/logs/search/search.ts";
import { Segments } from "../../src/logs/store/segments.ts";
import { Writer } from "../../src/logs/store/writer.ts";
import { batchOf, type Told } from "../support/log-batches.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { line, record } from "./support.ts";

const FUNCTIONS = 20;
const ENTRIES = 4000;
const PART = 500;
const BEGAN = Date.UTC(2026, 10, 29);

const segments = new Segments(temporaryFolder(), { days: 7, maxBytes: 64 * 2 ** 20 }, assert.fail);
after(() => segments.close());

/** Several segments of entries of many functions, a few of which are tenant two's. */
async function fill(): Promise<void> {
	const writer = new Writer(segments, assert.fail);
	const send = (number: number, all: Told[]) =>
		writer.take({ session: "test", number, taken: 0, lost: 0 }, batchOf(all));
	for (let i = 0; i < ENTRIES; i += PART) {
		const said = Array.from({ length: PART }, (_, n) => {
			const whose = {
				function: `f${(i + n) % FUNCTIONS}`,
				requestId: `r${i + n}`,
				tenant: (i + n) % 10 === 0 ? "two" : "one",
			};
			const time = new Date(BEGAN + (i + n) * 1000).toISOString();
			const text = `line ${i + n} ${"x".repeat(500)}`;
			return [
				line(text, { ...whose, time }),
				record({
					...whose,
					time,
					cpuMs: n,
					status: n % 100 === 0 ? 500 : 200,
					cold: n % 7 === 0,
					outcome: n % 100 === 0 ? "exception" : "ok",
				}),
			];
		});
		await send(1 + i / PART, said.flat());
		await until(() => segments.all.reduce((sum, { entries }) => sum + entries, 0) === i + PART);
	}
	writer.close();
}
await fill();

function run(query: string, more: Partial<LogQuery> = {}, bounds?: SearchBounds) {
	const everything = {
		tenant: null,
		functions: null,
		since: 0,
		until: BEGAN + ENTRIES * 1000,
		limit: 1000,
		cursor: null,
	};
	const search = new Search(segments, { query, ...everything, ...more }, bounds);
	while (!search.step(performance.now() + 5));
	return search.result();
}

test("a query reads the share of those whom it is of, and stops where it has what it wants", () => {
	assert.ok(segments.all.length >= 2, String(segments.all.length));
	const all = run("| count");
	assert.deepEqual([all.rows, all.read.entries], [[[ENTRIES]], ENTRIES]);
	const one = run("function:f7 | count");
	assert.deepEqual([one.rows, one.read.entries], [[[ENTRIES / FUNCTIONS]], ENTRIES / FUNCTIONS]);
	assert.ok(one.read.bytes < (all.read.bytes / FUNCTIONS) * 1.1, `${one.read.bytes} of ${all.read.bytes}`);
	assert.deepEqual(run("| count", { tenant: "two" }).read.entries, ENTRIES / 10);
	assert.equal(run("| count", { tenant: "one", functions: ["f7", "f10"] }).read.entries, ENTRIES / FUNCTIONS);
	const hour = run("function:f7 | count", { since: BEGAN + 1_000_000, until: BEGAN + 2_000_000 });
	assert.deepEqual([hour.rows, hour.read.entries], [[[1000 / FUNCTIONS]], 1000 / FUNCTIONS]);
	assert.equal(run("since:2026-11-29T00:50:00 | count").read.entries, 1000);
	const latest = run("function:f7", { limit: 5 });
	assert.equal(latest.entries.length, 5);
	assert.ok(latest.read.entries < ENTRIES / FUNCTIONS && latest.read.segments === 1);
});

test("a query that would read too much is ended, says so, and goes on where it was", () => {
	for (const bounds of [
		{ bytes: 100_000, ownMs: 1e6, ms: 1e6 },
		{ bytes: 1e12, ownMs: 0, ms: 1e6 },
	]) {
		let counted = 0;
		let cursor: string | null = null;
		let parts = 0;
		do {
			const result = run("status:500 | count", { cursor }, bounds);
			assert.equal(result.whole, result.cursor === null);
			counted += result.rows[0][0] as number;
			cursor = result.cursor;
			parts++;
		} while (cursor !== null && parts < 100_000);
		assert.ok(parts > 2, String(parts));
		assert.equal(counted, ENTRIES / 100);
	}
	const found: string[] = [];
	let cursor: string | null = null;
	do {
		const page = run("status:500", { cursor, limit: 7 }, { bytes: 50_000, ownMs: 1e6, ms: 1e6 });
		found.push(...page.entries.map((entry) => entry.record?.requestId ?? ""));
		cursor = page.cursor;
	} while (cursor !== null);
	assert.deepEqual(
		found,
		run("status:500").entries.map((entry) => entry.record?.requestId),
	);
	assert.equal(found.length, ENTRIES / 100);
});

const words = fc.oneof(
	fc.constantFrom(
		...FIELDS.keys(),
		"level",
		"message",
		"exceeded",
		"since",
		"until",
		"time",
		"OR",
		"AND",
		"NOT",
		"count",
		"by",
	),
	fc.constantFrom(
		"p50",
		"histogram",
		"top",
		"cpuMs",
		"500",
		"2h",
		"5m",
		"true",
		"error",
		"ok",
		"one",
		"f7",
		"line",
		"*",
		"1e999",
	),
	fc.constantFrom(
		"(",
		")",
		"|",
		",",
		":",
		"=",
		"!=",
		"<",
		">=",
		"-",
		'"',
		"\\",
		"'",
		";",
		"--",
		"%",
		"_",
		"?",
		" ",
		" ",
		" ",
	),
	fc.string({ unit: "binary", maxLength: 5 }),
);
const texts = fc.array(words, { maxLength: 20 }).map((parts) => parts.join(""));

const conditions: fc.Arbitrary<string> = fc.letrec<{ filter: string; leaf: string }>((tie) => ({
	leaf: fc.oneof(
		fc.constantFrom("status:500", "cold:true", "level:log", "level!=log", "cpuMs>=200", "exceeded:*", "url:https://*"),
		fc.constantFrom(
			"function:f7",
			"tenant:two",
			"version>v",
			"version:v*",
			"outcome!=ok",
			'"line 1"',
			"message:99",
			"since:2026-11-29T00:30",
		),
		fc.constantFrom("hostname<a", "requestId:r1*", "wallMs<0", "attempts=0"),
	),
	filter: fc.oneof(
		{ depthSize: "small", withCrossShrink: true },
		tie("leaf"),
		fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => `(${a} ${b})`),
		fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => `(${a} OR ${b})`),
		tie("filter").map((a) => `-${a}`),
	),
})).filter;

test("the more texts are looked for, the less is gone through without a pause", () => {
	const readAtOnce = (query: string) => {
		const everything = { tenant: null, functions: null, since: 0, until: BEGAN + ENTRIES * 1000 };
		const search = new Search(segments, { query, ...everything, limit: 1000, cursor: null });
		// As little as it does.
		while (search.result().read.bytes === 0) search.step(performance.now() + 0.001);
		return search.result().read.bytes;
	};
	const few = readAtOnce("nothing");
	const many = readAtOnce(Array(100).fill("nothing").join(" OR "));
	const long = readAtOnce(`"${"x".repeat(3900)}"`);
	assert.ok(many < few && long < few, `${many}, ${long} and ${few}`);
});

test("whatever is asked is either answered, or refused as no query", () => {
	fc.assert(
		fc.property(texts, (text) => {
			try {
				parseQuery(text);
			} catch (error) {
				assert.ok(error instanceof QueryError && error.position >= 0 && error.position <= text.length, String(error));
				return;
			}
			run(text, { limit: 2, until: BEGAN + 100_000 });
		}),
		{ numRuns: 1000 },
	);
});

test("an entry is either among a filter's or among its contrary's, and in both orders of its parts", () => {
	const count = (query: string) => run(`${query} | count`, { until: BEGAN + 200_000 }).rows[0][0] as number;
	const all = count("");
	fc.assert(
		fc.property(conditions, conditions, (a, b) => {
			assert.equal(count(a) + count(`-(${a})`), all, a);
			assert.equal(count(`${a} ${b}`) + count(`${a} -${b}`), count(a), `${a}, ${b}`);
			assert.equal(count(`${a} OR ${b}`), count(`-(-${a} -${b})`), `${a}, ${b}`);
		}),
		{ numRuns: 50 },
	);
});
