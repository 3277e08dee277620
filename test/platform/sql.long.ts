import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Platform, startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();
const DATABASES = "/client/v4/accounts/default/d1/database";

interface Told<Result> {
	success: boolean;
	errors: { code: number; message: string }[];
	result: Result;
}

async function call<Result>(method: string, path: string, body?: object): Promise<Told<Result>> {
	return (await platform.api(method, path, body)).body as Told<Result>;
}

async function made(name: string): Promise<string> {
	const { result } = await call<{ uuid: string }>("POST", DATABASES, { name });
	return `${DATABASES}/${result.uuid}`;
}

const query = async (path: string, sql: string, params: unknown[] = []) =>
	(await call<{ results: object[] }[]>("POST", `${path}/query`, { sql, params })).result.at(-1)?.results;

test("databases are listed, found by name, asked, and refused by the codes that clients know", async () => {
	const path = await made("listed");
	assert.deepEqual(await query(path, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'); SELECT * FROM t"), [
		{ a: 1, b: "x" },
	]);
	assert.deepEqual(await query(path, "SELECT ? AS a, ? AS b", [true, [1, 2]]), [{ a: 1, b: [1, 2] }]);
	const { result } = await call<{ name: string; num_tables: number }>("GET", `${DATABASES}/listed`);
	assert.deepEqual([result.name, result.num_tables], ["listed", 1]);
	const raw = await call<{ results: object }[]>("POST", `${path}/raw`, { sql: "SELECT * FROM t" });
	assert.deepEqual(raw.result[0].results, { columns: ["a", "b"], rows: [[1, "x"]] });
	const batch = { batch: [{ sql: "INSERT INTO t VALUES (?, 'y')", params: [2] }, { sql: "SELEC" }] };
	assert.deepEqual((await call("POST", `${path}/query`, batch)).errors, [
		{ code: 7500, message: 'near "SELEC": syntax error: SQLITE_ERROR' },
	]);
	assert.deepEqual(await query(path, "SELECT count(*) AS n FROM t"), [{ n: 1 }]);
	assert.equal((await call("GET", `${DATABASES}/missing`)).errors[0].code, 7404);
	assert.equal((await call("POST", DATABASES, { name: "listed" })).errors[0].code, 7502);
	assert.equal((await call("POST", DATABASES, { name: "../up" })).success, false);
	const named = await call<object[]>("GET", `${DATABASES}?name=listed`);
	assert.equal(named.result.length, 1);
	await call("DELETE", path);
	assert.deepEqual((await call<object[]>("GET", DATABASES)).result, []);
	assert.deepEqual(await readdir(join(platform.data, "sql/default")), []);
});

test("a file is taken in and given out by whoever has its secret, and by nobody else", async () => {
	const path = await made("files");
	const init = await call<{ upload_url: string; filename: string }>("POST", `${path}/import`, {
		action: "init",
		etag: "",
	});
	const { upload_url: url, filename } = init.result;
	const wrong = await fetch(url.replace(/.$/, "x"), { method: "PUT", body: "SELECT 1" });
	assert.equal(wrong.status, 404);
	const ingest = () => call("POST", `${path}/import`, { action: "ingest", filename, etag: "" });
	assert.equal((await ingest()).success, false);
	const sent = await fetch(url, { method: "PUT", body: "CREATE TABLE t (a); INSERT INTO t VALUES ('é');" });
	assert.match(sent.headers.get("etag") ?? "", /^"[0-9a-f]{32}"$/);
	assert.equal((await fetch(url, { method: "PUT", body: "SELECT 1" })).status, 409);
	assert.equal((await ingest()).success, true);
	assert.equal((await ingest()).success, false);
	assert.deepEqual(await query(path, "SELECT a FROM t"), [{ a: "é" }]);
	const dumped = await call<{ result: { signed_url: string } }>("POST", `${path}/export`, { output_format: "polling" });
	const { signed_url } = dumped.result.result;
	const text = await (await fetch(signed_url)).text();
	assert.equal(text, `PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE t (a);\nINSERT INTO "t" ("a") VALUES('é');\n`);
	assert.equal((await fetch(signed_url)).status, 404);
	assert.deepEqual(
		(await readdir(join(platform.data, "sql/default"))).filter((name) => name.endsWith(".sql")),
		[],
	);
});

