import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { AnalyticsDataset, AnalyticsResult, AnalyticsStep } from "../../src/bindings/analytics/calls.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { TestRuntime, temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ sandboxes: 1 });
const launcher = new Launcher();
after(() => launcher.close());

/** Asks with a process of its own, as control does. */
let asked: DataProcess | null = null;
const dataOf = () => {
	asked ??= new DataProcess(launcher, join(atoll.folder, "data/stores"));
	return asked;
};
after(() => asked?.close());

async function query(sql: string, tenant = "default", data = dataOf()): Promise<AnalyticsResult> {
	const ask = async (operation: string, said: object) =>
		(await data.ask(tenant, { store: "analytics", operation, said: { tenant, ...said } })).said as AnalyticsStep;
	let step = await ask("begin", { sql });
	while (step.result === null) step = await ask("step", { query: step.query });
	return step.result;
}
const rows = async (sql: string, tenant?: string, data?: DataProcess) => (await query(sql, tenant, data)).rows;

async function datasets(tenant = "default"): Promise<AnalyticsDataset[]> {
	const { said } = await dataOf().ask(tenant, { store: "analytics", operation: "datasets", said: { tenant } });
	return said as AnalyticsDataset[];
}
const pointsIn = async (name: string, tenant?: string) =>
	(await datasets(tenant)).find((one) => one.name === name)?.points ?? 0;

const WRITES = `
const STEPS = {
	one({ D }) {
		return D.writeDataPoint({ indexes: ["i"], blobs: ["a", null, new TextEncoder().encode("ü").buffer], doubles: [1.5, "2", NaN] });
	},
	many({ D }, n) { for (let i = 0; i < n; i++) D.writeDataPoint({ blobs: ["m" + i], doubles: [i] }); },
	refused({ D }) {
		const tell = (what) => { try { return String(what()); } catch (error) { return error.name + ": " + error.message; } };
		return [
			tell(() => D.writeDataPoint()), tell(() => D.writeDataPoint(null)), tell(() => D.writeDataPoint("x")),
			tell(() => D.writeDataPoint({ indexes: ["a", "b"] })), tell(() => D.writeDataPoint({ indexes: ["ü".repeat(49)] })),
			tell(() => D.writeDataPoint({ blobs: Array(21).fill("") })), tell(() => D.writeDataPoint({ blobs: ["x".repeat(16385)] })),
			tell(() => D.writeDataPoint({ doubles: Array(21).fill(0) })), tell(() => D.writeDataPoint({ blobs: "x" })),
			tell(() => new D.constructor()), String(D),
		];
	},
	async later({ D }, n, ctx) {
		ctx.waitUntil((async () => { await scheduler.wait(1); D.writeDataPoint({ blobs: ["later"] }); })());
	},
};
export default { async fetch({ url }, env, ctx) {
	const { pathname, searchParams } = new URL(url);
	return Response.json((await STEPS[pathname.slice(1)](env, Number(searchParams.get("n")), ctx)) ?? null);
} };`;
const bound = (dataset: string) => ({ bindings: { D: { type: "analytics", dataset } } });
const run = async (name: string, path: string) => JSON.parse(await atoll.text(name, path)) as unknown;

test("points are written by and by, and read back as they were", async () => {
	await atoll.deploy("writes", WRITES, bound("one"));
	assert.equal(await run("writes", "/one"), null);
	await until(async () => (await pointsIn("one")) === 1);
	const sql = "SELECT dataset, index1, blob1, blob2, blob3, double1, double2, double3, _sample_interval FROM one";
	assert.deepEqual(await rows(sql), [["one", "i", "a", "", "ü", 1.5, 2, 0, 1]]);
	const [[time]] = await rows("SELECT toUnixTimestamp(timestamp) FROM one");
	assert.ok(Math.abs((time as number) - Date.now() / 1000) < 60);
	await run("writes", "/later");
	await until(async () => (await pointsIn("one")) === 2);
	const record = atoll.records.find(({ function: name }) => name === "writes");
	assert.equal(record?.subrequests, 0);
});

test("an invocation writes 250 points, and what makes no sense is refused", async () => {
	await atoll.deploy("many", WRITES, bound("many"));
	await run("many", "/many?n=300");
	await until(async () => (await pointsIn("many")) >= 250);
	assert.deepEqual(await rows("SELECT count(), max(double1) FROM many"), [["250", 249]]);
	const told = (await run("many", "/refused")) as string[];
	assert.deepEqual(told.slice(0, 2), ["undefined", "undefined"]);
	for (const one of told.slice(2, -1)) assert.match(one, /^TypeError: /);
	assert.equal(told.at(-1), "[object AnalyticsEngineDataset]");
});

test("however many points come at once, each is written or counts as left out", async () => {
	await atoll.deploy("floods", WRITES, bound("flood"));
	await Promise.all(Array.from({ length: 40 }, () => run("floods", "/many?n=250")));
	await until(async () => {
		const found = (await datasets()).find(({ name }) => name === "flood");
		return found !== undefined && found.points + found.dropped === 10_000;
	});
});

