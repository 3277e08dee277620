import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Sealer } from "../../src/control/secrets.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { AssetUploads } from "../../src/control/uploads/asset-uploads.ts";
import { Uploads } from "../../src/control/uploads/uploads.ts";
import { temporaryFolder } from "../support/runtime.ts";

const shop = { tenant: "acme", name: "shop" };

test("two who send some of the same files at the same time each get all of theirs", async () => {
	const folder = join(temporaryFolder(), "data");
	await mkdir(folder);
	const store = SqliteStore.open(join(folder, "control.sqlite"));
	const assets = new AssetUploads(store, await Uploads.open(folder), Sealer.open(folder));
	for (let round = 0; round < 5; round++) {
		const deploy = async (files: readonly string[]) => {
			const manifest = Object.fromEntries(files.map((hash) => [`/${hash}`, { hash, size: 1 }]));
			const { jwt, buckets } = await assets.begin(shop, manifest);
			assert.deepEqual(buckets, [files]);
			return { jwt, sent: files.map((hash) => ({ hash, bytes: Buffer.from(hash), type: "" })) };
		};
		const both = await Promise.all([deploy([`a${round}`, `b${round}`]), deploy([`b${round}`, `c${round}`])]);
		const done = await Promise.all(both.map(({ jwt, sent }) => assets.receive(jwt, sent)));
		for (const jwt of done) assert.match(await assets.complete(shop, jwt ?? ""), /^[0-9a-f]{64}$/);
	}
	await store.close();
});