test("the command line makes, migrates, asks, exports and removes a database", async () => {
	const { line } = platform;
	const folder = await line.write("commands", {
		"migrations/0001_things.sql": "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT);",
		"migrations/0002_note.sql": "ALTER TABLE things ADD COLUMN note TEXT",
		"migrations/0003_broken.sql": "CREATE TABLE kept (a); SELEC 1;",
		"rows.sql": "INSERT INTO things (name) VALUES ('a');\nINSERT INTO things (name) VALUES ('b; c');",
	});
	const sql = (...args: string[]) => platform.atoll("sql", ...args);
	const output = async (...args: string[]) => {
		const ended = await sql(...args);
		assert.equal(ended.code, 0, ended.output);
		return ended.output;
	};
	await output("create", "shop");
	assert.match(await output("list"), /^shop +[0-9a-f-]{36} /m);
	const migrations = join(folder, "migrations");
	const broken = await sql("migrate", "shop", migrations);
	assert.equal(broken.code, 2);
	assert.match(broken.output, /atoll: 0003_broken\.sql: near "SELEC": syntax error/);
	// What was whole is applied, and of the broken one nothing.
	assert.doesNotMatch(await output("execute", "shop", "SELECT name FROM sqlite_master"), /kept/);
	await line.write("commands", { "migrations/0003_broken.sql": "SELECT 1;" });
	assert.match(await output("migrate", "shop", migrations), /applying 0003_broken\.sql\n1 migration was applied/);
	assert.match(await output("migrate", "shop", migrations), /there is nothing to apply/);
	assert.match(
		await output("execute", "shop", "--file", join(folder, "rows.sql")),
		/2 statements were run, 2 rows written/,
	);
	assert.match(
		await output("execute", "shop", "SELECT name, note FROM things WHERE id = 2"),
		/^name +note\nb; c +null$/m,
	);
	await line.write("commands", {
		"atoll.jsonc": '{ "name": "shop", "bindings": { "DB": { "type": "sql", "database": "shop" } } }',
		"index.js": `export default { fetch: async (request, { DB }) => Response.json(await DB.prepare("SELECT count(*) AS n FROM things").first("n")) };`,
	});
	const deployed = await platform.atoll("deploy", folder);
	assert.equal(deployed.code, 0, deployed.output);
	assert.equal((await platform.get("shop.localhost")).text, "2");
	const file = join(folder, "dump.sql");
	await output("export", "shop", file);
	assert.match(await readFile(file, "utf8"), /VALUES\(2,'b; c',NULL\);/);
	assert.match((await sql("delete", "shop")).output, /the database is bound to shop/);
	assert.equal((await platform.atoll("delete", "shop")).code, 0);
	await output("delete", "shop");
	assert.equal((await sql("execute", "shop", "SELECT 1")).code, 2);
});

test("a backup has each database as it was at one moment, while it changes", async () => {
	const path = await made("backed-up");
	await query(path, "CREATE TABLE t (n)");
	let goesOn = true;
	let written = 0;
	const writing = (async () => {
		// Both of a pair, or neither.
		while (goesOn) await query(path, `INSERT INTO t VALUES (${written}); INSERT INTO t VALUES (-${written++})`);
	})();
	const file = join(platform.line.folder, "sql.tar");
	const { code, output } = await platform.atoll("backup", file);
	goesOn = false;
	await writing;
	assert.equal(code, 0, output);
	const other = new Platform();
	await mkdir(other.data, { recursive: true });
	const run = other.line.run(["restore", file, "--data", other.data]);
	assert.equal(await run.exit, 0, run.output());
	await other.up();
	const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
	const response = await fetch(`http://127.0.0.1:${other.adminPort}${path}/query`, {
		method: "POST",
		headers,
		body: JSON.stringify({ sql: "SELECT count(*) AS n, sum(n) AS sum FROM t" }),
	});
	const { result } = (await response.json()) as Told<{ results: { n: number; sum: number | null }[] }[]>;
	const [{ n, sum }] = result[0].results;
	assert.equal(n % 2, 0);
	assert.equal(sum ?? 0, 0);
	assert.ok(n <= written * 2);
	assert.equal(await other.stop(), 0);
});

test("a backup waits for no query of a tenant, and does without a database that is dropped meanwhile", async () => {
	const path = await made("busy");
	await symlink("nowhere", join(platform.data, "sql/default/dropped.sqlite"));
	let isBusy = true;
	// It is ended with the platform.
	const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0";
	const answered = () => {
		isBusy = false;
	};
	platform.api("POST", `${path}/query`, { sql }).then(answered, answered);
	const file = join(platform.line.folder, "busy.tar");
	const { code, output } = await platform.atoll("backup", file);
	assert.equal(code, 0, output);
	assert.ok(isBusy);
	assert.match((await readFile(file)).toString("latin1"), /sql\/default\/[-0-9a-f]{36}\.sqlite/);
});
