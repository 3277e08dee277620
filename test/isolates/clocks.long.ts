import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const SPIN = `export default { fetch() { const t = [Date.now(), performance.now()]; for (let i = 0, x = 0; i < 3e7; i++) x += i % 7; return Response.json([Date.now() - t[0], performance.now() - t[1]]); } };`;

/** However long a slow machine takes for it. */
const limits = { cpuMs: 60_000, wallMs: 60_000 };
const frozen = new TestRuntime({ limits });
const running = new TestRuntime({ limits, frozenClocks: false });

test("the time stands still during a turn, unless the operator lets it run", async () => {
	for (const atoll of [frozen, running]) await atoll.deploy("spin", SPIN);
	assert.deepEqual(JSON.parse(await frozen.text("spin")), [0, 0]);
	for (const passed of JSON.parse(await running.text("spin")) as number[]) assert.ok(passed > 0, `${passed}`);
});
