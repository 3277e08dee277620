import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ sandboxes: 1, tenantLimits: { storedBytes: 8 * 2 ** 20, sqlCpuMs: 1000 } });

/** A function whose database runs what it is sent: a body of JavaScript that has `DB`, and gives something. */
const RUNS = `
const AsyncFunction = (async () => {}).constructor;
const STEPS = {
	async basics({ DB }) {
		await DB.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, score REAL, photo BLOB, ok)");
		const insert = DB.prepare("INSERT INTO users (name, score, photo, ok) VALUES (?1, ?2, ?3, ?4)");
		const done = await insert.bind("Ada", 1.5, new Uint8Array([1, 2, 255]), true).run();
		await insert.bind("Bob", null, [7, 8], false).run();
		const all = await DB.prepare("SELECT * FROM users ORDER BY id").all();
		return {
			done: { ...done, meta: { ...done.meta, duration: typeof done.meta.duration, size_after: done.meta.size_after > 0 } },
			all: all.results,
			first: await DB.prepare("SELECT name, score FROM users WHERE id = ?").bind(1).first(),
			column: await DB.prepare("SELECT name FROM users WHERE id = ?").bind(2).first("name"),
			none: await DB.prepare("SELECT name FROM users WHERE id = 9").first(),
			raw: await DB.prepare("SELECT id, name FROM users").raw(),
			named: await DB.prepare("SELECT id AS a, name AS b FROM users").raw({ columnNames: true }),
			returned: (await DB.prepare("UPDATE users SET score = 3 WHERE id = 2 RETURNING id, score").all()).results,
			numbers: await DB.prepare("SELECT 9007199254740993 AS big, 1e999 AS inf, -1e999 AS minus, ? AS nan, typeof(?) AS type").bind(NaN, 1).raw()
				.then(([row]) => row.map(String)),
			proto: Object.keys(await DB.prepare("SELECT 1 AS __proto__, 2 AS a").first()),
		};
	},
	async batch({ DB }) {
		await DB.exec("CREATE TABLE entries (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
		const add = DB.prepare("INSERT INTO entries (text) VALUES (?)");
		const good = await DB.batch([add.bind("a"), add.bind("b"), DB.prepare("SELECT count(*) AS n FROM entries")]);
		const bad = await DB.batch([add.bind("c"), add.bind(null)]).catch((error) => error.message);
		const { n } = await DB.prepare("SELECT count(*) AS n FROM entries").first();
		const exec = await DB.exec("INSERT INTO entries (text) VALUES ('x');\\nINSERT INTO entries (text) VALUES ('y; z');\\n");
		return { results: good.map(({ results }) => results), changes: good.map(({ meta }) => meta.changes), bad, n, count: exec.count };
	},
	async session({ DB }) {
		const session = DB.withSession("first-primary");
		const before = session.getBookmark();
		await session.prepare("SELECT 1").run();
		const after = session.getBookmark();
		const next = DB.withSession(after);
		return [before, typeof after, after === next.getBookmark(), await next.prepare("SELECT 2 AS two").first("two")];
	},
	async errors({ DB }) {
		await DB.exec("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
		await DB.prepare("INSERT INTO things (name) VALUES ('x')").run();
		const tries = [
			() => DB.prepare("SELEC 1").all(), () => DB.prepare("SELECT * FROM missing").all(),
			() => DB.prepare("INSERT INTO things (name) VALUES ('x')").run(), () => DB.prepare("SELECT ?").all(),
			() => DB.prepare("SELECT ?").bind(1, 2).all(), () => DB.prepare("SELECT ?").bind(1n), () => DB.prepare("SELECT ?").bind(undefined),
			() => DB.prepare("SELECT ?").bind(new Date(0)), () => DB.prepare("SELECT ?").bind({}), () => DB.prepare("").all(),
			() => DB.prepare("SELECT 1 AS a").first("b"), () => DB.exec("SELECT 1;\\nSELEC 2"), () => DB.dump(), () => DB.batch([]),
			() => DB.batch(["SELECT 1"]), () => new DB.constructor(), () => DB.prepare("SELECT ?").bind([300]),
		];
		const told = [];
		for (const one of tries)
			try { await one(); told.push("none"); } catch (error) { told.push(error.name + ": " + error.message); }
		return told;
	},
	async many({ DB }) {
		await DB.exec("CREATE TABLE big (id INTEGER PRIMARY KEY, text TEXT)");
		await DB.batch(Array.from({ length: 200 }, (_, i) => DB.prepare("INSERT INTO big (text) VALUES (?)").bind("t".repeat(5000))));
		const { results } = await DB.prepare("SELECT * FROM big").all();
		return [results.length, results[199].text.length];
	},
	shape({ DB }) {
		const statement = DB.prepare("SELECT 1");
		return [String(DB), String(statement), String(DB.withSession()), Object.keys(DB), DB.constructor.name];
	},
	async run({ DB }, { sql, params = [] }) {
		const { results } = await DB.prepare(sql).bind(...params).all();
		return results;
	},
};
export default { async fetch(request, env) {
	const name = new URL(request.url).pathname.slice(1);
	try {
		return Response.json((await STEPS[name](env, request.method === "POST" ? await request.json() : undefined)) ?? null);
	} catch (error) {
		return Response.json({ error: error.message });
	}
} };`;

