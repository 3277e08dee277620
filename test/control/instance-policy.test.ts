import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Catalog } from "../../src/control/catalog/catalog.ts";
import { HostnamePolicy } from "../../src/control/catalog/hostname-policy.ts";
import { InstancePolicy } from "../../src/control/catalog/instance-policy.ts";
import { Sealer } from "../../src/control/secrets.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { temporaryFolder } from "../support/runtime.ts";

test("two functions that are provisioned at the same time do not get more than their tenant may have", async (t) => {
	const folder = temporaryFolder();
	const store = SqliteStore.open(join(folder, "control.sqlite"));
	t.after(() => store.close());
	const catalog = new Catalog({
		...{ store, sealer: Sealer.open(folder, "0".repeat(64)) },
		...{ hostnames: new HostnamePolicy(store, "localhost"), instances: new InstancePolicy(store, 10) },
	});
	const ids = ["a", "b"].map((name) => ({ tenant: "default", name }));
	for (const id of ids)
		await catalog.change({ actor: "test", action: "test" }, id, (value) => ({ value }), { create: true });
	// A store that takes a while, and ever longer, has somebody else's commit come in between.
	let waitMs = 0;
	t.mock.method(store, "list", async (...args: Parameters<SqliteStore["list"]>) => {
		const found = await SqliteStore.prototype.list.apply(store, args);
		waitMs += 20;
		await sleep(waitMs);
		return found;
	});
	const results = await Promise.allSettled(ids.map((id) => catalog.set("test", id, { provisioned: 6 })));
	assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
	const both = await Promise.all(ids.map((id) => catalog.find(id)));
	assert.deepEqual(both.map(({ value }) => value.provisioned).sort(), [0, 6]);
});
