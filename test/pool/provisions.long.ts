import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { SandboxCommands, SandboxSettings, VersionNumber } from "../../src/link/protocol.ts";
import type { LaneName } from "../../src/pool/place.ts";
import type { PreloadEnd } from "../../src/pool/preload.ts";
import { ProcessPool } from "../../src/pool/process-pool.ts";
import { Provisions } from "../../src/pool/provisions.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { Sandbox } from "../../src/pool/sandbox.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { askPool } from "../support/pool-request.ts";
import { CALM, sandboxSettings } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const FINE = "globalThis.__atoll_exports({ default: { fetch: () => new Response() } });";
const HANGS = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);";

/** A version that counts how often it was sent to a sandbox. */
class Version implements RunnableVersion {
	readonly number: VersionNumber;
	readonly tenantNumber: number;
	readonly limits = { cpuMs: 1000, startupCpuMs: 1000 };
	readonly withdrawn = false;
	readonly demand = CALM.demand;
	readonly mayBorrow = false;
	readonly maxInstances = CALM.maxInstances;
	provisioned: number;
	lane: LaneName = "heavy";
	sent = 0;
	readonly #code: string;

	constructor(number: VersionNumber, provisioned = 0, code = FINE) {
		this.number = number;
		this.tenantNumber = number;
		this.provisioned = provisioned;
		this.#code = code;
	}

