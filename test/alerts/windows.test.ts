import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Windows } from "../../src/control/alerts/windows.ts";
import { BOUNDS, type Tally } from "../../src/observe/tally.ts";
import { MadeClock } from "./clock.ts";

const MINUTE = 60_000;

function tally(outcomes: Record<string, number>, more: Partial<Tally> = {}): Tally {
	const none = () => ({ counts: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0 });
	const common = { tenant: "acme", function: "shop", event: "http", version: "", outcomes };
	const sizes = { requestBytes: 0, responseBytes: 0, subrequests: 0, bindingCalls: {}, memoryBytes: 0 };
	return { ...common, wall: none(), cpu: none(), start: none(), ...sizes, ...more } as Tally;
}

function windowsOf(...windows: number[]) {
	const clock = new MadeClock();
	const made = new Windows(clock);
	made.use(new Set(windows));
	return { clock, windows: made, read: (window = MINUTE) => made.counts("acme", ["shop"], window) };
}

test("what was within a window is counted, by how it ended, and forgotten once it is older", () => {
	const { clock, windows, read } = windowsOf(MINUTE, 5 * MINUTE);
	windows.add([tally({ ok: 5, exception: 3, overloaded: 1, client_gone: 1 })]);
	assert.deepEqual([read().get("requests"), read().get("errors"), read().get("throttled")], [10, 4, 1]);
	clock.now += 55_000;
	windows.add([tally({ cpu_limit_exceeded: 2, function_quarantined: 1 })]);
	assert.equal(read().get("requests"), 13);
	assert.equal(read().get("cpuLimit"), 2);
	clock.now += 10_000;
	assert.equal(read().get("requests"), 3);
	assert.equal(read(5 * MINUTE).get("requests"), 13);
	clock.now += 6 * MINUTE;
	assert.equal(read(5 * MINUTE).get("requests"), 0);
	windows.sweep();
	assert.deepEqual(windows.tenants(), []);
});

test("whenever requests come, a window has all of its own and none of a fifteenth before it", () => {
	const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 90_000 }), fc.nat(20)), { maxLength: 60 });
	fc.assert(
		fc.property(steps, (all) => {
			const { clock, windows, read } = windowsOf(MINUTE);
			const told: { time: number; count: number }[] = [];
			for (const [wait, count] of all) {
				clock.now += wait;
				windows.add([tally({ ok: count })]);
				told.push({ time: clock.now, count });
				const since = (age: number) =>
					told.filter(({ time }) => time > clock.now - age).reduce((sum, one) => sum + one.count, 0);
				const found = read().get("requests");
				assert.ok(found >= since(MINUTE) && found <= since(MINUTE + MINUTE / 15 + 1), String(found));
			}
		}),
	);
});

test("how long requests took is told from their buckets", () => {
	const { windows, read } = windowsOf(MINUTE);
	assert.equal(read().quantile("wall", 0.99), null);
	const counts = new Array<number>(BOUNDS.length + 1).fill(0);
	counts[BOUNDS.indexOf(0.01)] = 90;
	counts[BOUNDS.indexOf(5)] = 10;
	windows.add([tally({ ok: 100 }, { wall: { counts, sum: 0 } })]);
	const [p50, p99] = [read().quantile("wall", 0.5) as number, read().quantile("wall", 0.99) as number];
	assert.ok(p50 > 5 && p50 <= 10, String(p50));
	assert.ok(p99 > 2500 && p99 <= 5000, String(p99));
	counts[BOUNDS.length] = 1000;
	windows.add([tally({ ok: 1100 }, { wall: { counts, sum: 0 } })]);
	assert.equal(read().quantile("wall", 0.99), 30_000);
});

test("what was before is taken from the log, once, and a window is whole with it", () => {
	const { clock, windows, read } = windowsOf(MINUTE);
	assert.equal(windows.covers(MINUTE), false);
	clock.now += 10_000;
	windows.add([tally({ ok: 1 })]);
	const rollup = (ago: number, ok: number) => ({
		...tally({ ok }),
		version: "",
		time: clock.wall() - ago,
		step: 10_000 as const,
	});
	// The last of them is of a time that was counted here.
	windows.backfill(MINUTE, [rollup(70_000, 1000), rollup(40_000, 2), rollup(30_000, 4), rollup(10_000, 500)]);
	assert.equal(windows.covers(MINUTE), false);
	windows.reach(MINUTE, clock.wall() - MINUTE);
	assert.equal(read().get("requests"), 7);
	assert.equal(windows.covers(MINUTE), true);
});

test("functions are bounded, and a tenant has a quarter of the room", () => {
	const { windows } = windowsOf(MINUTE);
	windows.add(Array.from({ length: 3000 }, (_, i) => tally({ ok: 1 }, { tenant: "many", function: `f${i}` })));
	windows.add([tally({ ok: 1 })]);
	assert.equal(windows.functionsOf("many").length, 2500);
	assert.deepEqual(windows.functionsOf("acme"), ["shop"]);
	windows.add([tally({ ok: 1 }, { tenant: "", function: "" })]);
	assert.deepEqual(windows.tenants(), ["many", "acme"]);
});