const bound = (database: string) => ({ bindings: { DB: { type: "sql", database } } });

async function step(name: string, path: string): Promise<unknown> {
	return JSON.parse(await atoll.text(name, path));
}

test("statements are prepared, bound and run, and give what D1 gives", async () => {
	await atoll.deploy("basics", RUNS, bound("basics"));
	assert.deepEqual(await step("basics", "/basics"), {
		done: {
			success: true,
			meta: {
				served_by: "atoll",
				duration: "number",
				changes: 1,
				last_row_id: 1,
				changed_db: true,
				size_after: true,
				rows_read: 0,
				rows_written: 1,
			},
			results: [],
		},
		all: [
			{ id: 1, name: "Ada", score: 1.5, photo: [1, 2, 255], ok: 1 },
			{ id: 2, name: "Bob", score: null, photo: [7, 8], ok: 0 },
		],
		first: { name: "Ada", score: 1.5 },
		column: "Bob",
		none: null,
		raw: [
			[1, "Ada"],
			[2, "Bob"],
		],
		named: [
			["a", "b"],
			[1, "Ada"],
			[2, "Bob"],
		],
		returned: [{ id: 2, score: 3 }],
		numbers: ["9007199254740992", "Infinity", "-Infinity", "null", "real"],
		proto: ["__proto__", "a"],
	});
	assert.deepEqual(await step("basics", "/shape"), [
		"[object D1Database]",
		"[object D1PreparedStatement]",
		"[object D1DatabaseSession]",
		[],
		"D1Database",
	]);
});

test("a batch is made as a whole or not at all", async () => {
	await atoll.deploy("batch", RUNS, bound("batch"));
	assert.deepEqual(await step("batch", "/batch"), {
		results: [[], [], [{ n: 2 }]],
		changes: [1, 1, 0],
		bad: "D1_ERROR: NOT NULL constraint failed: entries.text: SQLITE_CONSTRAINT",
		n: 2,
		count: 2,
	});
	assert.deepEqual(await step("batch", "/session"), [null, "string", true, 2]);
	assert.deepEqual(await step("batch", "/many"), [200, 5000]);
});

test("what makes no sense is refused in the words that D1 has for it", async () => {
	await atoll.deploy("errors", RUNS, bound("errors"));
	const told = (await step("errors", "/errors")) as string[];
	const expected = [
		'Error: D1_ERROR: near "SELEC": syntax error: SQLITE_ERROR',
		"Error: D1_ERROR: no such table: missing: SQLITE_ERROR",
		"Error: D1_ERROR: UNIQUE constraint failed: things.name: SQLITE_CONSTRAINT",
		"Error: D1_ERROR: Wrong number of parameter bindings for SQL query.",
		"Error: D1_ERROR: Wrong number of parameter bindings for SQL query.",
		"Error: D1_TYPE_ERROR: Type 'bigint' not supported for value '1'",
		"Error: D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
		/^Error: D1_TYPE_ERROR: Type 'object' not supported for value 'Thu Jan 01 1970/,
		"Error: D1_TYPE_ERROR: Type 'object' not supported for value '[object Object]'",
		"Error: D1_ERROR: No SQL statements detected.",
		"Error: D1_COLUMN_NOTFOUND: Column not found (b)",
		'Error: D1_EXEC_ERROR: Error in line 2: SELEC 2: near "SELEC": syntax error: SQLITE_ERROR',
		/^Error: D1_DUMP_ERROR: dump\(\) is not there/,
		"Error: D1_ERROR: No SQL statements detected.",
		/^TypeError: D1Database.batch: a statement is not/,
		"TypeError: Illegal constructor",
		"Error: D1_TYPE_ERROR: Type 'object' not supported for value '300'",
	];
	assert.equal(told.length, expected.length);
	for (const [i, one] of expected.entries())
		if (typeof one === "string") assert.equal(told[i], one);
		else assert.match(told[i], one);
});

