import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { startPlatform } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const config = join(temporaryFolder(), "atoll.server.jsonc");
writeFileSync(config, JSON.stringify({ cache: { maxIsolates: 4 }, maxProvisioned: 5 }));
const platform = await startPlatform("--config", config);
const FUNCTIONS = "/v1/tenants/default/functions";

/** What the log has of a function: its requests' records, and its own lines. */
function logOf(name: string): { cold?: boolean; msg?: string; message?: string }[] {
	const lines = platform.log.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
	return lines.map((line) => JSON.parse(line)).filter((one) => one.function === name);
}

/** Which of a function's requests so far had to start an isolate, once there are so many of them. */
async function coldOf(name: string, count: number): Promise<boolean[]> {
	const records = () => logOf(name).flatMap(({ cold }) => (cold === undefined ? [] : [cold]));
	await until(() => records().length >= count);
	return records();
}

/** How many of a function's isolates have said that they start. */
const started = (name: string, what = "starts") =>
	logOf(name).filter((one) => JSON.stringify(one).includes(`"${what}"`)).length;

const loud = (text: string, what = "starts") => `console.log("${what}");${say(text)}`;

async function flood(): Promise<void> {
	for (let i = 0; i < 8; i++) assert.equal((await platform.get(`flood${i}.localhost`)).text, "flood");
}

test("a function that is provisioned is never cold, however many others are asked for", async () => {
	for (let i = 0; i < 8; i++) await platform.deploy(`flood${i}`, say("flood"));
	await platform.deploy("usual", say("usual"));
	await platform.deploy("kept", loud("kept"));
	const { code, output } = await platform.atoll("settings", "kept", "--provisioned", "1");
	assert.equal(code, 0, output);
	assert.match(output, /provisioned +1\nmax-instances +none/);
	for (let i = 1; i <= 3; i++) {
		for (const name of ["kept", "usual"]) assert.equal((await platform.get(`${name}.localhost`)).text, name);
		await flood();
	}
	assert.deepEqual((await coldOf("usual", 3)).slice(1), [true, true]);
	assert.deepEqual(await coldOf("kept", 3), [false, false, false]);
	// A new version has its isolate before it has traffic.
	await platform.deploy("kept", loud("new"));
	await flood();
	assert.equal((await platform.get("kept.localhost")).text, "new");
	assert.deepEqual(await coldOf("kept", 4), [false, false, false, false]);
});

test("it is warm again after its sandbox was killed", async () => {
	await platform.deploy("lost", loud("lost"));
	await platform.atoll("settings", "lost", "--provisioned", "1");
	await until(() => started("lost") === 2); // In the spare as well.
	// The spare is started after it.
	const home = pidBelow(platform.supervisor.child.pid as number, /isolates-main|isolates\/main/);
	process.kill(home, "SIGKILL");
	await until(() => /was lost/.test(platform.log));
	assert.equal((await platform.get("lost.localhost")).text, "lost");
	assert.deepEqual(await coldOf("lost", 1), [false]);
	await until(() => started("lost") === 3);
});

test("each version with traffic is provisioned, from the release on", async () => {
	await platform.atoll("settings", "lost", "--provisioned", "0");
	await platform.deploy("split", loud("one", "first"));
	await platform.deploy("split", loud("two", "second"));
	await platform.atoll("settings", "split", "--provisioned", "1");
	await until(() => started("split", "second") === 2);
	const before = started("split", "first");
	await platform.atoll("promote", "split", "1@1", "2@99");
	await until(() => started("split", "first") === before + 2);
	await platform.atoll("settings", "split", "--provisioned", "0");
});

test("what a function cannot have is refused, and changes nothing", async () => {
	await platform.deploy("bound", say("bound"));
	const settings = async (...args: string[]) => {
		const { code, output } = await platform.atoll("settings", "bound", ...args);
		return `${code} ${output}`;
	};
	assert.match(await settings("--provisioned", "2", "--max-instances", "3"), /^0 provisioned +2\nmax-instances +3/);
	assert.match(await settings("--provisioned", "4"), /^2 .*4 instances provisioned, and 3 at most/);
	assert.match(await settings("--max-instances", "1"), /^2 .*2 instances provisioned, and 1 at most/);
	assert.match(
		await settings("--provisioned", "5", "--max-instances", "none"),
		/^2 .*may have 5 instances provisioned, and its other functions have 1: there is no room for 5/,
	);
	assert.match(await settings("--max-instances", "many"), /^1 .*must be a whole number/);
	const { status } = await platform.api("PATCH", `${FUNCTIONS}/bound`, { maxInstances: 0, paused: false });
	assert.equal(status, 400);
	assert.match(await settings(), /^0 provisioned +2\nmax-instances +3/);
	assert.match((await platform.atoll("list")).output, /bound +serving +2 +3 /);
});

test("none at most is paused, and what it may have else is not forgotten", async () => {
	await platform.atoll("settings", "bound", "--max-instances", "0");
	const { status, text } = await platform.get("bound.localhost");
	assert.equal(status, 503);
	assert.match(text, /"code":"paused"/);
	const shown = async () => (await platform.api("GET", `${FUNCTIONS}/bound`)).body as object;
	assert.partialDeepStrictEqual(await shown(), { paused: true, maxInstances: 0, provisioned: 2 });
	await platform.atoll("resume", "bound");
	assert.equal((await platform.get("bound.localhost")).text, "bound");
	assert.partialDeepStrictEqual(await shown(), { paused: false, maxInstances: 3, provisioned: 2 });
	await platform.atoll("pause", "bound");
	assert.partialDeepStrictEqual(await shown(), { paused: true, maxInstances: 0 });
	await platform.atoll("settings", "bound", "--max-instances", "2");
	assert.equal((await platform.get("bound.localhost")).text, "bound");
});
