import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Search } from "../src/logs/search/search.ts";
import { Segments } from "../src/logs/store/segments.ts";
import { Writer } from "../src/logs/store/writer.ts";
import type { InvocationRecord } from "../src/observe/record.ts";
import { newRecord } from "../src/observe/record.ts";
import type { Bytes, Count, Milliseconds } from "../src/units.ts";

/** What is asked of either engine, of a store of many functions over a day. */
const FUNCTIONS = 100;
const VERSIONS = 3;
const DAY: Milliseconds = 24 * 3600_000;
const BEGAN = Date.UTC(2026, 10, 29);
const BATCH = 1000;
const ASKED = { tenant: "t7", function: "f7" };
const ROUNDS = 3;
/** Of bench/package.json, which only whoever measures installs. */
const DUCKDB: string = "@duckdb/node-api";

interface Row {
	step: string;
	sqlite: number;
	duckdb: number | null;
	unit: string;
}

/** One engine's figures, by what they are. */
type Figures = Record<string, number>;

interface Generated {
	record: InvocationRecord;
	message: string | null;
}

/** The same records for both: a day of functions of ten tenants, of which each has a tenth as many as the one before. */
function* generated(count: Count): Generator<Generated> {
	let seed = 1;
	const random = () => {
		seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
		return seed / 2 ** 31;
	};
	for (let i = 0; i < count; i++) {
		const f = Math.floor(random() * FUNCTIONS);
		const record = newRecord(
			`${i.toString(16).padStart(8, "0")}-0000-4000-8000-${f.toString().padStart(12, "0")}`,
			"http",
			"http",
		);
		const failed = random() < 0.01;
		record.time = new Date(BEGAN + Math.floor((i / count) * DAY)).toISOString();
		record.tenant = `t${f % 10}`;
		record.function = `f${f}`;
		record.version = `${"0123456789abcdef".repeat(3)}${Math.floor(random() * VERSIONS)}`;
		record.hostname = `f${f}.example.com`;
		record.method = "GET";
		record.url = `https://f${f}.example.com/items/${Math.floor(random() * 1e6)}?page=${i % 7}`;
		record.status = failed ? 500 : 200;
		record.outcome = failed ? "exception" : "ok";
		record.cpuMs = Math.round(random() * 1000) / 100;
		record.wallMs = record.cpuMs + Math.round(random() * 10_000) / 100;
		record.responseBytes = Math.floor(random() * 10_000);
		record.attempts = 1;
		const logs = random() < 0.3;
		yield {
			record,
			message: logs ? `${failed ? "checkout failed" : "item found"} in ${record.wallMs} ms for user ${i % 1000}` : null,
		};
	}
}

