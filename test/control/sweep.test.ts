import assert from "node:assert/strict";
import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Sealer } from "../../src/control/secrets.ts";
import type { VersionDocument } from "../../src/control/store/documents.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { AssetUploads } from "../../src/control/uploads/asset-uploads.ts";
import { sweep } from "../../src/control/uploads/sweep.ts";
import { Uploads } from "../../src/control/uploads/uploads.ts";
import { temporaryFolder } from "../support/runtime.ts";

test("uploads that no version has any more are removed, and others and recent ones stay", async () => {
	const folder = join(temporaryFolder(), "data");
	await mkdir(folder);
	const uploads = await Uploads.open(folder);
	const store = SqliteStore.open(join(folder, "control.sqlite"));
	const save = (text: string) => uploads.save(Buffer.from(text));
	const [source, file, orphan, unnamed] = await Promise.all(["source", "file", "orphan", "unnamed"].map(save));
	const manifest = await save(JSON.stringify({ "/a": { upload: file, size: 4, type: "" } }));
	const asset = (upload: string) => ({ upload, size: 4, type: "" });
	const site = { manifest, config: {}, alone: false };
	const version = { upload: source, site } as unknown as VersionDocument;
	await store.commit({ actor: "", action: "", target: "" }, [
		{ kind: "version", key: "default/shop/1", value: version, expected: 0 },
		{ kind: "asset", key: "default/shop/aa", value: asset(file), expected: 0 },
		{ kind: "asset", key: "default/shop/bb", value: asset(orphan), expected: 0 },
	]);
	const old = new Date(Date.now() - 48 * 3600_000);
	for (const name of await readdir(join(folder, "uploads"))) await utimes(join(folder, "uploads", name), old, old);
	const recent = await save("recent");
	assert.deepEqual(await sweep(store, uploads), { files: 2, assets: 1 });
	const left = await readdir(join(folder, "uploads"));
	assert.deepEqual(left.sort(), [source, file, manifest, recent].sort());
	assert.ok(!left.includes(unnamed));
	assert.deepEqual(
		(await store.list("asset")).map(({ key }) => key),
		["default/shop/aa"],
	);
	await store.close();
});

test("files that were here before stay for a version that is about to have them", async () => {
	const folder = join(temporaryFolder(), "data");
	await mkdir(folder);
	const uploads = await Uploads.open(folder);
	const store = SqliteStore.open(join(folder, "control.sqlite"));
	const assets = new AssetUploads(store, uploads, Sealer.open(folder));
	const shop = { tenant: "default", name: "shop" };
	const manifest = { "/a": { hash: "aa", size: 4 } };
	const { jwt } = await assets.begin(shop, manifest);
	await assets.receive(jwt, [{ hash: "aa", bytes: Buffer.from("file"), type: "" }]);
	const old = new Date(Date.now() - 48 * 3600_000);
	for (const name of await readdir(join(folder, "uploads"))) await utimes(join(folder, "uploads", name), old, old);
	const again = await assets.begin(shop, manifest);
	assert.deepEqual(again.buckets, []);
	const whole = JSON.parse((await uploads.read(await assets.complete(shop, again.jwt))).toString());
	// A version that is built for minutes meanwhile.
	await sweep(store, uploads);
	assert.equal((await uploads.read(whole["/a"].upload)).toString(), "file");
	await store.close();
});
