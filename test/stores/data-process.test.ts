import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { cacheOf, TenantCache } from "../../src/bindings/caches/tenant-cache.ts";
import { Namespace } from "../../src/bindings/kv/namespace.ts";
import type { Leased } from "../../src/bindings/queue/calls.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { openDatabase } from "../../src/stores/database.ts";
import { canFailCalls, failing, UnfilteredLauncher } from "../support/failing-disk.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { noMoreDisk, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

/** How often it is killed; `.ci/run` has it done hundreds of times. */
const KILLS = Number(process.env.ATOLL_TEST_KILLS ?? 8);
const MOST = 2 ** 30;
const GIVING_UP = { maxRetries: 3, deadLetterQueue: "" };
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/** Changes of which nobody hears. */
const UNTOLD = { rules: [], depth: 0, trace: null };

const launcher = new Launcher();
after(() => launcher.close());

/** A data process on a folder, for one test. */
async function using(
	folder: string,
	work: (data: DataProcess) => Promise<void>,
	by: Launcher = launcher,
): Promise<void> {
	const data = new DataProcess(by, folder);
	try {
		await work(data);
	} finally {
		await data.close();
	}
}

const namespaceOf = (data: DataProcess, tenant = "one") => new Namespace(data, { tenant, namespace: "n" }, MOST);
const entry = (key: string) => ({ key, metadata: null, expiration: null, expirationTtl: null });

async function textOf(namespace: Namespace, key: string): Promise<string | null> {
	const { found, values } = await namespace.get([key]);
	return found[0] === null ? null : Buffer.from(values as Uint8Array).toString();
}

test("killed at any moment, over and over, it loses nothing that was acknowledged", async () => {
	const folder = temporaryFolder();
	let n = 0;
	let sent = 0;
	await using(folder, async (data) => {
		const namespace = namespaceOf(data);
		const queue = { tenant: "one", queue: "q" };
		const message = { messages: [{ type: "text", size: 1, delayMs: 0 }], trace: null, mostBytes: MOST };
		for (let round = 0; round < KILLS; round++) {
			const writes: Promise<unknown>[] = [];
			for (let i = 0; i < 10; i++, n++) {
				writes.push(namespace.put(entry(`k${n}`), Buffer.from(String(n))));
				const said = { ...queue, ...message };
				writes.push(data.ask("one", { store: "queue", operation: "send", said, bytes: Buffer.from("m") }));
				sent++;
			}
			await until(() => data.pid > 0);
			// Each round ends at another moment of the batch.
			await Promise.race(writes.slice(round % writes.length));
			const killed = data.pid;
			process.kill(killed, "SIGKILL");
			await Promise.all(writes);
			await until(() => data.pid !== killed);
		}
		for (let i = 0; i < n; i++) assert.equal(await textOf(namespace, `k${i}`), String(i));
		const { said } = await data.ask("one", { store: "queue", operation: "count", said: queue });
		// One that was not acknowledged in time was sent again.
		assert.ok((said as { messages: number }).messages >= sent);
	});
});

test("a lease that is asked for again gives the same messages, and nobody else gets them meanwhile", async () => {
	await using(temporaryFolder(), async (data) => {
		const queue = { tenant: "one", queue: "q" };
		const messages = Array.from({ length: 5 }, () => ({ type: "text", size: 1, delayMs: 0 }));
		const send = { ...queue, messages, trace: TRACE, mostBytes: MOST };
		await data.ask("one", { store: "queue", operation: "send", said: send, bytes: Buffer.from("abcde") });
		const lease = async (name: string, leaseMs = 60_000) => {
			const said = { ...queue, ...GIVING_UP, lease: name, most: 3, waitMs: 0, leaseMs };
			const result = await data.ask("one", { store: "queue", operation: "lease", said });
			return { ...(result.said as Leased), bodies: Buffer.from(result.bytes).toString() };
		};
		const first = await lease("first");
		assert.deepEqual([first.messages.map(({ attempts }) => attempts), first.bodies], [[1, 1, 1], "abc"]);
		assert.deepEqual(await lease("first"), first);
		assert.equal(first.messages[0].trace, TRACE);
		assert.equal((await lease("second")).bodies, "de");
		assert.deepEqual((await lease("third")).messages, []);
		const settle = (name: string, acknowledged: number[]) => {
			const said = { ...queue, ...GIVING_UP, lease: name, acknowledged, retried: [] };
			return data.ask("one", { store: "queue", operation: "settle", said });
		};
		const ids = first.messages.map(({ id }) => id);
		await settle("second", ids); // They are not its own.
		await data.ask("", { store: "queue", operation: "extend", said: { leases: ["first"], leaseMs: 0 } });
		const again = await lease("fourth");
		assert.deepEqual([again.messages.map(({ attempts }) => attempts), again.bodies], [[2, 2, 2], "abc"]);
		await settle("first", ids); // Nor are these any more.
		await settle("fourth", ids);
		const { said } = await data.ask("one", { store: "queue", operation: "count", said: queue });
		assert.equal((said as { messages: number }).messages, 2);
	});
});

