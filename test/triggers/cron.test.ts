import assert from "node:assert/strict";
import { test } from "node:test";
import { CronSchedule, problemOfCron } from "../../src/triggers/cron.ts";

const FROM = Date.UTC(2026, 10, 30, 0, 0, 30);

/** Its next time, as ISO 8601 without seconds. */
function next(text: string): string {
	return new Date(new CronSchedule(text).after(FROM) ?? Number.NaN).toISOString().slice(0, 16);
}

test("expressions are read as Workers have them", () => {
	// https://developers.cloudflare.com/workers/configuration/cron-triggers/#examples
	assert.equal(next("* * * * *"), "2026-11-30T00:01");
	assert.equal(next("*/30 * * * *"), "2026-11-30T00:30");
	assert.equal(next("45 * * * *"), "2026-11-30T00:45");
	assert.equal(next("0 17 * * sun"), "2026-12-06T17:00");
	assert.equal(next("0 17 * * 1"), "2026-12-06T17:00");
	assert.equal(next("10 7 * * mon-fri"), "2026-11-30T07:10");
	assert.equal(next("10 7 * * 2-6"), "2026-11-30T07:10");
	assert.equal(next("0 15 1 * *"), "2026-12-01T15:00");
	assert.equal(next("0 18 * * 6L"), "2026-12-25T18:00");
	assert.equal(next("0 18 * * friL"), "2026-12-25T18:00");
	assert.equal(next("59 23 LW * *"), "2026-11-30T23:59");
	assert.equal(next("0 9 * * mon#1"), "2026-12-07T09:00");
});

test("a time zone may stand before an expression, which follows its summer time", () => {
	assert.equal(next("CRON_TZ=Europe/Berlin 0 9 * * *"), "2026-11-30T08:00");
	const summer = new CronSchedule("CRON_TZ=Europe/Berlin 0 9 * * *").after(Date.UTC(2026, 6, 1));
	assert.equal(new Date(summer ?? Number.NaN).toISOString(), "2026-07-01T07:00:00.000Z");
});

test("the last time before another is known too", () => {
	assert.equal(new CronSchedule("*/10 * * * *").before(FROM), Date.UTC(2026, 10, 30));
});

test("what is no expression, or never comes about, is told", () => {
	assert.equal(problemOfCron("0 0 29 2 *"), null);
	assert.match(problemOfCron("0 0 30 2 *") ?? "", /never comes about/);
	for (const text of ["", "* * * *", "* * * * * *", "61 * * * *", "a b c d e", "CRON_TZ=Mars/Base 0 0 * * *"])
		assert.match(problemOfCron(text) ?? "", /is no cron expression/, text);
});
