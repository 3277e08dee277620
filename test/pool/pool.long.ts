import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ProcessPool } from "../../src/pool/process-pool.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { CALM, sandboxSettings } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const VERSION: RunnableVersion = {
	...{ number: 1, tenantNumber: -1, limits: { cpuMs: 100, startupCpuMs: 100 }, withdrawn: false, ...CALM },
	image: () => Promise.reject(new Error("there is no image")),
};

test("where no sandbox starts requests are refused, with waits between the attempts, until one does", async () => {
	const settings = await sandboxSettings();
	const { snapshot } = settings;
	let lost = 0;
	const launcher = new Launcher();
	const pool = new ProcessPool({
		launcher,
		size: 1,
		settings,
		events: { log: () => undefined, culprit: () => undefined, crowdedOut: () => undefined, notice: () => lost++ },
	});
	await pool.ready;
	after(async () => {
		await pool.close();
		await launcher.close();
	});
	await until(() => pool.pids().length === 2);
	const homes = () => [pool.sandbox(VERSION, "normal", false), pool.sandbox(VERSION, "heavy", false)];
	assert.ok(homes().every((home) => home !== null));
	await until(() => pool.pids().length === 3); // One that has proven light has divided them, and there is a spare again.
	settings.snapshot = new Uint8Array(16);
	for (const pid of pool.pids()) process.kill(pid, "SIGKILL");
	await until(() => homes().every((home) => home === null));
	assert.ok(lost < 12, `${lost} sandboxes were lost`);
	settings.snapshot = snapshot;
	await until(() => homes().every((home) => home !== null));
});

test("who waits late for a pool whose sandboxes cannot start hears of it, and nobody before", async () => {
	let lost = 0;
	const launcher = new Launcher();
	const pool = new ProcessPool({
		launcher,
		size: 1,
		settings: { ...(await sandboxSettings()), snapshot: new Uint8Array(16) },
		events: { log: () => undefined, culprit: () => undefined, crowdedOut: () => undefined, notice: () => lost++ },
	});
	after(async () => {
		await pool.close();
		await launcher.close();
	});
	// A rejection that nobody had taken by now would have failed this test.
	await until(() => lost > 0);
	await assert.rejects(pool.ready);
});
