import assert from "node:assert/strict";
import { copyFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Clock } from "../../src/logs/store/clock.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { LogsForTest, record } from "./support.ts";

const MB = 2 ** 20;
const DAY = 24 * 3600_000;

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

/** Waits for something; not in vain where the log has said what is wrong, as that its process was lost. */
const untilIn = (log: LogsForTest, done: () => boolean | Promise<boolean>) =>
	until(() => {
		assert.deepEqual(log.words, []);
		return done();
	});

test("a tenant that floods the log pushes out its own entries and nobody else's", async () => {
	await using log = new LogsForTest(launcher, { maxBytes: 16 * MB, tenantBytes: 2 * MB });
	await log.append(...Array.from({ length: 100 }, (_, i) => record({ tenant: "quiet", requestId: `q${i}` })));
	const text = "x".repeat(1020);
	for (let i = 0; i < 100; i++)
		await log.append(
			...Array.from({ length: 100 }, (_, n) => {
				const requestId = `f${100 * i + n}`;
				return record({ tenant: "loud", function: `f${n % 5}`, requestId, url: text });
			}),
		);
	await untilIn(log, async () => (await log.query("requestId:f9999")).entries.length === 1);
	const loud = () => countOf(log, "tenant:loud");
	// 1,170 bytes each: 2 MB are less than 1,793 of them.
	await untilIn(log, async () => (await loud()) < 1800);
	assert.ok((await loud()) > 500, String(await loud()));
	assert.equal(await countOf(log, "tenant:quiet"), 100);
	const { entries } = await log.query("tenant:loud", { limit: 1 });
	assert.match(entries[0].record?.requestId ?? "", /^f99\d\d$/);
	const taken = () => segmentsIn(log.folder).reduce((sum, name) => sum + statSync(join(log.folder, name)).size, 0);
	await untilIn(log, () => taken() < 8 * MB);
});

test("in all there are no more bytes than were allowed, and the largest tenant's oldest go", async () => {
	await using log = new LogsForTest(launcher, { maxBytes: 16 * MB, tenantBytes: 16 * MB });
	await log.append(...Array.from({ length: 100 }, () => record({ tenant: "quiet" })));
	const text = "x".repeat(4000);
	for (let i = 0; i < 80; i++)
		await log.append(
			...Array.from({ length: 100 }, (_, n) => record({ tenant: "loud", requestId: `f${100 * i + n}`, url: text })),
		);
	await untilIn(log, async () => (await log.query("requestId:f7999")).entries.length === 1);
	const taken = () =>
		readdirSync(log.folder).reduce(
			(sum, name) => sum + (statSync(join(log.folder, name), { throwIfNoEntry: false })?.size ?? 0),
			0,
		);
	await untilIn(log, () => taken() <= 16 * MB);
	assert.equal(await countOf(log, "tenant:quiet"), 100);
	const left = await countOf(log, "tenant:loud");
	assert.ok(left > 1000 && left < 4000, String(left));
});

test("what is older than was said goes, in whole segments, and what is younger stays", async () => {
	const folder = temporaryFolder();
	const use = async (id: string) => {
		await using log = new LogsForTest(launcher, { folder, days: 2 });
		await log.append(record({ requestId: id }));
		await until(async () => (await log.query(`requestId:${id}`)).entries.length === 1);
	};
	await use("old");
	const [name] = segmentsIn(folder);
	// A segment of three days ago, as another one follows it.
	copyFileSync(join(folder, name), join(folder, "segment-0000000002.db"));
	await use("young");
	const old = new DatabaseSync(join(folder, name));
	old.exec(`UPDATE state SET written = written - ${3 * DAY}`);
	old.close();
	await using log = new LogsForTest(launcher, { folder, days: 2 });
	await until(async () => {
		await log.query("");
		return segmentsIn(folder).length === 1;
	});
	assert.deepEqual(segmentsIn(folder), ["segment-0000000002.db"]);
	assert.equal((await log.query("requestId:young")).entries.length, 1);
});

test("a clock that was set removes nothing for its age until it has stood so for an hour", () => {
	const HOUR = 3600_000;
	const now = 1_800_000_000_000;
	const clock = new Clock(now - 1000, now, 0);
	assert.equal(clock.isTrusted(now + 5000, 5000), true);
	// Ahead by ten years, and back.
	assert.equal(clock.isTrusted(now + 3650 * DAY, 6000), false);
	assert.equal(clock.isTrusted(now + 3650 * DAY + HOUR / 2, 6000 + HOUR / 2), false);
	assert.equal(clock.isTrusted(now + 7000 + HOUR / 2, 7000 + HOUR / 2), false);
	assert.equal(clock.isTrusted(now + 8000 + HOUR, 8000 + HOUR), false);
	assert.equal(clock.isTrusted(now + 7000 + 1.5 * HOUR, 7000 + 1.5 * HOUR), true);
	// A process that starts with a clock that is wrong already.
	for (const written of [now - 30 * DAY, now + DAY]) {
		const odd = new Clock(written, now, 0);
		assert.equal(odd.isTrusted(now + 1000, 1000), false);
		assert.equal(odd.isTrusted(now + HOUR, HOUR), true);
	}
	assert.equal(new Clock(null, now, 0).isTrusted(now, 0), true);
});
