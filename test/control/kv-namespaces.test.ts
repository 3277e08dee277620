import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { tenantNamespaces } from "../../src/control/kv/namespaces.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { temporaryFolder } from "../support/runtime.ts";

const folder = temporaryFolder();
const store = SqliteStore.open(join(folder, "control.sqlite"));
const launcher = new Launcher();
const data = new DataProcess(launcher, join(folder, "stores"));
const namespaces = tenantNamespaces({ store, data, storedBytes: 2 ** 20 });
after(async () => {
	await data.close();
	await launcher.close();
	await store.close();
});

test("what was in a namespace goes, too, if control ended before it had", async () => {
	const { id } = await namespaces.create("test", "default", "title");
	const opened = await namespaces.open("default", id, "deploy");
	await opened.put({ key: "k", metadata: null, expiration: null, expirationTtl: null }, Buffer.from("v"));
	// As far as a removal gets that is cut off.
	await store.commit({ actor: "test", action: "test", target: id }, [
		{ kind: "kvRemoved", key: `default/${id}`, value: { tenant: "default", id }, expected: 0 },
	]);
	await namespaces.tidy();
	assert.deepEqual((await opened.list({ prefix: "", cursor: "", limit: 10 })).keys, []);
	assert.deepEqual(await store.list("kvRemoved"), []);
});

test("of two who make or rename a namespace at the same time one gets the title", async () => {
	const made = await Promise.allSettled([1, 2].map(() => namespaces.create("test", "default", "raced")));
	assert.deepEqual(made.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
	const [one, two] = [await namespaces.create("test", "default", "1"), await namespaces.create("test", "default", "2")];
	const renamed = await Promise.allSettled([one, two].map(({ id }) => namespaces.rename("test", "default", id, "3")));
	assert.deepEqual(renamed.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
	const refused = renamed.find(({ status }) => status === "rejected") as PromiseRejectedResult;
	assert.equal((refused.reason as { code: string }).code, "title_taken");
	await namespaces.create("test", "other", "3");
});
