import assert from "node:assert/strict";
import { test } from "node:test";
import type ivm from "isolated-vm";
import { Entry } from "../../src/isolates/lent.ts";
import { usedUs } from "../../src/isolates/thread-clock.ts";

test("an entry is over once its thread has had its time, however long the thread has waited for a core", ({ mock }) => {
	let user = 1_000_000;
	mock.method(process, "threadCpuUsage", () => ({ user, system: 0 }));
	usedUs(1e6); // Reads the clock.
	let disposed = 0;
	const entry = new Entry({ dispose: () => void disposed++ } as unknown as ivm.Isolate, 0, 10);
	entry.add(0, 12);
	entry.add(12, 400);
	user += 9000;
	entry.add(400, 500);
	assert.deepEqual([disposed, entry.overdue, entry.lentUs], [0, false, 500_000]);
	user += 8000;
	entry.add(500, 502);
	assert.equal(disposed, 0, "it has a moment more, since the isolate's own timer is to be first");
	entry.add(502, 510);
	entry.add(510, 520);
	assert.deepEqual([disposed, entry.overdue], [1, true]);
});
