import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { isRefused, startPlatform } from "../support/platform.ts";
import { below, pidBelow } from "../support/process-tree.ts";
import { SteadyLoad } from "../support/steady-load.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();

const pidOf = (role: RegExp): number => pidBelow(platform.supervisor.child.pid as number, role);
const EDGE = /src\/edge\/main/;
const CONTROL = /src\/control\/main/;

await platform.deploy("steady", say("steady"));
const good = "200 steady";

test("control may be killed: traffic goes on, and it is started again with all that it had", async () => {
	const load = new SteadyLoad(platform.port, "steady.localhost");
	await load.more(50);
	const before = pidOf(CONTROL);
	process.kill(before, "SIGKILL");
	await until(async () => {
		const response = await platform.api("GET", "/v1/tenants/default/functions/steady").catch(() => null);
		return response?.status === 200;
	});
	assert.notEqual(pidOf(CONTROL), before);
	await platform.deploy("after", say("after"));
	assert.equal((await platform.get("after.localhost")).text, "after");
	await load.end();
	assert.deepEqual(Object.keys(load.answers), [good]);
});

test("an edge that is killed loses what was in flight and no more: nobody is refused", async () => {
	const connections = 8;
	const load = new SteadyLoad(platform.port, "steady.localhost", connections);
	await load.more(50);
	process.kill(pidOf(EDGE), "SIGKILL");
	await load.more(200);
	await load.end();
	const { [good]: answered, ...lost } = load.answers;
	assert.ok(answered > 0);
	assert.ok(Object.values(lost).reduce((sum, count) => sum + count, 0) <= connections, JSON.stringify(lost));
	assert.ok(!("failed ECONNREFUSED" in lost), JSON.stringify(lost));
});

test("a sandbox that is killed fails nobody", async () => {
	const load = new SteadyLoad(platform.port, "steady.localhost");
	await load.more(50);
	process.kill(pidOf(/isolates-main|isolates\/main/), "SIGKILL");
	await load.more(200);
	await load.end();
	assert.deepEqual(Object.keys(load.answers), [good]);
});

test("SIGHUP replaces control and edge, and no request fails", async () => {
	const load = new SteadyLoad(platform.port, "steady.localhost");
	await load.more(50);
	const before = [pidOf(EDGE), pidOf(CONTROL)];
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	await platform.supervisor.until(/"msg":"restarted"/);
	await load.more(200);
	const tree = () => below(platform.supervisor.child.pid as number).map(({ pid }) => pid);
	// The old ones go by themselves, once their connections have.
	await until(() => !tree().includes(before[0]) && !tree().includes(before[1]));
	await load.end();
	assert.deepEqual(Object.keys(load.answers), [good]);
});

test("at the end it refuses who connects, on either port, while it finishes what has begun", async () => {
	const finish = await platform.inFlight("late", "half");
	const stopped = platform.stop();
	for (const port of [platform.port, platform.adminPort]) await until(() => isRefused(port));
	assert.equal(await finish(" and half"), "half and half");
	assert.equal(await stopped, 0);
	await platform.up();
});

test("it ends as well where its processes are just being replaced, and leaves nothing running", async () => {
	const pid = platform.supervisor.child.pid as number;
	const before = pidOf(CONTROL);
	process.kill(pid, "SIGHUP");
	// The old one is gone, and the new one is on its way.
	await until(() => below(pid).every((one) => one.pid !== before));
	assert.equal(await platform.stop(), 0);
	const left = below(0).filter(({ command }) => command.includes(platform.data));
	assert.deepEqual(left, []);
	assert.doesNotMatch(platform.log, /is started again/);
	await platform.up();
});

test("a supervisor that is killed leaves nothing running, and no acknowledged deployment is lost", async () => {
	await platform.deploy("acknowledged", say("kept"));
	const all = below(platform.supervisor.child.pid as number).map(({ pid }) => pid);
	platform.supervisor.child.kill("SIGKILL");
	await platform.supervisor.exit;
	const isRunning = (pid: number) => {
		try {
			return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
		} catch {
			return false;
		}
	};
	await until(() => !all.some(isRunning));
	await platform.up();
	assert.equal((await platform.get("acknowledged.localhost")).text, "kept");
});

test("a second server on the same data folder is told that there is one, `atoll serve` as well", async () => {
	const served = await platform.line.write("served", { "index.js": say("served") });
	const serve = platform.line.run(["serve", served, "--data", platform.data, "--port", "0"]);
	assert.equal(await serve.exit, 1);
	assert.match(serve.output(), /another atoll is at work on the data folder .*`atoll up`, process \d+/);
	const run = platform.line.run(["up", "--data", platform.data, "--port", "0", "--admin-port", "0"]);
	assert.equal(await run.exit, 1);
	assert.match(run.output(), /another atoll is at work on this data folder/);
	assert.equal(Number(readFileSync(join(platform.data, "atoll.pid"), "utf8")), platform.supervisor.child.pid);
	assert.equal((await platform.get("steady.localhost")).text, "steady");
});
