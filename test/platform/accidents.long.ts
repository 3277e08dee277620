import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { Platform, startPlatform } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { noMoreDisk, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

// Before any test is there: those that come later would find it ended with the first.
const platform = await startPlatform();
const FUNCTIONS = "/v1/tenants/default/functions";

test("on a full disk nothing is kept and all is served, and with room again it goes on", async (t) => {
	const small = new Platform();
	if (!smallDisk(small.data, "24m")) return t.skip("this user cannot mount a small disk");
	try {
		await small.up();
		await small.deploy("kept", say("kept"));
		const filler = join(small.data, "filler");
		await writeFile(filler, Buffer.alloc(32 * 2 ** 20)).catch(() => undefined);
		const codes = new Set<number>();
		for (let i = 0; i < 50; i++)
			codes.add(
				(await small.api("PATCH", `${FUNCTIONS}/kept/variables`, { LARGE: `${i}${"x".repeat(100_000)}` })).status,
			);
		assert.ok(codes.has(507), [...codes].join());
		assert.ok([...codes].every((code) => code === 200 || code === 507));
		await assert.rejects(small.deploy("another", say("another")), /disk is full/);
		assert.equal((await small.get("kept.localhost")).status, 200);
		await rm(filler);
		await small.deploy("another", say("another"));
		assert.equal((await small.get("another.localhost")).text, "another");
		assert.doesNotMatch(small.log, /has ended/);
		assert.equal(await small.stop(), 0);
	} finally {
		// However it ends: the folder could not be removed.
		await small.stop();
		noMoreDisk(small.data);
	}
});

test("a database that is gone is not taken for an empty one: traffic goes on until it is back", async () => {
	await platform.deploy("kept", say("kept"));
	const control = pidBelow(platform.supervisor.child.pid as number, /src\/control\/main/);
	const files = ["control.sqlite", "control.sqlite-wal"].filter((name) => existsSync(join(platform.data, name)));
	for (const name of files) await rename(join(platform.data, name), join(platform.data, `${name}.aside`));
	process.kill(control, "SIGKILL");
	await platform.supervisor.until(/has uploads and no database: restore a backup/);
	assert.equal((await platform.get("kept.localhost")).text, "kept");
	for (const name of files) await rename(join(platform.data, `${name}.aside`), join(platform.data, name));
	await until(async () => (await platform.api("GET", "/v1/whoami").catch(() => null))?.status === 200);
	await platform.deploy("next", say("next"));
	assert.equal((await platform.get("next.localhost")).text, "next");
});

test("deploys amid a restart, and amid control's and the edge's end, are made or not, and told so", async () => {
	const deploy = (name: string) =>
		platform.deploy(name, say(name)).then(
			() => "made",
			(error: Error) => error.message,
		);
	const names = ["a", "b", "c", "d"];
	const amidRestart = Promise.all(names.map((name) => deploy(`restart-${name}`)));
	await until(async () => (await platform.api("GET", `${FUNCTIONS}/restart-a`)).status === 200);
	platform.supervisor.child.kill("SIGHUP");
	assert.deepEqual(await amidRestart, ["made", "made", "made", "made"]);
	for (const name of names) assert.equal((await platform.get(`restart-${name}.localhost`)).text, `restart-${name}`);
	await platform.supervisor.until(/"msg":"restarted"/);
	for (const role of [/src\/control\/main/, /src\/edge\/main/]) {
		const amid = names.map((name) => deploy(`amid-${name}`));
		process.kill(pidBelow(platform.supervisor.child.pid as number, role), "SIGKILL");
		await Promise.all(amid);
		await until(async () => (await platform.api("GET", "/v1/whoami").catch(() => null))?.status === 200);
		for (const name of names) {
			assert.equal(await deploy(`amid-${name}`), "made");
			assert.equal((await platform.get(`amid-${name}.localhost`)).text, `amid-${name}`);
		}
	}
});

test("a supervisor that was killed is followed by another while the old edge finishes what it has", async () => {
	const other = await Platform.start();
	try {
		const finish = await other.inFlight("echo", "half");
		const { child } = other.supervisor;
		child.kill("SIGKILL");
		await once(child, "exit");
		// As whatever starts it again would: it is refused as long as the old one's control has the store.
		const deadline = performance.now() + 20_000;
		const again = (): Promise<void> =>
			other.up().catch((error: Error) => {
				if (performance.now() > deadline) throw error;
				return again();
			});
		await again();
		assert.equal((await other.get("echo.localhost")).status, 200);
		assert.equal(await finish(), "half");
	} finally {
		await other.stop();
	}
});

test("uploads and artifacts that were deleted cost those who need them, and no others", async () => {
	await platform.deploy("lost", say("lost"));
	assert.equal((await platform.get("lost.localhost")).text, "lost");
	await rm(join(platform.data, "artifacts"), { recursive: true });
	await mkdir(join(platform.data, "artifacts"));
	assert.equal((await platform.get("lost.localhost")).text, "lost");
	await platform.deploy("more", say("more"));
	assert.equal((await platform.get("more.localhost")).text, "more");
	await rm(join(platform.data, "uploads"), { recursive: true });
	assert.equal((await platform.get("lost.localhost")).text, "lost");
	const { status, body } = await platform.api("POST", `${FUNCTIONS}/lost/releases`, {
		shares: [{ version: "1", percent: 100 }],
	});
	assert.ok(status === 500 || status === 422, String(status));
	assert.doesNotMatch(JSON.stringify(body), /\bat |node:/);
	assert.equal((await platform.get("lost.localhost")).text, "lost");
});