test("on a full disk nothing is acknowledged and all is read, and with room again it goes on", async (t) => {
	const folder = join(temporaryFolder(), "disk");
	if (!smallDisk(folder, "8m")) return t.skip("this user cannot mount a small disk");
	try {
		await using(folder, async (data) => {
			const namespace = namespaceOf(data);
			await namespace.put(entry("kept"), Buffer.from("kept"));
			const filler = join(folder, "filler");
			try {
				writeFileSync(filler, Buffer.alloc(16 * 2 ** 20));
			} catch {
				// It is full.
			}
			const large = Buffer.alloc(200 * 1024);
			await assert.rejects(async () => {
				for (let i = 0; i < 40; i++) await namespace.put(entry(`large${i}`), large);
			}, /^Error: 500 the disk is full$/);
			assert.equal(await textOf(namespace, "kept"), "kept");
			rmSync(filler);
			await namespace.put(entry("later"), Buffer.from("later"));
			assert.equal(await textOf(namespace, "later"), "later");
		});
	} finally {
		noMoreDisk(folder);
	}
});

test("where the disk fails to take what is written nothing is acknowledged, and once it does all is on it", async (t) => {
	if (!canFailCalls) return t.skip("strace, which has calls of the system fail, is not there");
	const folder = temporaryFolder();
	const unfiltered = new UnfilteredLauncher();
	const large = Buffer.alloc(300 * 1024);
	await using(
		folder,
		async (data) => {
			const namespace = namespaceOf(data);
			await namespace.put(entry("kept"), Buffer.from("kept"));
			const heal = await failing(data.pid, ["fsync", "fdatasync"]);
			for (const value of [Buffer.from("lost"), large, Buffer.from("lost")])
				await assert.rejects(namespace.put(entry("kept"), value), /^Error: 500 it could not be stored$/);
			assert.equal(await textOf(namespace, "kept"), "kept");
			await heal();
			await namespace.put(entry("later"), Buffer.from("later"));
			await namespace.put(entry("large"), large);
			assert.equal(data.starts, 1);
			// What had to be written through once more is in the database itself, and no longer in its log.
			copyFileSync(join(folder, "data.db"), join(folder, "copy.db"));
			const copy = new DatabaseSync(join(folder, "copy.db"), { readOnly: true });
			assert.deepEqual(
				copy
					.prepare("SELECT key FROM kv_entries")
					.all()
					.map(({ key }) => key),
				["kept"],
			);
			copy.close();
		},
		unfiltered,
	).finally(() => unfiltered.close());
	await using(folder, async (data) => {
		const namespace = namespaceOf(data);
		for (const key of ["kept", "later"]) assert.equal(await textOf(namespace, key), key);
		const { values } = await namespace.get(["large"]);
		const pieces: Uint8Array[] = [];
		for await (const piece of values as AsyncIterable<Uint8Array>) pieces.push(piece);
		assert.deepEqual(Buffer.concat(pieces), large);
	});
});

test("messages of an atoll that knew of no traces are there still, and in none", async () => {
	const folder = temporaryFolder();
	const database = openDatabase(folder);
	database.exec(
		`ALTER TABLE queue_messages DROP COLUMN trace;
		INSERT INTO tenants VALUES ('one', 103);
		INSERT INTO queues (tenant, name) VALUES ('one', 'q');
		INSERT INTO queue_messages (queue, due, sent, attempts, type, body) VALUES (1, 0, 0, 0, 'text', x'6f6c64');
		PRAGMA user_version = 4`,
	);
	database.close();
	await using(folder, async (data) => {
		const queue = { tenant: "one", queue: "q" };
		const said = { ...queue, ...GIVING_UP, lease: "l", most: 3, waitMs: 0, leaseMs: 1000 };
		const leased = await data.ask("one", { store: "queue", operation: "lease", said });
		const [{ id, trace }] = (leased.said as Leased).messages;
		assert.deepEqual([trace, Buffer.from(leased.bytes).toString()], [null, "old"]);
		const settling = { ...queue, ...GIVING_UP, lease: "l", acknowledged: [id], retried: [] };
		const { said: settled } = await data.ask("one", { store: "queue", operation: "settle", said: settling });
		assert.deepEqual(settled, { unheld: [], dropped: 0 });
	});
});

