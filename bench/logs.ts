import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogPiece } from "../src/feed/log-frames.ts";
import { Search } from "../src/logs/search/search.ts";
import { Segments } from "../src/logs/store/segments.ts";
import { Writer } from "../src/logs/store/writer.ts";
import type { InvocationRecord, LogLine } from "../src/observe/record.ts";
import { newRecord } from "../src/observe/record.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../src/units.ts";

/** What is asked of either engine, of a store of many functions over some days. */
const FUNCTIONS = 100;
const VERSIONS = 3;
const DAY: Milliseconds = 24 * 3600_000;
const BEGAN = Date.UTC(2026, 9, 29);
const BATCH = 1000;
const ASKED = { tenant: "t7", function: "f7" };
const ROUNDS = 3;
/** The memory is looked at so many times while records are written. */
const LOOKS = 60;
const MB = 2 ** 20;
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

/** What is written, and the day of it that is asked for: the one in the middle. */
interface Store {
	count: Count;
	days: Count;
}

const dayAskedIn = ({ days }: Store): EpochMs => BEGAN + Math.floor(days / 2) * DAY;

interface Generated {
	record: InvocationRecord;
	message: string | null;
}

/** The same records for both: days of functions of ten tenants, of which each has as many as another. */
function* generated({ count, days }: Store): Generator<Generated> {
	let seed = 1;
	const random = () => {
		seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
		return seed / 2 ** 32;
	};
	for (let i = 0; i < count; i++) {
		const f = Math.floor(random() * FUNCTIONS);
		const record = newRecord(
			`${i.toString(16).padStart(8, "0")}-0000-4000-8000-${f.toString().padStart(12, "0")}`,
			"http",
			"http",
		);
		const failed = random() < 0.01;
		record.time = new Date(BEGAN + Math.floor((i / count) * days * DAY)).toISOString();
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

function sizesIn(folder: string): Bytes[] {
	return readdirSync(folder).map((name) => statSync(join(folder, name)).size);
}

const bytesIn = (folder: string): Bytes => sizesIn(folder).reduce((sum, bytes) => sum + bytes, 0);
const largestIn = (folder: string): Bytes => Math.max(...sizesIn(folder));

/** What this process has read of files, as the kernel counts it. */
const bytesRead = (): Bytes => Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

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

async function measureSqlite(folder: string, store: Store): Promise<Figures> {
	const { count } = store;
	const word = (text: string) => console.error(text);
	const opened = () => new Segments(folder, { days: 365, maxBytes: 64 * 2 ** 30 }, word);
	const written = opened();
	const writer = new Writer(written, word);
	const began = process.cpuUsage();
	const pieces = new Map<string, LogPiece>();
	let waiting: Count = 0;
	let number = 0;
	let taken = 0;
	let sent = 0;
	const rss: Bytes[] = [];
	const add = (entry: InvocationRecord | LogLine) => {
		const piece = pieces.get(entry.tenant) ?? new LogPiece(entry.tenant);
		pieces.set(entry.tenant, piece);
		piece.add(entry);
		waiting++;
	};
	const send = async () => {
		const batch = Buffer.concat([...pieces.values()].flatMap((piece) => piece.take()));
		taken = await writer.take({ session: "bench", number: ++number, taken, lost: 0 }, batch);
		pieces.clear();
		waiting = 0;
		// As the socket would, between two batches.
		await new Promise((resolve) => setImmediate(resolve));
	};
	for (const { record, message } of generated(store)) {
		if (sent++ % Math.ceil(count / LOOKS) === 0) rss.push(process.memoryUsage.rss());
		const { time, tenant, function: name, version, requestId } = record;
		if (message !== null) add({ time, level: "log", tenant, function: name, version, requestId, message });
		add(record);
		if (waiting >= BATCH) await send();
	}
	await send();
	writer.close();
	written.close();
	const { user, system } = process.cpuUsage(began);
	const beforeOpening = bytesRead();
	const segments = opened();
	const opening = bytesRead() - beforeOpening;
	const { tenant, function: name } = ASKED;
	const since = dayAskedIn(store);
	const ask = (query: string) => {
		const times = { since, until: since + DAY };
		const search = new Search(segments, { query, tenant, functions: [name], ...times, limit: 100, cursor: null });
		while (!search.step(performance.now() + 1000));
		return search.result();
	};
	const all = bytesIn(folder);
	const beforeAsking = bytesRead();
	const dayOf = ask("| count");
	const read = bytesRead() - beforeAsking;
	const [[records]] = dayOf.rows as number[][];
	const third = Math.ceil(rss.length / 3);
	const figures: Figures = {
		"records written per second of processor": count / ((user + system) / 1e6),
		"bytes on disk per record": all / count,
		"a function's day, the latest 100": await best(() => ask("outcome:exception")),
		"text in a function's day": await best(() => ask('"checkout failed" | count')),
		"p99 and count by version of it": await best(() => ask("| count, p99(cpuMs) by version")),
		"all files": all / MB,
		"the largest file": largestIn(folder) / MB,
		"a function's day, its share of all files": (all * records) / count / MB,
		"read of files for a function's day": read / MB,
		"read of files to open the store": opening / MB,
		"memory, first third": Math.max(...rss.slice(0, third)) / MB,
		"memory, last third": Math.max(...rss.slice(-third)) / MB,
	};
	console.log(
		`${count} records in ${segments.all.length} segments; a function's day: ${JSON.stringify({ rows: dayOf.rows, ...dayOf.read })}`,
	);
	segments.close();
	return figures;
}

/** DuckDB with a table ordered likewise; `null` where its package is not installed. */
async function measureDuckDb(folder: string, store: Store): Promise<Figures | null> {
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
	for (const { record, message } of generated(store)) {
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
	const since = dayAskedIn(store);
	const of = `FROM entries WHERE tenant = '${ASKED.tenant}' AND "function" = '${ASKED.function}'
		AND time >= ${since} AND time < ${since + DAY}`;
	const ask = (sql: string) => connection.runAndReadAll(sql);
	const figures: Figures = {
		"records written per second of processor": store.count / ((user + system) / 1e6),
		"bytes on disk per record": bytesIn(folder) / store.count,
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

/**
 * The log's store beside DuckDB, over so many records of so many days: `logs=1000000`, `logs=10000000,7`. What is read of
 * files is what counts, and is the same on every machine.
 */
export async function benchLogs(argument: string): Promise<Row[]> {
	const [count = 300_000, days = 1] = (argument || "300000").split(",").map(Number);
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-"));
	try {
		for (const name of ["sqlite", "duckdb"]) mkdirSync(join(folder, name));
		const sqlite = await measureSqlite(join(folder, "sqlite"), { count, days });
		const duckdb = await measureDuckDb(join(folder, "duckdb"), { count, days });
		const rows = Object.entries(sqlite).map(([step, value]): Row => {
			const round = (number: number) => Math.round(number * 10) / 10;
			const other = duckdb?.[step];
			return { step, sqlite: round(value), duckdb: other === undefined ? null : round(other), unit: unitOf(step) };
		});
		console.log(`\nThe log, ${count} records of ${FUNCTIONS} functions over ${days} days\n`);
		console.table(rows);
		return rows;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function unitOf(step: string): string {
	if (step.includes(" per ")) return "";
	return /file|memory/.test(step) ? "MB" : "ms";
}
