import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
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
