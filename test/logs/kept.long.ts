import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Launcher } from "../../src/processes/launcher.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { noMoreDisk, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";
import { LogsForTest, line, record } from "./support.ts";

const KILLS = Number(process.env.ATOLL_TEST_KILLS ?? 8);
const MB = 2 ** 20;

const launcher = new Launcher();
after(() => launcher.close());

const segmentsIn = (folder: string) =>
	readdirSync(folder)
		.filter((name) => /^segment-\d+\.db$/.test(name))
		.sort();

async function countOf(log: LogsForTest, query: string): Promise<number> {
	const { rows, whole } = await log.query(`${query} | count`);
	assert.equal(whole, true);
	return rows[0][0] as number;
}

test("killed at any moment, over and over, it has or has counted all that it took, and nothing twice", async () => {
	await using log = new LogsForTest(launcher);
	let sent = 0;
	for (let round = 0; round < KILLS; round++) {
		const appends: Promise<void>[] = [];
		for (let i = 0; i < 40; i++) {
			const requestId = `r${sent}`;
			appends.push(log.append(line("a line", { requestId }), record({ requestId })));
			sent += 2;
		}
		await until(() => log.logs.pid > 0);
		// Each round ends at another moment.
		await appends[(round * 7) % appends.length];
		if (round % 2 === 1) await until(async () => (await log.query(`requestId:r${sent - 80}`)).entries.length > 0);
		const killed = log.logs.pid;
		process.kill(killed, "SIGKILL");
		await Promise.all(appends);
		await until(() => log.logs.pid !== killed);
	}
	await log.append(record({ requestId: "last" }));
	await until(async () => (await log.query("requestId:last")).entries.length === 1);
	const { lost } = await log.query("");
	const ids = new Set<string>();
	let found = 0;
	for (let cursor: string | null = null, more = true; more; ) {
		const page = await log.query('"a line" OR outcome:ok', { limit: 1000, cursor });
		for (const { record, lines } of page.entries) {
			if (record?.requestId === "last") continue;
			found += lines.length + (record === null ? 0 : 1);
			const id = record?.requestId ?? lines[0].requestId;
			assert.ok(!ids.has(id), id);
			ids.add(id);
		}
		cursor = page.cursor;
		more = cursor !== null;
	}
	assert.equal(found + lost, sent);
	assert.ok(found > sent / 4, `${found} of ${sent}`);
});

test("where all of it ended at once, the next one says that something may be lost", async () => {
	const folder = temporaryFolder();
	{
		await using log = new LogsForTest(launcher, { folder });
		await log.append(line("waits for its record", { requestId: "x" }), record({ requestId: "kept" }));
		await until(async () => (await log.query("requestId:kept")).entries.length === 1);
		// As if control had been killed with it: nobody asks it again.
		const { pid } = log.logs;
		process.kill(pid, "SIGKILL");
		await until(() => log.logs.pid === 0);
	}
	await using log = new LogsForTest(launcher, { folder });
	await log.append(record({ requestId: "next" }));
	await until(async () => (await log.query("requestId:next")).entries.length === 1);
	const { entries, lost } = await log.query("");
	assert.deepEqual(entries.map(({ record }) => record?.requestId).sort(), ["kept", "next"]);
	assert.ok(lost >= 1, String(lost));
});

test("one that was ended properly has lost nothing, lines that waited among it", async () => {
	const folder = temporaryFolder();
	{
		await using log = new LogsForTest(launcher, { folder });
		await log.append(line("waits", { requestId: "x" }), record());
	}
	await using log = new LogsForTest(launcher, { folder });
	await log.append(record());
	await until(async () => (await countOf(log, "")) === 3);
	assert.equal((await log.query("")).lost, 0);
});

