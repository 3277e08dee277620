import assert from "node:assert/strict";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime } from "../../src/index.ts";
import { TestRuntime, temporaryFolder } from "../support/runtime.ts";

const atoll = new TestRuntime();
const artifacts = async () => {
	const folder = join(atoll.folder, "data", "artifacts");
	return (await readdir(folder)).filter((name) => name.endsWith(".artifact")).map((name) => join(folder, name));
};

test("an unchanged source comes from the cache, a changed one does not", async () => {
	const source = `export default { fetch: () => new Response("one") }`;
	assert.equal((await atoll.deploy("cached", source)).cached, false);
	const again = await atoll.deploy("cached", source);
	assert.equal(again.cached, true);
	const changed = await atoll.deploy("cached", source.replace("one", "two"));
	assert.equal(changed.cached, false);
	assert.notEqual(changed.version, again.version);
	assert.equal(await atoll.text("cached"), "two");
});

test("deployments that differ in their variables share an artifact and a version, and each has its own start", async () => {
	const source = `
		import { env } from "cloudflare:workers";
		if (env.fails) throw new Error("the top level fails with " + env.fails);
		export default { fetch: (_, { who }) => new Response(who) }`;
	const deploy = (env: Record<string, unknown>) => atoll.deploy("shared", source, { env });
	const before = new Set(await artifacts());
	const mine = await deploy({ who: "me" });
	assert.equal(await atoll.text("shared"), "me");
	const yours = await deploy({ who: "you" });
	assert.equal(await atoll.text("shared"), "you");
	assert.deepEqual([mine.cached, yours.cached], [false, true]);
	assert.equal(yours.version, mine.version);
	const broken = [await deploy({ fails: "a" }), await deploy({ fails: "b" }), await deploy({ fails: "a" })];
	assert.deepEqual(
		broken.map(({ startFailure }) => startFailure),
		["a", "b", "a"].map((which) => `Error: the top level fails with ${which}`),
	);
	assert.equal((await deploy({ who: "me" })).startFailure, null);
	assert.equal(await atoll.text("shared"), "me");
	assert.equal((await artifacts()).filter((one) => !before.has(one)).length, 1);
});

test("what came of a start is read again, and not where it was damaged", async () => {
	const source = `export default { fetch: () => new Response() }`;
	const folder = join(atoll.folder, "data", "artifacts");
	const starts = async () => (await readdir(folder)).filter((name) => name.endsWith(".start"));
	const before = new Set(await starts());
	await atoll.deploy("noted", source);
	const [note] = (await starts()).filter((name) => !before.has(name));
	await truncate(join(folder, note), 40);
	await atoll.deploy("noted", source);
	const again = await readFile(join(folder, note));
	assert.ok(again.length > 40);
	await atoll.deploy("noted", source);
	assert.deepEqual(await readFile(join(folder, note)), again);
	assert.equal((await starts()).length, before.size + 1);
});

test("a version that may compute for longer is another version, of the same artifact", async () => {
	const source = `export default { fetch: () => new Response() }`;
	const short = await atoll.deploy("limited", source, { limits: { cpuMs: 100 } });
	const long = await atoll.deploy("limited", source, { limits: { cpuMs: 200 } });
	const again = await atoll.deploy("limited", source, { limits: { cpuMs: 100 } });
	assert.notEqual(long.version, short.version);
	assert.equal(again.version, short.version);
	assert.deepEqual([short.cached, long.cached, again.cached], [false, true, true]);
});

for (const [what, damage] of Object.entries({
	truncated: async (path: string) => truncate(path, 100),
	emptied: async (path: string) => truncate(path, 0),
	edited: async (path: string) => {
		const bytes = await readFile(path);
		bytes[bytes.length - 20] ^= 1;
		await writeFile(path, bytes);
	},
})) {
	test(`an artifact that was ${what} is made again, never loaded`, async () => {
		const source = `export default { fetch: () => new Response("whole ${what}") }`;
		const before = new Set(await artifacts());
		await atoll.deploy("damaged", source);
		const path = (await artifacts()).find((one) => !before.has(one)) as string;
		await damage(path);
		assert.equal(await atoll.text("damaged"), `whole ${what}`);
		await damage(path);
		assert.equal((await atoll.deploy("damaged", source)).cached, false);
		assert.equal(await atoll.text("damaged"), `whole ${what}`);
	});
}

test("a damaged base snapshot is made again", async () => {
	const data = join(temporaryFolder(), "data");
	await (await createRuntime({ data })).close();
	const folder = join(data, "artifacts");
	const snapshot = join(folder, (await readdir(folder)).find((name) => name.endsWith(".snapshot")) as string);
	const whole = await readFile(snapshot);
	const edited = Buffer.from(whole);
	edited[edited.length >> 1] ^= 1;
	await writeFile(snapshot, edited);
	await using runtime = await createRuntime({ data });
	const entry = await atoll.write("again.js", `export default { fetch: () => new Response("again") }`);
	await runtime.deploy({ name: "again", hostnames: ["*"], entry });
	assert.equal(await (await runtime.fetch(new Request("http://any.test/"))).text(), "again");
	assert.notDeepEqual(await readFile(snapshot), edited);
});

test("a data folder that cannot be made is said so", async () => {
	const file = await atoll.write("a-file", "");
	await assert.rejects(createRuntime({ data: join(file, "data") }), {
		name: "UsageError",
		message: /the data folder .*a-file\/data cannot be made: ENOTDIR/,
	});
});
