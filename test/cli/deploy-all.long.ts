import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deployAll } from "../../src/cli/deploy-all.ts";
import { findFunctions } from "../../src/config/project.ts";
import { say } from "../support/command-line.ts";
import { errorCode, TestRuntime } from "../support/runtime.ts";

/** As long as a start may be asked to take: none of these tests waits for its end. */
const atoll = new TestRuntime({ maxLimits: { startupCpuMs: 600_000 } });

async function sourcesOf(folder: string, files: Record<string, string>) {
	for (const [file, content] of Object.entries(files)) await atoll.write(join(folder, file), content);
	return findFunctions(join(atoll.folder, folder), { domain: "test" });
}

const HANGING = {
	"hangs/atoll.jsonc": '{ "limits": { "startupCpuMs": 600000 } }',
	"hangs/index.js": `for (;;); ${say("")}`,
};

test("one whose build was not waited for is served once it is built", async () => {
	const sources = await sourcesOf("late", { "late.js": say("late") });
	const [outcome] = await deployAll(atoll.runtime, sources, () => undefined, 0);
	assert.equal(outcome.fault, "is still being built");
	assert.equal(await errorCode(await atoll.fetch("late")), "building");
	assert.equal((await outcome.later)?.fault, null);
	assert.equal(await atoll.text("late"), "late");
});

test("all that build in time are waited for", async () => {
	const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`many${i}.js`, say(`${i}`)]));
	const outcomes = await deployAll(atoll.runtime, await sourcesOf("many", files), () => undefined, 60_000);
	assert.deepEqual(new Set(outcomes.map(({ fault }) => fault)), new Set([null]));
	assert.equal(await atoll.text("many7"), "7");
});

test("as many as can be built at a time may hang, and the next one is built all the same", async () => {
	const hanging = Array.from({ length: Math.min(4, Math.max(2, availableParallelism())) }, (_, i) => [
		[`a${i}/atoll.jsonc`, HANGING["hangs/atoll.jsonc"]],
		[`a${i}/index.js`, HANGING["hangs/index.js"]],
	]);
	const sources = await sourcesOf("some", { ...Object.fromEntries(hanging.flat()), "next.js": say("next") });
	const outcomes = await deployAll(atoll.runtime, sources, () => undefined, 1);
	const next = outcomes.find(({ source }) => source.name === "next");
	assert.equal((await next?.later)?.fault, null);
	assert.equal(await atoll.text("next"), "next");
	for (const { source } of outcomes)
		if (source.name !== "next") assert.equal(await errorCode(await atoll.fetch(source.name)), "building");
});

test("others are served while one's top level hangs, and it answers building with a time to come back", async () => {
	const sources = await sourcesOf("one", { ...HANGING, "broken.js": "export default {", "good.js": say("good") });
	const outcomes = await deployAll(atoll.runtime, sources, () => undefined, 1);
	const outcomeOf = (name: string) => {
		const found = outcomes.find(({ source }) => source.name === name);
		return found?.later ?? found;
	};
	assert.equal((await outcomeOf("good"))?.fault, null);
	assert.equal((await outcomeOf("broken"))?.fault, "does not build");
	const hanging = outcomes.find(({ source }) => source.name === "hangs");
	assert.equal(hanging?.fault, "is still being built");

	assert.equal(await atoll.text("good"), "good");
	assert.equal(await errorCode(await atoll.fetch("broken")), "startup_failed");
	const response = await atoll.fetch("hangs");
	assert.equal(response.status, 503);
	assert.equal(response.headers.get("retry-after"), "1");
	assert.equal(await errorCode(response), "building");
});
