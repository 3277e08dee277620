import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { VersionNumber } from "../../src/link/protocol.ts";
import { ProcessPool } from "../../src/pool/process-pool.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { askPool } from "../support/pool-request.ts";
import { CALM, sandboxSettings } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const FINE = "globalThis.__atoll_exports({ default: { fetch: () => new Response() } });";
const HANGS = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);";

/** A pool of three, its spare the last of them. It notes which versions' code was asked for, and who was found to be a culprit. */
async function startPool() {
	const codes = new Map<VersionNumber, string>();
	const loads: VersionNumber[] = [];
	const culprits: VersionNumber[] = [];
	const launcher = new Launcher();
	const pool = new ProcessPool({
		launcher,
		size: 1,
		settings: await sandboxSettings(),
		events: {
			log: () => undefined,
			notice: () => undefined,
			crowdedOut: () => undefined,
			culprit: (version) => culprits.push(version),
		},
	});
	await pool.ready;
	const version = (number: VersionNumber): RunnableVersion => ({
		...{ number, tenantNumber: number, limits: { cpuMs: 1000, startupCpuMs: 100 }, withdrawn: false, ...CALM },
		async image() {
			loads.push(number);
			const code = Buffer.from(codes.get(number) ?? FINE);
			return {
				...{
					filename: "f.js",
					code,
					codeCache: new Uint8Array(0),
					tenant: number,
					env: "{}",
					bindings: "[]",
					flags: "",
				},
				...{ memoryMb: 64, timers: 10, logBytes: 1000, subrequests: 10, startupCpuMs: 100 },
			};
		},
	});
	const versions = (count: number) => Array.from({ length: count }, (_, i) => version(i + 1));
	after(async () => {
		await pool.close();
		await launcher.close();
	});
	await until(() => pool.pids().length === 2);
	pool.sandbox(version(0), "normal", false);
	await until(() => pool.pids().length === 3);
	const [normal, , spare] = pool.pids();
	return { pool, versions, codes, loads, culprits, normal, spare };
}

test("the spare has started what is warm before it takes over: no request is cold then", async () => {
	const { pool, versions, loads, normal, spare } = await startPool();
	const warm = versions(8);
	for (const version of warm) assert.equal(await askPool(pool, version), true);
	for (const version of warm) assert.equal(await askPool(pool, version), false);
	loads.length = 0;
	process.kill(spare, "SIGKILL"); // The next one has them from its start.
	await until(() => loads.length === warm.length && pool.stats().isolates === 2 * warm.length);
	process.kill(normal, "SIGKILL");
	await until(() => pool.stats().restarts === 2);
	for (const version of warm) assert.equal(await askPool(pool, version), false);
});

test("a top level that hangs where nobody has asked for it costs the spare, is told as the culprit, and is not tried again", async () => {
	const { pool, versions, codes, loads, culprits, spare } = await startPool();
	const [good, trap] = versions(2);
	for (let i = 0; i < 20; i++) await askPool(pool, good);
	for (let i = 0; i < 30; i++) await askPool(pool, trap);
	codes.set(trap.number, HANGS);
	loads.length = 0;
	process.kill(spare, "SIGKILL");
	// One spare was killed, the next one hung on what is asked for most, the third has the rest.
	await until(() => pool.stats().restarts === 2);
	assert.deepEqual(culprits, [trap.number]);
	await until(() => loads.includes(good.number));
	assert.deepEqual(loads, [trap.number, good.number]);
	await askPool(pool, good);
});
