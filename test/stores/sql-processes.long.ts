import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TenantDatabase } from "../../src/bindings/sql/tenant-database.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { SqlProcesses } from "../../src/stores/sql-processes.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** How often it is killed; `.ci/run` has it done hundreds of times. */
const KILLS = Number(process.env.ATOLL_TEST_KILLS ?? 8);

const launcher = new Launcher();
after(() => launcher.close());

/** Processes of SQL on a folder, for one test. */
async function using(
	most: number,
	work: (sql: SqlProcesses) => Promise<void>,
	folder = temporaryFolder(),
): Promise<void> {
	const sql = new SqlProcesses({ launcher, folder, storedBytes: 2 ** 28, cpuMs: 2000, most });
	try {
		await work(sql);
	} finally {
		await sql.close();
	}
}

const databaseOf = (sql: SqlProcesses, tenant: string, database = "db") =>
	new TenantDatabase(sql, { tenant, database }, (message) => new Error(message));
const isThere = (pid: number) => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};
const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

test("killed at any moment, over and over, it loses nothing that was acknowledged, and does nothing twice", async () => {
	await using(2, async (sql) => {
		const database = databaseOf(sql, "one");
		await database.run("CREATE TABLE t (n)");
		const acknowledged = new Set<number>();
		let n = 0;
		for (let round = 0; round < KILLS; round++) {
			const writes: Promise<unknown>[] = [];
			for (let i = 0; i < 10; i++) {
				const one = n++;
				const query = {
					operation: "query",
					database: "db",
					bytes: Buffer.from(`{"sql":"INSERT INTO t VALUES (${one})"}`),
				};
				writes.push(
					sql.ask("one", query).then(
						() => acknowledged.add(one),
						(error: Error) => assert.match(error.message, /whether its changes were made is not known/),
					),
				);
			}
			await until(() => (sql.pids().one ?? 0) > 0);
			// Each round ends at another moment.
			await Promise.race(writes.slice(round % writes.length));
			process.kill(sql.pids().one, "SIGKILL");
			await Promise.all(writes);
		}
		const [{ rows }] = await database.run("SELECT n, count(*) FROM t GROUP BY n");
		const counts = new Map(rows as [number, number][]);
		for (const one of acknowledged) assert.equal(counts.get(one), 1, `${one}`);
		for (const count of counts.values()) assert.equal(count, 1);
		// Of ten that were asked for eight at most were being committed when the process was killed.
		assert.ok(acknowledged.size >= n - 8 * KILLS, `${acknowledged.size} of ${n}`);
	});
});

test("a reading query whose process is killed is asked once more, and nobody notices", async () => {
	await using(2, async (sql) => {
		const database = databaseOf(sql, "one");
		const bytes = Buffer.from(
			JSON.stringify({ sql: `${ENDLESS} LIMIT 1`.replace("SELECT x + 1 FROM c", "SELECT x + 1 FROM c LIMIT 3000000") }),
		);
		await database.create();
		const pid = sql.pids().one;
		const slow = sql.ask("one", { operation: "query", database: "db", bytes });
		process.kill(pid, "SIGKILL");
		assert.match(Buffer.from((await slow).bytes).toString(), /"rows":\[\[3000000\]\]/);
		assert.notEqual(sql.pids().one, pid);
	});
});