test("a torn write is undone, and what is damaged is set aside with a word", async () => {
	const folder = temporaryFolder();
	{
		await using log = new LogsForTest(launcher, { folder });
		// Three times a hundred, so that there is more than one transaction, and one before the last.
		for (let i = 1; i <= 300; i++) {
			await log.append(record({ requestId: `r${i}`, url: `https://shop.example/${"x".repeat(500)}` }));
			if (i % 100 === 0) await until(async () => (await countOf(log, "")) === i);
		}
		process.kill(log.logs.pid, "SIGKILL");
		await until(() => log.logs.pid === 0);
	}
	const [name] = segmentsIn(folder);
	const path = join(folder, name);
	// The last transaction was half written when the machine stopped.
	truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 5000);
	{
		await using log = new LogsForTest(launcher, { folder });
		const count = await countOf(log, "");
		assert.ok(count > 0 && count < 300, String(count));
		await log.append(record());
		await until(async () => (await countOf(log, "")) === count + 1);
	}
	assert.deepEqual(segmentsIn(folder), [name]);
	const size = statSync(path).size;
	const bytes = readFileSync(path);
	bytes.fill(0x5a, size / 4);
	writeFileSync(path, bytes);
	await using log = new LogsForTest(launcher, { folder });
	await log.append(record({ requestId: "after" }));
	await until(async () => (await log.query("requestId:after")).entries.length === 1);
	assert.ok(readdirSync(folder).some((file) => file.endsWith(".damaged")));
});

test("a segment that turns out to be damaged while it is read costs no other one's entries", async () => {
	const folder = temporaryFolder();
	const more = "x".repeat(2000);
	const fill = async (log: LogsForTest, from: number) => {
		for (let i = 0; i < 10; i++)
			await log.append(
				...Array.from({ length: 100 }, (_, n) => record({ requestId: `r${from + 100 * i + n}`, url: more })),
			);
		await until(async () => (await log.query(`requestId:r${from + 999}`)).entries.length === 1);
	};
	{
		await using log = new LogsForTest(launcher, { folder, maxBytes: 16 * MB });
		for (let from = 0; from < 3000; from += 1000) await fill(log, from);
	}
	const names = segmentsIn(folder);
	assert.ok(names.length >= 3, names.join());
	const path = join(folder, names[1]);
	const bytes = readFileSync(path);
	// Its first pages say that all is well.
	bytes.fill(0x5a, 128 * 1024);
	writeFileSync(path, bytes);
	await using log = new LogsForTest(launcher, { folder, maxBytes: 16 * MB });
	const { rows, whole } = await log.query("| count");
	assert.ok(whole && (rows[0][0] as number) >= 1000 && (rows[0][0] as number) < 3000, String(rows));
	assert.ok(!segmentsIn(folder).includes(names[1]));
	assert.ok(readdirSync(folder).includes(`${names[1]}.damaged`));
	await until(async () => (await log.query("")).lost > 0);
});

test("on a full disk what comes is counted as lost, queries go on, and with room again so does it", async (t) => {
	const folder = join(temporaryFolder(), "disk");
	if (!smallDisk(folder, "24m")) return t.skip("this user cannot mount a small disk");
	try {
		await using log = new LogsForTest(launcher, { folder });
		await log.append(record({ requestId: "kept" }));
		await until(async () => (await log.query("requestId:kept")).entries.length === 1);
		const filler = join(folder, "filler");
		try {
			writeFileSync(filler, Buffer.alloc(32 * MB));
		} catch {
			// It is full.
		}
		let sent = 0;
		const large = "x".repeat(10_000);
		for (let i = 0; i < 60; i++) {
			const many = Array.from({ length: 20 }, () => record({ requestId: "large", url: large }));
			sent += many.length;
			await log.append(...many);
		}
		assert.equal((await log.query("requestId:kept")).entries.length, 1);
		rmSync(filler);
		await log.append(record({ requestId: "later" }));
		sent++;
		await until(async () => (await log.query("requestId:later OR requestId:large")).entries.length > 0);
		let stored = 0;
		await until(async () => {
			stored = await countOf(log, "requestId:large OR requestId:later");
			const { lost } = await log.query("");
			return lost > 0 && stored + lost === sent;
		});
		assert.ok(stored < sent, `${stored} of ${sent}`);
		assert.ok(
			log.words.some((word) => /cannot be written: .*full/.test(word)),
			log.words.join(),
		);
	} finally {
		noMoreDisk(folder);
	}
});