/** What hostile SQL tries, and what it hears. */
const ATTACKS: Record<string, [sql: string, RegExp]> = {
	"another file is attached": ["ATTACH '/etc/passwd' AS other", /not authorized: SQLITE_AUTH/],
	"another file is detached": ["DETACH main", /not authorized: SQLITE_AUTH/],
	"the database is written elsewhere": ["VACUUM INTO '/tmp/stolen.sqlite'", /authorization denied: SQLITE_AUTH/],
	"the database is vacuumed": ["VACUUM", /authorization denied: SQLITE_AUTH/],
	"an extension is loaded": ["SELECT load_extension('/lib/x.so')", /not authorized to use function: load_extension/],
	"the schema is made writable": ["PRAGMA writable_schema = ON", /not authorized: SQLITE_AUTH/],
	"the journal is turned off": ["PRAGMA journal_mode = OFF", /not authorized: SQLITE_AUTH/],
	"writes are not synced": ["PRAGMA synchronous = OFF", /not authorized: SQLITE_AUTH/],
	"the quota is raised": ["PRAGMA max_page_count = 1000000", /not authorized: SQLITE_AUTH/],
	"the quota is raised by a function": ["SELECT * FROM pragma_max_page_count", /not authorized|no such table/],
	"files go elsewhere": ["PRAGMA temp_store_directory = '/'", /not authorized: SQLITE_AUTH/],
	"the limit of the heap is raised": ["PRAGMA hard_heap_limit = 0", /not authorized: SQLITE_AUTH/],
	"memory is mapped": ["PRAGMA mmap_size = 1000000000", /not authorized: SQLITE_AUTH/],
	"where the file is": ["SELECT file FROM pragma_database_list", /not authorized|no such table/],
	"what pages it has": ["SELECT * FROM dbstat", /dbstat.* (?:prohibited|not authorized)|not authorized|no such table/],
	"a transaction is begun": ["BEGIN", /cannot begin or end a transaction.*SQLITE_AUTH/],
	"a transaction is ended": ["COMMIT", /cannot begin or end a transaction.*SQLITE_AUTH/],
	"a savepoint is made": ["SAVEPOINT a", /cannot begin or end a transaction.*SQLITE_AUTH/],
	"a temporary table is made": ["CREATE TEMP TABLE t (a)", /not authorized: SQLITE_AUTH/],
	"a temporary view is made": ["CREATE TEMP VIEW v AS SELECT 1", /not authorized: SQLITE_AUTH/],
	"the schema is written": ["DELETE FROM sqlite_master", /may not be modified|not authorized/],
	"an old module is used": ["CREATE VIRTUAL TABLE f USING fts3(a)", /not authorized: SQLITE_AUTH/],
	"an R-tree is made": ["CREATE VIRTUAL TABLE r USING rtree(id, a, b)", /not authorized: SQLITE_AUTH/],
	"a shadow table is written": ["INSERT INTO words_data VALUES (1, 2)", /may not be modified/],
	"a text of a gigabyte is made": ["SELECT zeroblob(1000000000)", /too big: SQLITE_TOOBIG/],
	"noise of a gigabyte is made": ["SELECT length(randomblob(1000000000))", /too big: SQLITE_TOOBIG/],
	"a width of a gigabyte is printed": ["SELECT printf('%1000000000d', 1)", /too big: SQLITE_TOOBIG/],
	"texts are doubled without end": [
		"WITH RECURSIVE d(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM d) SELECT length(t) FROM d",
		/too big: SQLITE_TOOBIG/,
	],
	"results are larger than any answer": [
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT hex(zeroblob(50000)) FROM c",
		/the results have more than 8388608 bytes: SQLITE_TOOBIG/,
	],
	"an expression is deep": [`SELECT 1${"+1".repeat(150)}`, /maximum depth 100/],
	"a statement is long": [`SELECT '${"x".repeat(150_000)}'`, /more than 100000 bytes: SQLITE_TOOBIG/],
	"a pattern is long": [`SELECT 'a' LIKE '${"%a".repeat(40)}'`, /pattern too complex: SQLITE_ERROR/],
	"a table is wide": [`CREATE TABLE w (${Array.from({ length: 101 }, (_, i) => `c${i}`).join()})`, /too many columns/],
	"much is bound": [`SELECT ${"?,".repeat(100)}?`, /too many SQL variables/],
};