	async image() {
		this.sent++;
		return {
			...{ filename: "f.js", code: Buffer.from(this.#code), codeCache: new Uint8Array(0), tenant: this.number },
			...{
				env: "{}",
				bindings: "[]",
				flags: "",
				memoryMb: 64,
				timers: 10,
				logBytes: 1000,
				subrequests: 10,
				startupCpuMs: 1000,
			},
		};
	}
}

/** A pool with its spare, and what it has told. */
async function startPool(size: number, bounds: Partial<SandboxSettings> = {}) {
	const culprits: VersionNumber[] = [];
	const crowdedOut: VersionNumber[] = [];
	const launcher = new Launcher();
	const versions = new Map<VersionNumber, Version>();
	const pool = new ProcessPool({
		launcher,
		size,
		settings: { ...(await sandboxSettings()), ...bounds },
		events: {
			log: () => undefined,
			notice: () => undefined,
			crowdedOut: (version) => crowdedOut.push(version),
			culprit: (number) => {
				culprits.push(number);
				// As of a version that has a strike.
				const version = versions.get(number);
				if (version !== undefined) version.provisioned = 0;
			},
		},
	});
	await pool.ready;
	after(async () => {
		await pool.close();
		await launcher.close();
	});
	await until(() => pool.pids().length === size + 1);
	const provision = (version: Version) => {
		versions.set(version.number, version);
		return pool.provision(version, () => version.lane);
	};
	/** Whether a request found no isolate. */
	const isCold = (version: Version) => askPool(pool, version, version.lane);
	return { pool, culprits, crowdedOut, provision, isCold };
}

test("a version that is provisioned is warm at its first request, and after any number of others", async () => {
	const { pool, provision, isCold } = await startPool(1, { maxIsolates: 4 });
	const one = new Version(1, 1);
	await provision(one);
	assert.equal(await isCold(one), false);
	for (let number = 2; number <= 12; number++) assert.equal(await isCold(new Version(number)), true);
	assert.ok(pool.stats().evictions > 0);
	assert.equal(await isCold(one), false);
	// Once it has proven light it moves, and is kept there as well.
	one.lane = "normal";
	for (let number = 2; number <= 12; number++) {
		assert.equal(await isCold(one), false);
		await isCold(new Version(number));
	}
	one.provisioned = 0;
	await provision(one);
	for (let number = 2; number <= 12; number++) {
		const other = new Version(number);
		other.lane = "normal";
		await isCold(other);
	}
	assert.equal(await isCold(one), true);
});

test("it is warm on the successor of a sandbox that was killed, whichever that is", async () => {
	const { pool, provision, isCold } = await startPool(1);
	const one = new Version(1, 1);
	await provision(one);
	for (let round = 1; round <= 3; round++) {
		// The spare has it too.
		await until(() => pool.pids().length === 2 && pool.stats().isolates === 2);
		process.kill(pool.pids()[0], "SIGKILL");
		await until(() => pool.stats().restarts === round);
		assert.equal(await isCold(one), false);
	}
});

test("it is started where it is lost, with nobody asking for it", async () => {
	const { pool, provision, isCold } = await startPool(1);
	const one = new Version(1, 1);
	await provision(one);
	await until(() => pool.stats().isolates === 2);
	for (const pid of pool.pids()) process.kill(pid, "SIGKILL");
	await until(() => pool.stats().restarts === 2 && pool.stats().isolates === 2);
	assert.equal(await isCold(one), false);
});

test("as many as there are sandboxes are started, one in each", async () => {
	const { pool, provision } = await startPool(3);
	const two = new Version(1, 2);
	await provision(two);
	// With the spare, which has one of all that is provisioned.
	await until(() => two.sent === 3 && pool.stats().isolates === 3);
	two.provisioned = 9;
	await provision(two);
	await until(() => two.sent === 4 && pool.stats().isolates === 4);
	two.provisioned = 1;
	await provision(two);
	await until(() => pool.stats().isolates === 2);
});

test("what would fill more than half of a sandbox is told, once, and is as any other", async () => {
	const { provision, crowdedOut, isCold } = await startPool(1, { maxIsolates: 4 });
	const all = [1, 2, 3].map((number) => new Version(number, 1));
	for (const one of all) await provision(one);
	assert.deepEqual(crowdedOut, [3]);
	await provision(all[2]);
	assert.deepEqual(crowdedOut, [3]);
	for (let number = 4; number <= 12; number++) await isCold(new Version(number));
	assert.deepEqual([await isCold(all[0]), await isCold(all[1]), await isCold(all[2])], [false, false, true]);
});

test("a top level that hangs costs one sandbox, and is not started again", async () => {
	const { pool, provision, culprits, isCold } = await startPool(1);
	const trap = new Version(1, 1, HANGS);
	await provision(trap);
	await until(() => pool.stats().restarts === 1);
	assert.deepEqual(culprits, [1]);
	const good = new Version(2, 1);
	await provision(good);
	assert.equal(await isCold(good), false);
	assert.deepEqual([trap.sent, pool.stats().restarts], [1, 1]);
});

/** Provisions of one place, whose starts end as they are told to. */
function provisionsOf(ends: () => PreloadEnd) {
	const sandbox = new Sandbox();
	const ignored = () => undefined;
	sandbox.commands = { keep: ignored, expect: ignored, load: ignored } as unknown as SandboxCommands;
	let starts = 0;
	const provisions = new Provisions({
		places: () => [sandbox],
		others: () => [sandbox],
		start: async () => {
			starts++;
			return ends();
		},
		onCrowdedOut: ignored,
	});
	return { sandbox, provisions, starts: () => starts };
}

test("what does not start is not tried over and over", async () => {
	const { provisions, starts } = provisionsOf(() => "failed");
	for (let i = 0; i < 100; i++) {
		await provisions.set(new Version(1, 1), () => "heavy");
		provisions.settle();
	}
	assert.equal(starts(), 1);
});

test("one that was there and is lost is started again at once, and less and less often where that goes on", async () => {
	const ends: PreloadEnd[] = ["started", "warm"];
	const { provisions, sandbox, starts } = provisionsOf(() => ends.shift() ?? "started");
	const one = new Version(1, 1);
	const look = () => provisions.set(one, () => "heavy");
	await look();
	provisions.doubt(1, sandbox);
	await look();
	assert.equal(starts(), 2, "it was there");
	await look();
	assert.equal(starts(), 2);
	for (let i = 0; i < 100; i++) {
		provisions.doubt(1, sandbox);
		await look();
	}
	assert.equal(starts(), 4);
});
