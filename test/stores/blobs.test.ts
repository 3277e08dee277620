import assert from "node:assert/strict";
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Blobs } from "../../src/stores/blobs.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder();
const kept = () => readdirSync(join(folder, "blobs")).length;

/** Puts one into the folder, as a change that is committed. */
async function put(blobs: Blobs): Promise<string> {
	const name = await blobs.append("tenant", "", Buffer.from("bytes"), { most: 100, room: 100, hashes: [] });
	blobs.keep("tenant", name);
	blobs.settle(true);
	return name;
}

test("what is left while a backup is made goes once it is over, whichever process removes it", async () => {
	const blobs = new Blobs(folder);
	const [one, two] = [await put(blobs), await put(blobs)];
	new Blobs(folder).hold();
	blobs.leave(one);
	blobs.settle(true);
	blobs.sweep(new Set());
	assert.equal(kept(), 2);
	const longAgo = new Date(Date.now() - 3600_000);
	utimesSync(join(folder, "hold"), longAgo, longAgo);
	blobs.leave(two);
	blobs.settle(true);
	await until(() => kept() === 0);
});