test("hostile SQL reaches, makes and fills nothing that is not its own", async () => {
	await atoll.deploy("attacks", RUNS, bound("attacks"));
	const run = async (sql: string, params: unknown[] = []) => {
		const body = JSON.stringify({ sql, params });
		return (await atoll.fetch("attacks", "/run", { method: "POST", body })).json() as Promise<unknown>;
	};
	await run("CREATE VIRTUAL TABLE words USING fts5(text)");
	await run("INSERT INTO words VALUES ('some words')");
	const missed: string[] = [];
	for (const [what, [sql, expected]] of Object.entries(ATTACKS)) {
		const { error = "nothing was refused" } = (await run(sql)) as { error?: string };
		if (!expected.test(error)) missed.push(`${what}: ${error}`);
	}
	assert.deepEqual(missed, []);
	assert.deepEqual(await run("SELECT text FROM words WHERE words MATCH 'words'"), [{ text: "some words" }]);
	assert.deepEqual(await run("SELECT value FROM json_each('[1, 2]')"), [{ value: 1 }, { value: 2 }]);
	assert.equal(((await run("PRAGMA table_list")) as object[]).length > 0, true);
	// What a connection is told it forgets with the call, and foreign keys are always checked.
	await run("PRAGMA case_sensitive_like = ON");
	assert.deepEqual(await run("SELECT 'A' LIKE 'a' AS alike"), [{ alike: 1 }]);
	await run("PRAGMA foreign_keys = OFF");
	assert.deepEqual(await run("PRAGMA foreign_keys"), [{ foreign_keys: 1 }]);
});

test("what never ends, or eats memory, is ended, and neither its tenant nor another waits for more than that", async () => {
	await atoll.deploy("runs-away", RUNS, { ...bound("busy"), limits: { subrequestMs: 60_000, wallMs: 60_000 } });
	await atoll.deploy("beside", RUNS, { ...bound("beside"), tenant: "other" });
	const run = async (name: string, sql: string) =>
		(await atoll.fetch(name, "/run", { method: "POST", body: JSON.stringify({ sql }) })).json() as Promise<unknown>;
	await run("runs-away", "CREATE TABLE kept (a)");
	await run("beside", "CREATE TABLE kept (a)");
	const beside = atoll.runtime.sqlPids().other;
	const endless = run(
		"runs-away",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
	);
	// Asked while that runs: it is not begun yet, and is asked of the next process.
	const behind = run("runs-away", "INSERT INTO kept VALUES (1) RETURNING a");
	assert.deepEqual(await run("beside", "SELECT count(*) AS n FROM kept"), [{ n: 0 }]);
	assert.match(JSON.stringify(await endless), /D1 DB was reset: the query took more than 1000 ms of CPU time/);
	assert.deepEqual(await behind, [{ a: 1 }]);
	const eater =
		"WITH RECURSIVE c(x) AS (SELECT zeroblob(1000000) UNION ALL SELECT zeroblob(1000001) FROM c) SELECT count(*) FROM (SELECT x FROM c ORDER BY x DESC)";
	assert.match(
		JSON.stringify(await run("runs-away", eater)),
		/D1 DB was reset: (?:it needed more than 256 MB|the query took)/,
	);
	assert.deepEqual(await run("runs-away", "SELECT a FROM kept"), [{ a: 1 }]);
	assert.equal(atoll.runtime.sqlPids().other, beside, "the neighbour's process");
});

test("a tenant's databases together become no larger than it may store", async () => {
	await atoll.deploy("full", RUNS, { ...bound("full"), tenant: "filler" });
	await atoll.deploy("full-too", RUNS, { ...bound("full-too"), tenant: "filler" });
	const run = async (name: string, sql: string) =>
		(await atoll.fetch(name, "/run", { method: "POST", body: JSON.stringify({ sql }) })).json() as Promise<unknown>;
	await run("full", "CREATE TABLE t (a)");
	let stored = 0;
	while (Array.isArray(await run("full", "INSERT INTO t VALUES (zeroblob(1000000))"))) stored++;
	assert.ok(stored >= 6 && stored <= 8, `${stored} MB`);
	assert.match(JSON.stringify(await run("full", "INSERT INTO t VALUES (zeroblob(1000000))")), /full: SQLITE_FULL/);
	assert.deepEqual(await run("full", "SELECT count(*) AS n FROM t"), [{ n: stored }]);
	assert.match(
		JSON.stringify([
			await run("full-too", "CREATE TABLE t (a)"),
			await run("full-too", "INSERT INTO t VALUES (zeroblob(1900000))"),
		]),
		/full: SQLITE_FULL/,
	);
	await run("full", "DELETE FROM t");
	assert.deepEqual(await run("full", "INSERT INTO t VALUES (zeroblob(1000000)) RETURNING length(a) AS n"), [
		{ n: 1_000_000 },
	]);
});