test("a database of a newer atoll, and one that is damaged, are told and left as they are", async () => {
	for (const spoil of [
		(path: string) => {
			const database = new DatabaseSync(path);
			database.exec("PRAGMA user_version = 999");
			database.close();
		},
		(path: string) =>
			writeFileSync(path, "this is no database, whatever it is called, and it is long enough".repeat(100)),
	]) {
		const folder = temporaryFolder();
		mkdirSync(folder, { recursive: true });
		spoil(join(folder, "data.db"));
		await using(folder, async (data) => {
			await assert.rejects(namespaceOf(data).put(entry("k"), Buffer.from("v")), /^Error: 500 /);
			// It is not started over and over.
			const began = data.starts;
			await Promise.allSettled(Array.from({ length: 20 }, () => textOf(namespaceOf(data), "k")));
			assert.ok(data.starts - began <= 1, String(data.starts - began));
		});
	}
});

test("a call that fails undoes what it has changed, and nothing of those that came with it", async () => {
	await using(temporaryFolder(), async (data) => {
		const namespace = namespaceOf(data);
		const broken = {
			tenant: "one",
			namespace: "n",
			metadata: null,
			expires: null,
			blob: null,
			mostBytes: MOST,
			...UNTOLD,
		};
		const results = await Promise.allSettled([
			namespace.put(entry("a"), Buffer.from("a")),
			data.ask("one", { store: "kv", operation: "put", said: { ...broken, key: null }, bytes: Buffer.from("x") }),
			namespace.put(entry("b"), Buffer.from("b")),
		]);
		assert.deepEqual(
			results.map(({ status }) => status),
			["fulfilled", "rejected", "fulfilled"],
		);
		assert.deepEqual([await textOf(namespace, "a"), await textOf(namespace, "b")], ["a", "b"]);
	});
});

test("what has expired makes room, and is told by no list", async () => {
	await using(temporaryFolder(), async (data) => {
		const put = (key: string, expires: number | null) => {
			const said = {
				tenant: "one",
				namespace: "n",
				key,
				metadata: null,
				expires,
				blob: null,
				mostBytes: 2000,
				...UNTOLD,
			};
			return data.ask("one", { store: "kv", operation: "put", said, bytes: Buffer.alloc(300) });
		};
		for (let i = 0; i < 4; i++) await put(`old${i}`, 1);
		await put("new", null);
		const { keys } = await namespaceOf(data).list({ prefix: "", cursor: "", limit: 10 });
		assert.deepEqual(
			keys.map(({ key }) => key),
			["new"],
		);
	});
});

test("keys are listed by prefix in the order of their bytes, whatever they hold", async () => {
	await using(temporaryFolder(), async (data) => {
		const namespace = namespaceOf(data);
		const given = ["a", "z", "z\u{10ffff}x", "z\u{1f600}", "zä", "ä"];
		for (const key of given) await namespace.put(entry(key), Buffer.from("v"));
		const told: string[] = [];
		for (let cursor: string | null = ""; cursor !== null; ) {
			const list = await namespace.list({ prefix: "z", cursor, limit: 2 });
			told.push(...list.keys.map(({ key }) => key));
			cursor = list.cursor;
		}
		assert.deepEqual(told, ["z", "zä", "z\u{1f600}", "z\u{10ffff}x"]);
	});
});

test("a tenant that asks for a lot at a time leaves the others their turn", async () => {
	await using(temporaryFolder(), async (data) => {
		const greedy = namespaceOf(data, "greedy");
		const modest = namespaceOf(data, "modest");
		await modest.put(entry("k"), Buffer.from("v"));
		let left = 0;
		const flood = Array.from({ length: 200 }, async (_, i) => {
			await greedy.put(entry(`k${i}`), Buffer.alloc(100 * 1024));
			left++;
		});
		for (let i = 0; i < 10; i++) await textOf(modest, "k");
		// Ten reads one after the other wait for a few of the greedy one's calls each, and not for all of them.
		assert.ok(left < 60, String(left));
		await Promise.all(flood);
	});
});

test("what is purged of a cache goes some at a time, while others in other processes wait", async () => {
	await using(temporaryFolder(), async (data) => {
		const cache = cacheOf({ tenant: "one", name: "f" }, null);
		const used = new TenantCache(data, cache, MOST);
		const headers = ["cache-control", "max-age=1000", "cache-tag", "t"];
		for (let i = 0; i < 300; i++) {
			const response = { url: `http://a.test/${i}`, statusText: "", requestHeaders: [], status: 200, headers };
			await used.put(response, Buffer.from("x"), AbortSignal.timeout(60_000));
		}
		const said = { ...cache, urls: ["http://a.test/none", "http://a.test/7"], tags: ["none", "t"], all: false };
		assert.equal((await data.ask("one", { store: "caches", operation: "purge", said })).said, 200);
		assert.equal(await used.purge(said), 100);
	});
});