test("of many queries that are under way one without end is ended, and the others are done once", async () => {
	await using(1, async (sql) => {
		const database = databaseOf(sql, "one");
		await database.run("CREATE TABLE t (n)");
		const ask = (statement: string) => {
			const bytes = Buffer.from(JSON.stringify({ sql: statement }));
			return sql.ask("one", { operation: "query", database: "db", bytes });
		};
		const insert = (n: number) => ask(`INSERT INTO t VALUES (${n})`);
		const asked = [insert(1), insert(2), ask(ENDLESS), insert(3), ask("SELECT 1"), insert(4)];
		const told = await Promise.allSettled(asked);
		assert.deepEqual(
			told.map(({ status }) => status),
			["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
		);
		assert.match(String((told[2] as PromiseRejectedResult).reason), /took more than 2000 ms of CPU time/);
		assert.deepEqual((await database.run("SELECT n FROM t ORDER BY n"))[0].rows, [[1], [2], [3], [4]]);
	});
});

test("calls that are committed at once fail by themselves, whatever one of them undoes", async () => {
	await using(1, async (sql) => {
		const database = databaseOf(sql, "one");
		await database.run("CREATE TABLE t (n UNIQUE, of REFERENCES t (n))");
		await database.run("INSERT INTO t (n) VALUES (0)");
		const of = (statement: string) => database.run(statement);
		const told = await Promise.allSettled([
			of("INSERT INTO t (n) VALUES (1)"),
			of("INSERT OR ROLLBACK INTO t (n) VALUES (0)"),
			of("INSERT INTO t (n) VALUES (2)"),
			of("INSERT INTO t (n, of) VALUES (3, 99)"),
			of("SELECT max(n) FROM t"),
			of("INSERT INTO nowhere VALUES (1)"),
			of("CREATE TABLE made (n)"),
			of("INSERT INTO made VALUES (5)"),
		]);
		assert.deepEqual(
			told.map((one) =>
				one.status === "fulfilled" ? "done" : String(one.reason).replace(/^Error: (\w+ \w+).*/s, "$1"),
			),
			["done", "UNIQUE constraint", "done", "FOREIGN KEY", "done", "no such", "done", "done"],
		);
		assert.deepEqual((await of("SELECT n FROM t ORDER BY n"))[0].rows, [[0], [1], [2]]);
		assert.deepEqual((await of("SELECT n FROM made"))[0].rows, [[5]]);
	});
});

test("a key that is checked with the commit is not mended by another call", async () => {
	await using(1, async (sql) => {
		const database = databaseOf(sql, "one");
		await database.create();
		const told = await Promise.allSettled([
			database.run("CREATE TABLE t (n UNIQUE, of REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)"),
			database.run("INSERT INTO t (n, of) VALUES (3, 99)"),
			database.run("INSERT INTO t (n) VALUES (99)"),
			database.run("INSERT INTO t (n, of) VALUES (4, 5); INSERT INTO t (n) VALUES (5)"),
		]);
		assert.deepEqual(
			told.map(({ status }) => status),
			["fulfilled", "rejected", "fulfilled", "fulfilled"],
		);
		assert.match(String((told[1] as PromiseRejectedResult).reason), /FOREIGN KEY constraint failed/);
		assert.deepEqual((await database.run("SELECT n FROM t ORDER BY n"))[0].rows, [[4], [5], [99]]);
		await database.run("DROP TABLE t");
	});
});

test("more tenants than there are processes have them in turn, and one that computes keeps nobody out", async () => {
	await using(2, async (sql) => {
		const busy = sql.ask("busy", {
			operation: "query",
			database: "db",
			bytes: Buffer.from(JSON.stringify({ sql: ENDLESS })),
		});
		const tenants = Array.from({ length: 6 }, (_, i) => `t${i}`);
		const answers = await Promise.all(tenants.map((tenant) => databaseOf(sql, tenant).run("SELECT 1 AS one")));
		assert.deepEqual(
			answers.map(([{ rows }]) => rows),
			Array.from(tenants, () => [[1]]),
		);
		assert.ok(Object.keys(sql.pids()).length <= 2);
		assert.ok("busy" in sql.pids());
		await assert.rejects(busy, /took more than 2000 ms of CPU time/);
	});
});

test("tenants that all have more to do share the processes", async () => {
	await using(1, async (sql) => {
		const stop = new AbortController();
		const endless = async (tenant: string) => {
			for (let count = 0; ; count++) {
				if (stop.signal.aborted) return count;
				await databaseOf(sql, tenant).run("SELECT 1");
			}
		};
		const counts = ["one", "two"].map(endless);
		const seen = new Set<string>();
		// Each has had the one process, and had it taken away while it had more to ask.
		await until(() => {
			for (const tenant of Object.keys(sql.pids())) seen.add(tenant);
			return seen.size === 2;
		});
		stop.abort();
		for (const count of await Promise.all(counts)) assert.ok(count > 0);
	});
});

test("what is closed leaves no process, and what was written is there for the next", async () => {
	const folder = temporaryFolder();
	let pid = 0;
	await using(
		2,
		async (sql) => {
			await databaseOf(sql, "one").run("CREATE TABLE t (n); INSERT INTO t VALUES (7)");
			pid = sql.pids().one;
		},
		folder,
	);
	assert.equal(isThere(pid), false);
	await using(
		2,
		async (sql) => {
			assert.deepEqual((await databaseOf(sql, "one").run("SELECT n FROM t"))[0].rows, [[7]]);
			// Another tenant's database of the same id is another one.
			await assert.rejects(databaseOf(sql, "two").run("SELECT n FROM t"), /no such table/);
			await databaseOf(sql, "one").drop();
			await assert.rejects(databaseOf(sql, "one").run("SELECT n FROM t"), /no such table/);
		},
		folder,
	);
});

test("whoever closes waits for no query that goes on for minutes", async () => {
	const sql = new SqlProcesses({ launcher, folder: temporaryFolder(), storedBytes: 2 ** 28, cpuMs: 300_000, most: 1 });
	const endless = assert.rejects(databaseOf(sql, "one").run(ENDLESS));
	await until(() => (sql.pids().one ?? 0) > 0);
	await sql.close();
	await endless;
});
