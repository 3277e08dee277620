import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { noteWriter, RunningNote } from "../../src/link/running-note.ts";
import { Progress } from "../../src/pool/progress.ts";

/** A sandbox's progress by a real note and a clock that is set by hand. */
function watched(t: TestContext) {
	const note = RunningNote.create();
	let ms = 0;
	let told: string[] = [];
	const progress = new Progress(
		{
			pid: process.pid,
			note,
			clock: {
				restart() {
					ms = 0;
				},
				read: () => ms,
				[Symbol.dispose]: () => undefined,
			},
		},
		{
			onLongTurn: (attempt) => told.push(`turn of ${attempt} is long`),
			onTurnOver: () => told.push("it is over"),
			onStillRunning: (attempt, by, starting) =>
				told.push(`${starting ? "start" : "turn"} of ${attempt} runs on, ${by} ms`),
			onMemory: (bytes) => told.push(bytes > 0 ? "memory" : "no memory"),
		},
	);
	t.after(() => {
		progress.close();
		note.close();
	});
	return {
		/** The sandbox notes what it does: nothing, for attempt 0. */
		note: noteWriter(note.descriptor),
		/** Its clock goes to so much, and it is looked at. Returns what was told. */
		at(own: number): string[] {
			ms = own;
			return this.look();
		},
		look(): string[] {
			told = [];
			progress.poll();
			return told;
		},
		/** Its last attempt has ended, before it was looked at again. */
		stop(): string[] {
			told = [];
			progress.stop();
			return told;
		},
	};
}

test("a turn is long from 25 ms on, which is told once, and how long it is each time", (t) => {
	const sandbox = watched(t);
	assert.deepEqual(sandbox.look(), []);
	sandbox.note(5, false);
	assert.deepEqual(sandbox.at(1000), [], "the clock starts when the turn is first seen");
	assert.deepEqual(sandbox.at(24.9), []);
	assert.deepEqual(sandbox.at(25), ["turn of 5 is long", "turn of 5 runs on, 25 ms"]);
	assert.deepEqual(sandbox.at(30), ["turn of 5 runs on, 30 ms"]);
	sandbox.note(0, false);
	assert.deepEqual(sandbox.at(35), ["it is over"]);
	assert.deepEqual(sandbox.at(1000), []);
});

test("the start of an isolate is long from 50 ms on", (t) => {
	const sandbox = watched(t);
	sandbox.note(5, true);
	sandbox.look();
	assert.deepEqual(sandbox.at(49.9), []);
	assert.deepEqual(sandbox.at(50), ["turn of 5 is long", "start of 5 runs on, 50 ms"]);
});

test("another turn of the same attempt begins anew, and ends the one before", (t) => {
	const sandbox = watched(t);
	sandbox.note(5, false);
	sandbox.look();
	sandbox.at(26);
	sandbox.note(5, false);
	assert.deepEqual(sandbox.at(30), ["it is over"]);
	assert.deepEqual(sandbox.look(), [], "the clock has started anew");
	assert.deepEqual(sandbox.at(24), []);
	assert.deepEqual(sandbox.at(26), ["turn of 5 is long", "turn of 5 runs on, 26 ms"]);
});

test("a long turn is over where the last attempt has ended, though nobody has seen the turn end", (t) => {
	const sandbox = watched(t);
	sandbox.note(5, false);
	sandbox.look();
	sandbox.at(26);
	assert.deepEqual(sandbox.stop(), ["it is over"]);
	assert.deepEqual(sandbox.stop(), []);
	assert.deepEqual(sandbox.at(30), ["turn of 5 is long", "turn of 5 runs on, 30 ms"], "one that runs on is told again");
});

test("many short turns in a row are never a long one, however long they take together", (t) => {
	const sandbox = watched(t);
	for (let attempt = 1; attempt <= 19; attempt++) {
		sandbox.note(attempt, false);
		assert.deepEqual(sandbox.at(24), []);
	}
});

test("memory is looked at every twentieth time", (t) => {
	const sandbox = watched(t);
	const heard = Array.from({ length: 60 }, (_, i) => [i + 1, ...sandbox.look()]).filter((told) => told.length > 1);
	assert.deepEqual(
		heard,
		[20, 40, 60].map((look) => [look, process.platform === "linux" ? "memory" : "no memory"]),
	);
});