test("a dataset is its tenant's", async () => {
	await atoll.deploy("theirs", WRITES, { ...bound("one"), tenant: "other", hostnames: ["theirs.test"] });
	await run("theirs", "/many?n=3");
	await until(async () => (await pointsIn("one", "other")) === 3);
	assert.equal(await pointsIn("one"), 2);
	assert.deepEqual(await rows("SELECT count() FROM one", "other"), [["3"]]);
	assert.deepEqual(await rows("SHOW TABLES", "other"), [["one"]]);
	await assert.rejects(query("SELECT 1 FROM many", "other"), /^Error: 400 there is no dataset "many"$/);
});

/** A dataset with points at known times, in a folder of its own. */
const START = Math.floor(Date.now() / 3600_000) * 3600_000 - 24 * 3600_000;
async function filled(work: (data: DataProcess) => Promise<void>): Promise<void> {
	const data = new DataProcess(launcher, temporaryFolder());
	try {
		const lines = Array.from({ length: 1200 }, (_, i) =>
			JSON.stringify([`i${i % 3}`, [`path${i % 4}`, i % 2 === 0 ? "GET" : "POST"], [i, i / 2]]),
		);
		const points = lines.map((_, i) => ({ dataset: "d", time: START + i * 60_000 }));
		const said = { tenant: "default", points, dropped: { d: 7 } };
		const bytes = Buffer.from(lines.join("\n"));
		await data.ask("default", { store: "analytics", operation: "write", said, bytes });
		await work(data);
	} finally {
		await data.close();
	}
}
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

test("queries filter, group, count and order", async () => {
	await filled(async (data) => {
		const table: [string, unknown[][]][] = [
			["SELECT count() FROM d", [["1200"]]],
			["SELECT COUNT(*) AS n FROM d WHERE blob2 = 'GET' AND double1 < 100", [["50"]]],
			["SELECT sum(_sample_interval), sum(double1), avg(double2) FROM d WHERE double1 <= 3", [["4", 6, 0.75]]],
			["SELECT min(double1), max(double1), min(blob1), max(timestamp) FROM d", [[0, 1199, "path0", at(1199 * 60)]]],
			[
				"SELECT blob1 AS path, count() AS n FROM d WHERE double1 < 10 GROUP BY path ORDER BY n DESC, path",
				[
					["path0", "3"],
					["path1", "3"],
					["path2", "2"],
					["path3", "2"],
				],
			],
			["SELECT index1 FROM d GROUP BY index1 HAVING sum(double1) >= 240000 ORDER BY index1 DESC LIMIT 1", [["i2"]]],
			[
				"SELECT toStartOfInterval(timestamp, INTERVAL '6' HOUR) AS t, count() FROM d GROUP BY t ORDER BY t LIMIT 1 OFFSET 1",
				[
					[
						new Date((Math.floor(START / 21_600_000) + 1) * 21_600_000).toISOString().slice(0, 19).replace("T", " "),
						"360",
					],
				],
			],
			["SELECT double1 FROM d ORDER BY double1 DESC LIMIT 2", [[1199], [1198]]],
			["SELECT double1 FROM d LIMIT 2 OFFSET 3", [[3], [4]]],
			[`SELECT count() FROM d WHERE timestamp >= '${at(60)}' AND timestamp < '${at(600)}'`, [["9"]]],
			[`SELECT count() FROM d WHERE timestamp BETWEEN toDateTime('${at(0)}') AND '${at(120)}'`, [["3"]]],
			["SELECT count() FROM d WHERE timestamp > NOW() - INTERVAL '100' DAY", [["1200"]]],
			["SELECT count() FROM d WHERE timestamp > NOW() + INTERVAL '1' DAY", [["0"]]],
			["SELECT count(DISTINCT blob1), sum(DISTINCT double1 % 2) FROM d", [["4", 1]]],
			["SELECT count() FROM d WHERE blob1 IN ('path1', 'path2') AND NOT blob2 LIKE 'G_T'", [["300"]]],
			["SELECT count() FROM d WHERE blob1 NOT IN ('path1') AND blob1 ilike 'PATH%' or double1 = 1", [["901"]]],
			["SELECT quantileExactWeighted(0.5)(double1, _sample_interval) FROM d", [[599]]],
			["SELECT quantileWeighted(0.95, double1, _sample_interval) FROM d", [[1139]]],
			[
				"SELECT argMax(blob2, double1), argMin(blob1, double1), first_value(double1), last_value(double1) FROM d",
				[["POST", "path0", 0, 1199]],
			],
			[
				"SELECT topK(2)(blob1), topKWeighted(1)(blob2, double1) FROM d WHERE blob1 <> 'path3' AND double1 > 0",
				[[["path1", "path2"], ["GET"]]],
			],
			[
				"SELECT if(double1 > 1, 'large', 'small') AS size, count() FROM d WHERE double1 < 4 GROUP BY size ORDER BY size",
				[
					["large", "2"],
					["small", "2"],
				],
			],
			[
				"SELECT 'it''s' AS a, 1 + 2 * 3 AS b, 7 / 2, -(3 - 1), 1.5e1, concat('a', upper('b')), length('ü')",
				[["it's", "7", 3.5, -2, 15, "aB", "2"]],
			],
			[
				"SELECT formatDateTime(toDateTime('2026-03-02 10:11:12'), '%Y/%m/%d %H'), toDayOfWeek(toDateTime(0)), toStartOfWeek(toDateTime('2026-03-04'))",
				[["2026/03/02 10", 4, "2026-03-02 00:00:00"]],
			],
			[
				"SELECT toDateTime('2026-01-31 00:00:00') - INTERVAL '1' MONTH, round(2.345, 2), intDiv(7, 2), substring('abc', 2)",
				[["2025-12-31 00:00:00", 2.35, "3", "bc"]],
			],
			["select double1 /* c */ from d -- all\nwhere double1 = 5;", [[5]]],
			["SELECT count() FROM d WHERE double1 > 2000", [["0"]]],
			["SELECT blob1 FROM d WHERE double1 > 2000 GROUP BY blob1", []],
			["SELECT 1 / 0, log(-1)", [[null, null]]],
		];
		for (const [sql, expected] of table) assert.deepEqual(await rows(sql, "default", data), expected, sql);
		const all = await query("SELECT * FROM d LIMIT 1 FORMAT JSONEachRow", "default", data);
		assert.equal(all.columns.length, 44);
		assert.equal(all.format, "JSONEachRow");
		const { said } = await data.ask("default", {
			store: "analytics",
			operation: "datasets",
			said: { tenant: "default" },
		});
		const [{ points, dropped }] = said as AnalyticsDataset[];
		assert.deepEqual([points, dropped], [1200, 7]);
	});
});

