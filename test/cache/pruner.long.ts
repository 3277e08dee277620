import assert from "node:assert/strict";
import { readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ArtifactStore } from "../../src/cache/artifact-store.ts";
import { Pruner } from "../../src/cache/pruner.ts";
import { createRuntime, type RuntimeOptions } from "../../src/index.ts";
import { TestRuntime, temporaryFolder } from "../support/runtime.ts";
import { lendSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

const HOUR = 3600;
const key = (first: string) => first.padEnd(64, "0");

/** What each file here takes; a smaller one would count for as much, a block. */
const FILE_BYTES = 4096;

/** Makes a file that nobody has used for some hours. */
async function put(folder: string, name: string, hours: number): Promise<void> {
	const then = Date.now() / 1000 - hours * HOUR;
	await writeFile(join(folder, name), Buffer.alloc(FILE_BYTES));
	await utimes(join(folder, name), then, then);
}

/** A store with files of some hours, and all that pruning it to a size removed. */
async function prune(ages: Record<string, number>, maxBytes: number, deployed: string[] = []) {
	const store = await ArtifactStore.open(temporaryFolder());
	for (const [name, hours] of Object.entries(ages)) await put(store.folder, name, hours);
	store.snapshotInUse = "5ca1e";
	const removed: { files: number; bytes: number }[] = [];
	const pruner = new Pruner(store, {
		maxBytes,
		deployed: () => new Set(deployed),
		onPruned: (what) => removed.push(what),
		onFailed: (error) => assert.fail(error),
	});
	await pruner.run();
	await pruner.close();
	return { left: (await readdir(store.folder)).sort(), removed, store };
}

test("artifacts beyond the bound go with their source maps, the least recently used first", async () => {
	const ages: Record<string, number> = {};
	for (const [first, hours] of Object.entries({ a: 5, b: 9, c: 2, d: 7 })) {
		ages[`${key(first)}.artifact`] = hours;
		ages[`${key(first)}.map`] = 20;
	}
	const { left, removed } = await prune(ages, 5 * FILE_BYTES);
	assert.deepEqual(left, [`${key("a")}.artifact`, `${key("a")}.map`, `${key("c")}.artifact`, `${key("c")}.map`]);
	assert.deepEqual(removed, [{ files: 4, bytes: 4 * FILE_BYTES }]);
});

test("what is deployed stays however old it is, and so does what was used within the hour", async () => {
	const { left, store } = await prune(
		{ [`${key("a")}.artifact`]: 9, [`${key("b")}.artifact`]: 0.5, [`${key("c")}.artifact`]: 2 },
		1,
		[key("a")],
	);
	assert.deepEqual(left, [`${key("a")}.artifact`, `${key("b")}.artifact`]);
	// And it is marked, so that a server beside which has not deployed it keeps it too.
	const { mtimeMs } = await stat(join(store.folder, `${key("a")}.artifact`));
	assert.ok(Date.now() - mtimeMs < HOUR * 1000);
});

test("files of sites go and stay as artifacts do", async () => {
	const ages = { [`${key("a")}.asset`]: 9, [`${key("b")}.asset`]: 9, [`${key("c")}.asset.0123456789ab`]: 2 };
	const { left, store } = await prune(ages, 1, [key("a")]);
	assert.deepEqual(left, [`${key("a")}.asset`]);
	const { mtimeMs } = await stat(join(store.folder, `${key("a")}.asset`));
	assert.ok(Date.now() - mtimeMs < HOUR * 1000);
});

test("drafts and other toolchains' snapshots go after an hour, though there is room; nothing that is not the store's", async () => {
	const { left } = await prune(
		{
			[`${key("a")}.artifact.0123456789ab`]: 2,
			[`${key("d")}.map.0123456789ab`]: 2,
			"5ca1e.snapshot.0123456789ab": 2,
			[`${key("b")}.artifact.0123456789ab`]: 0.5,
			"5ca1e.snapshot": 200,
			"f00d.snapshot": 2,
			"beef.snapshot": 0.5,
			"notes.txt": 200,
			[`${key("c")}.artifact`]: 200,
		},
		1_000_000,
		[key("d")],
	);
	assert.deepEqual(
		left,
		[
			"5ca1e.snapshot",
			`${key("b")}.artifact.0123456789ab`,
			"beef.snapshot",
			`${key("c")}.artifact`,
			"notes.txt",
		].sort(),
	);
});

test("nothing is told where nothing is removed", async () => {
	const { left, removed } = await prune({ [`${key("a")}.artifact`]: 50 }, 1_000_000);
	assert.equal(left.length, 1);
	assert.deepEqual(removed, []);
});

const atoll = new TestRuntime({ isolation: "inline" });

test("a runtime prunes what another left, which builds its function again when it is asked for", async () => {
	await atoll.deploy("pruned", `export default { fetch: () => new Response("whole") }`);
	const data = join(atoll.folder, "data");
	const folder = join(data, "artifacts");
	const artifacts = async () => (await readdir(folder)).filter((name) => /\.(?:artifact|map)$/.test(name));
	const before = await artifacts();
	assert.equal(before.length, 2);
	for (const name of before) await utimes(join(folder, name), 0, 0);
	const told: [object, string][] = [];
	const ignore = () => undefined;
	const options: RuntimeOptions = { data, isolation: "inline", cache: { maxDiskBytes: 1 } };
	const logger = { debug: ignore, warn: ignore, error: ignore, info: (...line: [object, string]) => told.push(line) };
	await using other = await createRuntime({ ...options, logger });
	await until(() => told.some(([, message]) => message.includes("were removed")));
	assert.deepEqual(await artifacts(), []);
	assert.equal((told[0][0] as { files: number }).files, 2);
	assert.equal(other.stats().functions, 0);
	assert.equal(await atoll.text("pruned"), "whole");
	assert.deepEqual((await artifacts()).sort(), before.sort());
});

test("an artifact that is used is marked so for servers beside", async () => {
	const source = `export default { fetch: () => new Response("marked") }`;
	const data = join(temporaryFolder(), "data");
	lendSnapshot(data);
	const entry = await atoll.write("marked.js", source);
	const deploy = async () => {
		await using runtime = await createRuntime({ data, isolation: "inline" });
		await runtime.deploy({ name: "marked", hostnames: ["*"], entry });
	};
	await deploy();
	const store = await ArtifactStore.open(data);
	const name = (await readdir(store.folder)).find((file) => file.endsWith(".artifact")) as string;
	await utimes(join(store.folder, name), 0, 0);
	await deploy();
	await until(async () => (await stat(join(store.folder, name))).mtimeMs > 0);
});
