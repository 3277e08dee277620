import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fillWithPast } from "../../src/control/alerts/past.ts";
import { Windows } from "../../src/control/alerts/windows.ts";
import type { RollupQuery } from "../../src/logs/calls.ts";
import { Tallies, type Tally } from "../../src/observe/tally.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { LogsForTest, record } from "../logs/support.ts";
import { MadeClock } from "./clock.ts";

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
const launcher = new Launcher();
after(() => launcher.close());

function tallyOf(count: number): Tally {
	const tallies = new Tallies(1);
	for (let i = 0; i < count; i++) tallies.count(record({ wallMs: 300, outcome: "exception" }).record);
	return tallies.take()[0];
}

test("however long a window is, it has what the log knows of it, and nothing twice, in answers of a few steps", async () => {
	await using log = new LogsForTest(launcher);
	const clock = new MadeClock();
	// Some time within a step of each kind.
	const now = 500_000 * HOUR + 37 * MINUTE + 25 * SECOND;
	clock.offset = now - clock.now;
	const agos = [5 * SECOND, 12 * SECOND, 50 * SECOND, 4 * MINUTE, 40 * MINUTE, 100 * MINUTE, 5 * HOUR, 23 * HOUR];
	for (const [i, ago] of agos.entries()) log.logs.addRollups(now - ago, [tallyOf(2 ** i)]);
	const windows = new Windows(clock);
	const all = [MINUTE, 5 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR];
	windows.use(new Set(all));
	let most = 0;
	const rollups = (query: RollupQuery) => {
		most = Math.max(most, (query.until - query.since) / query.step);
		return log.logs.rollups(query);
	};
	const found: number[] = [];
	for (const window of all) {
		assert.equal(windows.covers(window), false);
		await fillWithPast(window, { windows, clock, rollups });
		// Of a short one the last seconds before may be what counts.
		assert.equal(windows.covers(window), window > 5 * MINUTE);
		const counts = windows.counts("one", ["shop"], window);
		found.push(counts.get("errors"));
		assert.ok((counts.quantile("wall", 0.99) ?? 0) > 250);
	}
	// All but what the step had that has not ended yet.
	assert.deepEqual(found, [2 + 4, 2 + 4 + 8, 62 - 32, 62, 126, 254]);
	assert.ok(most <= 6, String(most));
});