const LIKES = Array.from({ length: 40 }, () => `s LIKE '%${"a".repeat(60)}b'`).join(" OR ");

test("lists within lists are gone through once", async () => {
	await filled(async (data) => {
		const nested = Array.from({ length: 30 }).reduce((inner: string) => `(${inner} IN (2, 3, 0))`, "1");
		assert.deepEqual(await rows(`SELECT ${nested}`, "default", data), [[1]]);
		const found = `SELECT double1 IN (1 IN (1), 5) AS found, count() FROM d GROUP BY found ORDER BY found`;
		const plain = `SELECT double1 = 1 OR double1 = 5 AS found, count() FROM d GROUP BY found ORDER BY found`;
		assert.deepEqual(await rows(found, "default", data), await rows(plain, "default", data));
	});
});

test("what is no query, or asks for too much, is refused", async () => {
	await filled(async (data) => {
		for (const [sql, why] of [
			["", /400 SELECT was expected/],
			["SELECT", /400 a name was expected at the query's end/],
			["DROP TABLE d", /400 SELECT was expected at "DROP"/],
			["SELECT 1; SELECT 2", /400 the query's end was expected/],
			["SELECT a FROM d", /400 there is no column a/],
			["SELECT blob21 FROM d", /400 there is no column blob21/],
			["SELECT blob1 FROM nope", /400 there is no dataset "nope"/],
			["SELECT blob1 FROM (SELECT 1)", /queries within queries/],
			["SELECT blob1, count() FROM d", /neither in GROUP BY/],
			["SELECT sum(blob1) FROM d", /400 sum\(\) does not take these/],
			["SELECT count() FROM d WHERE sum(double1) > 1", /there is no function sum/],
			["SELECT count() FROM d WHERE blob1 > 1", /400 a String cannot be compared/],
			["SELECT blob1 + 1 FROM d", /400 \+ does not take/],
			["SELECT nope(1)", /400 there is no function nope/],
			["SELECT constructor(1)", /400 there is no function constructor/],
			["SELECT hasOwnProperty FROM d", /400 there is no column/],
			["SELECT 'a", /400 the query cannot be read/],
			["SELECT 1 FORMAT XML", /400 one of JSON/],
			["SELECT toDateTime('soon')", /400 "soon" is no time/],
			["SELECT INTERVAL '1' DAY", /400 an interval/],
			["SELECT toStartOfInterval(timestamp, INTERVAL '0' DAY) FROM d", /400 an interval of 0/],
			[`SELECT ${"(".repeat(100)}1${")".repeat(100)}`, /400 .* too deep/],
			[`SELECT ${"1+".repeat(1500)}1`, /400 a query has up to 2000/],
			[`SELECT '${"x".repeat(10_000)}'`, /400 a query has up to 10000/],
			[
				`SELECT double1 AS a0, ${Array.from({ length: 30 }, (_, i) => `a${i}+a${i} AS a${i + 1}`).join()} FROM d`,
				/400 the query has too many expressions/,
			],
			["SELECT blob1 FROM d WHERE blob1 LIKE blob2", /400 like takes/],
			[
				`SELECT concat(index1, '${"a".repeat(4000)}') AS s FROM d WHERE ${LIKES}`,
				/413 the query has too much to look at/,
			],
		] as const)
			await assert.rejects(query(sql, "default", data), why, sql);
	});
});
