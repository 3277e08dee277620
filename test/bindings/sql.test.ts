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
