import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TenantDocument } from "../../src/control/store/documents.ts";
import { MIGRATIONS } from "../../src/control/store/migrations.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { type Change, Conflict } from "../../src/control/store/store.ts";
import { temporaryFolder } from "../support/runtime.ts";

const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder, `${++files}.sqlite`);
const deed = { actor: "test", action: "test", target: "test" };
const tenant = (key: string, expected = 0, value: TenantDocument | null = { created: key }): Change => ({
	kind: "tenant",
	key,
	value,
	expected,
});

test("a commit changes all of its documents or none, and its number is theirs", async () => {
	const store = SqliteStore.open(newPath());
	assert.equal(await store.commit(deed, [tenant("a"), tenant("b")]), 1);
	await assert.rejects(store.commit(deed, [tenant("c"), tenant("b", 7)]), Conflict);
	assert.equal(await store.get("tenant", "c"), null);
	assert.equal(await store.commit(deed, [tenant("b", 1, null)]), 2);
	assert.equal(await store.get("tenant", "b"), null);
	// One that was removed can come back, for whoever expects none.
	assert.equal(await store.commit(deed, [tenant("b")]), 3);
	assert.deepEqual(
		(await store.list("tenant")).map(({ key, revision }) => [key, revision]),
		[
			["a", 1],
			["b", 3],
		],
	);
	await store.close();
});

test("who follows hears of each document that has changed since, and of those that are gone", async () => {
	const store = SqliteStore.open(newPath());
	await store.commit(deed, [tenant("a"), tenant("b")]);
	await store.commit(deed, [tenant("a", 1, null)]);
	assert.deepEqual(await store.changes(1), [{ kind: "tenant", key: "a", value: null }]);
	assert.deepEqual(await store.changes(2), []);
	// One that has heard of more than there is follows another store.
	assert.equal(await store.changes(3), null);
	await store.close();
});

test("keys are listed by prefix, from a key on, and no further than is asked for", async () => {
	const store = SqliteStore.open(newPath());
	await store.commit(
		deed,
		["a/1", "a/2", "a/3", "b/1", "a"].map((key) => tenant(key)),
	);
	const keys = async (range: object) => (await store.list("tenant", range)).map(({ key }) => key);
	assert.deepEqual(await keys({ prefix: "a/" }), ["a/1", "a/2", "a/3"]);
	assert.deepEqual(await keys({ prefix: "a/", after: "a/1", limit: 1 }), ["a/2"]);
	for (const range of [{}, { prefix: "a/" }, { prefix: "a/", after: "a/1", limit: 1 }])
		assert.deepEqual(await store.keys("tenant", range), await keys(range));
	await store.close();
});

test("a database that another process has, one of a newer atoll, and a damaged one are each refused clearly", async () => {
	const path = newPath();
	const store = SqliteStore.open(path);
	assert.throws(() => SqliteStore.open(path), /another atoll is at work on this data folder/);
	await store.close();
	const database = new DatabaseSync(path);
	database.exec("PRAGMA user_version = 1000");
	database.close();
	assert.throws(() => SqliteStore.open(path), /was written by a newer atoll/);
	const { writeFileSync } = await import("node:fs");
	const damaged = newPath();
	writeFileSync(damaged, "this is no database, however one looks at it".repeat(100));
	assert.throws(() => SqliteStore.open(damaged), /is damaged; restore a backup/);
});

test("functions of a database that was written before get what they lack, and keep what they have", async () => {
	const path = newPath();
	const database = new DatabaseSync(path);
	database.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1`);
	const put = database.prepare("INSERT INTO documents (kind, key, revision, value) VALUES (?, ?, 1, ?)");
	put.run("function", "default/shop", JSON.stringify({ name: "shop", paused: true }));
	put.run("function", "default/gone", null);
	put.run("tenant", "default", JSON.stringify({ created: "then" }));
	database.close();
	const store = SqliteStore.open(path);
	const functions = await store.list("function");
	assert.equal(functions.length, 1);
	assert.partialDeepStrictEqual(functions[0].value, {
		name: "shop",
		paused: true,
		provisioned: 0,
		maxInstances: null,
		keep: {},
	});
	assert.deepEqual((await store.get("tenant", "default"))?.value, { created: "then" });
	await store.close();
});

/** How often it is killed; `.ci/run` has it done hundreds of times. */
const KILLS = Number(process.env.ATOLL_TEST_KILLS ?? 12);

/** Commits as fast as it can, and tells of each that was acknowledged. */
const COMMITTER = `
import { SqliteStore } from ${JSON.stringify(new URL("../../src/control/store/sqlite-store.ts", import.meta.url).href)};
const store = SqliteStore.open(process.argv[1]);
const [count] = await store.list("tenant", { prefix: "count" });
let n = count === undefined ? 0 : Number(count.value.created);
let revision = count?.revision ?? 0;
for (;;) {
	n++;
	const value = { created: String(n) };
	revision = await store.commit({ actor: "", action: "", target: "" }, [
		{ kind: "tenant", key: "count", value, expected: revision },
		{ kind: "tenant", key: "own/" + n, value, expected: 0 },
	]);
	process.stdout.write(n + "\\n");
	await new Promise(setImmediate);
}`;

test("killed at any moment, over and over, it loses nothing acknowledged and leaves nothing half done", async () => {
	const path = newPath();
	let acknowledged = 0;
	for (let round = 0; round < KILLS; round++) {
		const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", COMMITTER, path], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		let text = "";
		child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
			text += chunk;
			// Each round ends after another number of commits, amid one as a rule.
			if (text.split("\n").length > 4 + ((round * 7) % 60)) child.kill("SIGKILL");
		});
		await once(child, "close");
		acknowledged = Math.max(acknowledged, ...text.split("\n").slice(0, -1).map(Number));
		const store = SqliteStore.open(path);
		const count = await store.get("tenant", "count");
		const own = await store.list("tenant", { prefix: "own/" });
		assert.ok(
			Number(count?.value.created) >= acknowledged,
			`round ${round}: ${count?.value.created} of ${acknowledged}`,
		);
		// What belongs together is there together.
		assert.equal(own.length, Number(count?.value.created));
		assert.equal(store.sequence, own.length);
		await store.close();
	}
	assert.ok(acknowledged >= 4 * KILLS, String(acknowledged));
});
