import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { EffectLimits } from "../../src/effects/bounds.ts";
import { Effects, type Fetcher } from "../../src/effects/effects.ts";
import type { Image } from "../../src/isolates/protocol.ts";
import { Launcher } from "../../src/launcher/launcher.ts";
import type { AttemptOwner } from "../../src/sandbox/attempt.ts";
import { ProcessPool } from "../../src/sandbox/process-pool.ts";
import type { RunnableVersion } from "../../src/sandbox/sandbox.ts";
import { TestRuntime } from "../support/runtime.ts";
import { sandboxSettings } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

/** So many light requests, one after the other, make a function one of the normal lane. */
async function prove(atoll: TestRuntime, name: string): Promise<void> {
	for (let i = 0; i < 30; i++) assert.equal(await atoll.text(name), "ok");
}

test("the spare has started what is warm before it takes over: no request is cold then", async () => {
	const atoll = new TestRuntime({ sandboxes: 1 });
	const names = Array.from({ length: 8 }, (_, i) => `warm${i}`);
	for (const name of names) {
		await atoll.deploy(name, `export default { fetch: () => new Response("ok") }`);
		await prove(atoll, name);
	}
	const [normal] = atoll.runtime.sandboxPids();
	// Each stands in the heavy lane, where it has proven light, in the normal lane, and in the spare.
	await until(() => atoll.runtime.stats().isolates >= 3 * names.length);
	process.kill(normal, "SIGKILL");
	await until(() => atoll.runtime.stats().restarts === 1);
	const before = atoll.records.length;
	for (const name of names) assert.equal(await atoll.text(name), "ok");
	const after = atoll.records.slice(before);
	assert.equal(after.length, names.length);
	assert.ok(after.every(({ cold }) => !cold));
});

/** Asks a pool for one request at a version, and waits until it is done. */
function ask(pool: ProcessPool, version: RunnableVersion): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const owner = {
		onResponse: () => undefined,
		onDone: () => resolve(),
		onFailed: (failure: { message: string }) => reject(new Error(failure.message)),
		onLost: () => reject(new Error("lost")),
		onCulprit: () => undefined,
	} as unknown as AttemptOwner;
	const effects = new Effects({} as Fetcher, {} as EffectLimits, () => undefined);
	const head = { method: "GET", url: "http://f.test/", headers: [], body: "none", client: null };
	pool.home(version, "normal")?.attempt(version, owner, effects).start(1000, true, JSON.stringify(head), null);
	return promise;
}

test("a top level that hangs where nobody has asked for it costs the spare, is told as the culprit, and is not tried again", async () => {
	const fine = "globalThis.__atoll_exports({ default: { fetch: () => new Response() } });";
	const hangs = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);";
	const codes = new Map([
		[1, fine],
		[2, fine],
	]);
	const loads: number[] = [];
	const image = (owner: number): Image => ({
		filename: "f.js",
		code: Buffer.from(codes.get(owner) as string),
		codeCache: new Uint8Array(0),
		owner,
		env: "{}",
		memoryMb: 64,
		timers: 10,
		logBytes: 1000,
		startupCpuMs: 100,
	});
	const culprits: number[] = [];
	const launcher = new Launcher();
	const pool = await ProcessPool.start(
		launcher,
		1,
		await sandboxSettings(),
		async (number) => {
			loads.push(number);
			return image(number);
		},
		{ log: () => undefined, notice: () => undefined, culprit: (number) => culprits.push(number) },
	);
	after(async () => {
		await pool.close();
		await launcher.close();
	});
	const [good, trap] = [1, 2].map((number) => ({
		number,
		ownerNumber: number,
		limits: { cpuMs: 1000, startupCpuMs: 100 },
	}));
	await until(() => pool.pids().length === 3);
	for (let i = 0; i < 20; i++) await ask(pool, good);
	for (let i = 0; i < 30; i++) await ask(pool, trap);
	codes.set(2, hangs);
	process.kill(pool.pids()[2], "SIGKILL");
	// One spare was killed, the next one hung on what is asked for most, the third has the rest.
	await until(() => pool.stats().restarts === 2);
	assert.deepEqual(culprits, [2]);
	await until(() => loads.filter((number) => number === 1).length === 2);
	assert.deepEqual(loads, [1, 2, 2, 1]);
	await ask(pool, good);
});