function bytesIn(folder: string): Bytes {
	return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** The best of some rounds, in milliseconds. */
async function best(work: () => unknown): Promise<Milliseconds> {
	let least = Number.POSITIVE_INFINITY;
	for (let round = 0; round < ROUNDS; round++) {
		const began = performance.now();
		await work();
		least = Math.min(least, performance.now() - began);
	}
	return least;
}

async function measureSqlite(folder: string, count: Count): Promise<Figures> {
	const word = (text: string) => console.error(text);
	const opened = () => new Segments(folder, { days: 365, maxBytes: 64 * 2 ** 30 }, word);
	const written = opened();
	const writer = new Writer(written, word);
	const began = process.cpuUsage();
	let batch: string[] = [];
	let number = 0;
	let taken = 0;
	const send = async () => {
		taken = await writer.take({ session: "bench", number: ++number, taken, lost: 0 }, Buffer.from(batch.join("")));
		batch = [];
		// As the socket would, between two batches.
		await new Promise((resolve) => setImmediate(resolve));
	};
	for (const { record, message } of generated(count)) {
		const { time, tenant, function: name, version, requestId } = record;
		if (message !== null)
			batch.push(
				`${JSON.stringify({ line: { time, level: "log", tenant, function: name, version, requestId, message } })}\n`,
			);
		batch.push(`${JSON.stringify({ record })}\n`);
		if (batch.length >= BATCH) await send();
	}
	await send();
	writer.close();
	written.close();
	const { user, system } = process.cpuUsage(began);
	const segments = opened();
	const { tenant, function: name } = ASKED;
	const ask = (query: string) => {
		const times = { since: BEGAN, until: BEGAN + DAY };
		const search = new Search(segments, { query, tenant, functions: [name], ...times, limit: 100, cursor: null });
		while (!search.step(performance.now() + 1000));
		return search.result();
	};
	const dayOf = ask("| count");
	const figures: Figures = {
		"records written per second of processor": count / ((user + system) / 1e6),
		"bytes on disk per record": bytesIn(folder) / count,
		"a function's day, the latest 100": await best(() => ask("outcome:exception")),
		"text in a function's day": await best(() => ask('"checkout failed" | count')),
		"p99 and count by version of it": await best(() => ask("| count, p99(cpuMs) by version")),
		"of all bytes, read for the latter":
			(100 * dayOf.read.bytes) / [...segments.bytesByTenant().values()].reduce((sum, bytes) => sum + bytes, 0),
	};
	console.log(
		`${count} records in ${segments.all.length} segments; a function's day: ${JSON.stringify({ rows: dayOf.rows, ...dayOf.read })}`,
	);
	segments.close();
	return figures;
}

/** DuckDB with a table ordered likewise; `null` where its package is not installed. */
async function measureDuckDb(folder: string, count: Count): Promise<Figures | null> {
	const duckdb = await import(DUCKDB).catch(() => null);
	if (duckdb === null) return null;
	const instance = await duckdb.DuckDBInstance.create(join(folder, "log.duckdb"), { threads: "1" });
	const connection = await instance.connect();
	await connection.run(`CREATE TABLE entries (tenant VARCHAR, "function" VARCHAR, version VARCHAR, time BIGINT, requestId VARCHAR,
		outcome VARCHAR, status INTEGER, cpuMs DOUBLE, wallMs DOUBLE, responseBytes BIGINT, method VARCHAR, hostname VARCHAR, url VARCHAR,
		text VARCHAR)`);
	const began = process.cpuUsage();
	let appender = await connection.createAppender("entries");
	let n = 0;
	for (const { record, message } of generated(count)) {
		for (const text of [record.tenant, record.function, record.version]) appender.appendVarchar(text);
		appender.appendBigInt(BigInt(Date.parse(record.time)));
		appender.appendVarchar(record.requestId);
		appender.appendVarchar(record.outcome);
		appender.appendInteger(record.status);
		appender.appendDouble(record.cpuMs);
		appender.appendDouble(record.wallMs);
		appender.appendBigInt(BigInt(record.responseBytes));
		for (const text of [record.method, record.hostname, record.url]) appender.appendVarchar(text);
		if (message === null) appender.appendNull();
		else appender.appendVarchar(message);
		appender.endRow();
		if (++n % BATCH !== 0) continue;
		// What was taken is kept, as the other one does it.
		appender.closeSync();
		appender = await connection.createAppender("entries");
	}
	appender.closeSync();
	await connection.run("CHECKPOINT");
	const { user, system } = process.cpuUsage(began);
	const of = `FROM entries WHERE tenant = '${ASKED.tenant}' AND "function" = '${ASKED.function}'`;
	const ask = (sql: string) => connection.runAndReadAll(sql);
	const figures: Figures = {
		"records written per second of processor": count / ((user + system) / 1e6),
		"bytes on disk per record": bytesIn(folder) / count,
		"a function's day, the latest 100": await best(() =>
			ask(`SELECT * ${of} AND outcome = 'exception' ORDER BY time DESC LIMIT 100`),
		),
		"text in a function's day": await best(() =>
			ask(`SELECT count(*) ${of} AND contains(lower(text), 'checkout failed')`),
		),
		"p99 and count by version of it": await best(() =>
			ask(`SELECT version, count(*), quantile_cont(cpuMs, 0.99) ${of} GROUP BY version`),
		),
	};
	connection.closeSync();
	instance.closeSync();
	return figures;
}

/** The log's store beside DuckDB, over so many records: `logs=1000000`. */
export async function benchLogs(argument: string): Promise<Row[]> {
	const count = Number(argument || "300000");
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-"));
	try {
		for (const name of ["sqlite", "duckdb"]) mkdirSync(join(folder, name));
		const sqlite = await measureSqlite(join(folder, "sqlite"), count);
		const duckdb = await measureDuckDb(join(folder, "duckdb"), count);
		const rows = Object.entries(sqlite).map(([step, value]): Row => {
			const unit = step.includes("per") ? "" : step.startsWith("of all") ? "%" : "ms";
			const round = (number: number) => Math.round(number * 10) / 10;
			return { step, sqlite: round(value), duckdb: duckdb?.[step] === undefined ? null : round(duckdb[step]), unit };
		});
		console.log(`\nThe log, ${count} records of ${FUNCTIONS} functions over a day\n`);
		console.table(rows);
		return rows;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
