import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Bucket, type Gotten } from "../../src/bindings/objects/bucket.ts";
import { NOTHING_TOLD } from "../../src/bindings/telling.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import type { StorageRule } from "../../src/stores/storage-rule.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { noMoreDisk, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

/** How often it is killed; `.ci/run` has it done hundreds of times. */
const KILLS = Number(process.env.ATOLL_TEST_KILLS ?? 8);
const MB = 2 ** 20;
const MOST = 2 ** 30;
const METADATA = { http: [], custom: [], storageClass: "Standard" };
const PLAIN = { metadata: METADATA, onlyIf: null, expected: null };

const launcher = new Launcher();
after(() => launcher.close());

/** A data process on a folder, for one test. */
async function using(folder: string, work: (data: DataProcess) => Promise<void>): Promise<void> {
	const data = new DataProcess(launcher, folder);
	try {
		await work(data);
	} finally {
		await data.close();
	}
}

const bucketOf = (data: DataProcess, { tenant = "one", most = MOST, telling = NOTHING_TOLD } = {}) =>
	new Bucket(data, { tenant, bucket: "bucket" }, most, telling);

async function bytesOf(bucket: Bucket, key: string): Promise<Buffer | null> {
	const found = await bucket.get(key, { onlyIf: null, range: null });
	if (found === null) return null;
	const { content } = found;
	if (content instanceof Uint8Array) return Buffer.from(content);
	const pieces: Uint8Array[] = [];
	for await (const piece of content ?? []) pieces.push(piece);
	return Buffer.concat(pieces);
}

const blobsIn = (folder: string) => readdirSync(join(folder, "blobs")).length;

/** What is in the database, once nobody has it open. */
function rows<Row>(folder: string, sql: string): Row[] {
	const database = new DatabaseSync(join(folder, "data.db"));
	try {
		return database.prepare(sql).all() as Row[];
	} finally {
		database.close();
	}
}

test("killed at any moment, what was acknowledged is there, with its event, and no file is left over", async () => {
	const folder = temporaryFolder();
	const rule: StorageRule = {
		prefix: "",
		suffix: "",
		actions: ["PutObject", "CompleteMultipartUpload"],
		queue: "told",
	};
	const acknowledged = new Map<string, string>();
	await using(folder, async (data) => {
		const bucket = bucketOf(data, { telling: { ...NOTHING_TOLD, rules: [rule] } });
		const put = async (key: string, bytes: Buffer) => {
			const head = await bucket.put(key, PLAIN, bytes);
			acknowledged.set(key, head?.etag as string);
		};
		const byParts = async (key: string) => {
			const upload = await bucket.beginUpload(key, METADATA);
			const parts = [];
			for (const [i, size] of [5 * MB, 300_000].entries()) {
				const bytes = Buffer.alloc(size, i + 1);
				parts.push({ number: i + 1, etag: await bucket.putPart(key, { upload, number: i + 1 }, bytes) });
			}
			acknowledged.set(key, (await bucket.complete(key, upload, parts)).etag);
		};
		for (let round = 0; round < KILLS; round++) {
			const writes = [
				...Array.from({ length: 4 }, (_, i) => put(`small${round}-${i}`, randomBytes(100))),
				...Array.from({ length: 3 }, (_, i) => put(`large${round}-${i}`, randomBytes(400_000))),
				byParts(`parts${round}`),
				// Each replaces what was there: either is whole.
				...Array.from({ length: 2 }, () => put("same", randomBytes(300_000)).catch(() => undefined)),
			];
			const settled = Promise.allSettled(writes);
			await until(() => data.pid > 0);
			const killed = data.pid;
			// Each round ends at another moment.
			await Promise.race([settled, writes[round % writes.length].catch(() => undefined)]);
			process.kill(killed, "SIGKILL");
			await settled;
			await bucket.head("nothing");
			assert.notEqual(data.pid, killed);
		}
		for (const [key, etag] of acknowledged) {
			const bytes = (await bytesOf(bucket, key)) as Buffer;
			const md5 = createHash("md5").update(bytes).digest("hex");
			if (key.startsWith("parts")) assert.equal((await bucket.head(key))?.etag, etag);
			else if (key !== "same") assert.equal(md5, etag, key);
			else assert.equal((await bucket.head(key))?.etag, md5);
		}
	});
	// There is an event of each of them, and of no object that there was not.
	const told = rows<{ body: Uint8Array }>(folder, "SELECT body FROM queue_messages").map(
		({ body }) => (JSON.parse(Buffer.from(body).toString()) as { object: { key: string; eTag: string } }).object,
	);
	for (const [key, etag] of acknowledged)
		if (key !== "same")
			assert.ok(
				told.some((object) => object.key === key && object.eTag === etag),
				key,
			);
	// What nobody keeps is removed an hour later, when a process starts.
	const longAgo = new Date(Date.now() - 2 * 3600_000);
	for (const part of ["blobs", "incoming"])
		for (const name of readdirSync(join(folder, part))) utimesSync(join(folder, part, name), longAgo, longAgo);
	await using(folder, async (data) => {
		await bucketOf(data).delete(["nothing"]);
	});
	const named = rows<{ blob: string }>(folder, "SELECT blob FROM object_parts WHERE blob IS NOT NULL");
	assert.deepEqual(readdirSync(join(folder, "incoming")), []);
	assert.deepEqual(readdirSync(join(folder, "blobs")).sort(), named.map(({ blob }) => blob).sort());
});

test("what is removed gives back its room and its files, and so does an upload that nobody completes", async () => {
	const folder = temporaryFolder();
	await using(folder, async (data) => {
		const bucket = bucketOf(data);
		for (let i = 0; i < 3; i++) await bucket.put("k", PLAIN, Buffer.alloc(MB, i));
		await bucket.delete(["k"]);
		const upload = await bucket.beginUpload("u", METADATA);
		for (let number = 1; number <= 250; number++) await bucket.putPart("u", { upload, number }, Buffer.alloc(10));
		await bucket.putPart("u", { upload, number: 9000 }, Buffer.alloc(MB));
		await bucket.putPart("u", { upload, number: 9000 }, Buffer.alloc(MB));
		assert.equal(await bucket.drop(), true);
		await until(() => blobsIn(folder) === 0);
		await bucket.beginUpload("abandoned", METADATA);
		const kept = await bucket.beginUpload("kept", METADATA);
		await bucket.putPart("kept", { upload: kept, number: 1 }, Buffer.alloc(MB));
	});
	const used = () => rows<{ bytes: number }>(folder, "SELECT bytes FROM tenants")[0].bytes;
	assert.ok(used() > MB && used() < MB + 3000, String(used()));
	const database = new DatabaseSync(join(folder, "data.db"));
	const days = (n: number) => Date.now() - n * 24 * 3600_000;
	database.prepare("UPDATE object_bodies SET begun = ? WHERE key = 'abandoned'").run(days(8));
	database.prepare("UPDATE object_bodies SET begun = ? WHERE key = 'kept'").run(days(6));
	database.close();
	await using(folder, async (data) => {
		// Whoever writes has it swept.
		const other = bucketOf(data, { tenant: "other" });
		for (let i = 0; i < 3; i++) await other.put("k", PLAIN, Buffer.from("x"));
	});
	assert.deepEqual(
		rows<{ key: string }>(folder, "SELECT key FROM object_bodies").map(({ key }) => key),
		["kept"],
	);
	assert.equal(blobsIn(folder), 1);
});

test("what is no part of an object in the end is removed a few megabytes at a time", async () => {
	await using(temporaryFolder(), async (data) => {
		const bucket = bucketOf(data);
		const upload = await bucket.beginUpload("k", METADATA);
		const etags: string[] = [];
		for (let number = 1; number <= 40; number++)
			etags.push(await bucket.putPart("k", { upload, number }, Buffer.alloc(MB / 4, number)));
		const said = {
			tenant: "one",
			bucket: "bucket",
			rules: [],
			depth: 0,
			trace: null,
			mostBytes: MOST,
			key: "k",
			upload,
			version: "v",
		};
		const complete = () =>
			data.ask("one", {
				...{ store: "objects", operation: "complete" },
				said: { ...said, parts: [{ number: 40, etag: etags[39] }] },
			});
		assert.equal((await complete()).said, false);
		assert.equal((await bucket.complete("k", upload, [{ number: 40, etag: etags[39] }])).size, MB / 4);
		assert.deepEqual(await bytesOf(bucket, "k"), Buffer.alloc(MB / 4, 40));
	});
});

test("on a full disk nothing is acknowledged and all is read, and with room again it goes on", async (t) => {
	const folder = join(temporaryFolder(), "disk");
	if (!smallDisk(folder, "12m")) return t.skip("this user cannot mount a small disk");
	try {
		await using(folder, async (data) => {
			const bucket = bucketOf(data);
			const kept = randomBytes(MB);
			await bucket.put("kept", PLAIN, kept);
			const filler = join(folder, "filler");
			try {
				writeFileSync(filler, Buffer.alloc(9 * MB));
			} catch {
				// It is full.
			}
			const upload = await bucket.beginUpload("u", METADATA).catch(() => "none");
			await assert.rejects(bucket.put("large", PLAIN, Buffer.alloc(8 * MB)), /^Error: 500 the disk is full$/);
			await assert.rejects(
				bucket.putPart("u", { upload, number: 1 }, Buffer.alloc(8 * MB)),
				/^Error: 500 the disk is full$/,
			);
			assert.equal(await bucket.head("large"), null);
			assert.deepEqual(await bytesOf(bucket, "kept"), kept);
			rmSync(filler);
			await until(() => readdirSync(join(folder, "incoming")).length === 0);
			await bucket.put("large", PLAIN, Buffer.alloc(2 * MB, 1));
			assert.equal((await bytesOf(bucket, "large"))?.length, 2 * MB);
		});
	} finally {
		noMoreDisk(folder);
	}
});

test("a gigabyte goes in and out, and nobody holds more than a few megabytes of it", async () => {
	await using(temporaryFolder(), async (data) => {
		const bucket = bucketOf(data, { most: 4 * 2 ** 30 });
		await bucket.put("warm", PLAIN, Buffer.alloc(MB));
		const resident = (pid: number | "self") =>
			Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
		const before = [resident("self"), resident(data.pid)];
		let peaks = before;
		const measure = () => {
			const now = [resident("self"), resident(data.pid)];
			peaks = peaks.map((peak, i) => Math.max(peak, now[i]));
		};
		const piece = randomBytes(MB);
		const size = 1024 * MB;
		const hash = createHash("sha256");
		async function* pieces(): AsyncGenerator<Uint8Array> {
			for (let i = 0; i < size / MB; i++) {
				if (i % 32 === 0) measure();
				hash.update(piece);
				yield piece;
			}
		}
		const put = await bucket.put("big", { ...PLAIN }, pieces());
		assert.equal(put?.size, size);
		const found = await bucket.get("big", { onlyIf: null, range: null });
		const read = createHash("sha256");
		let at = 0;
		const content = (found as Gotten).content as AsyncIterable<Uint8Array>;
		for await (const bytes of content) {
			read.update(bytes);
			at += bytes.byteLength;
			if (at % (32 * MB) < bytes.byteLength) measure();
		}
		assert.equal(at, size);
		assert.equal(read.digest("hex"), hash.digest("hex"));
		for (const [i, peak] of peaks.entries())
			assert.ok(
				peak - before[i] < 120 * MB,
				`${i === 0 ? "asking" : "data process"}: ${(peak - before[i]) / MB} MB more`,
			);
	});
});

test("while one tenant streams, another one's small objects are put and read in between", async () => {
	await using(temporaryFolder(), async (data) => {
		const modest = bucketOf(data, { tenant: "modest" });
		await modest.put("k", PLAIN, Buffer.from("v"));
		const piece = Buffer.alloc(MB);
		let sent = 0;
		async function* pieces(): AsyncGenerator<Uint8Array> {
			for (; sent < 300; sent++) yield piece;
		}
		const streaming = Promise.all([
			bucketOf(data, { tenant: "greedy" }).put("a", PLAIN, pieces()),
			bucketOf(data, { tenant: "greedy" }).put("b", PLAIN, pieces()),
		]);
		await until(() => sent > 5);
		const began = sent;
		for (let i = 0; i < 5; i++) {
			await modest.put("k", PLAIN, Buffer.from("w"));
			await modest.head("k");
		}
		// Ten calls one after the other wait for a few pieces each, and not for the streams.
		assert.ok(sent - began < 150, String(sent - began));
		await streaming;
	});
});
