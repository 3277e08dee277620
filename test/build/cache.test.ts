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
