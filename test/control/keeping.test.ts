import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Catalog } from "../../src/control/catalog/catalog.ts";
import { HostnamePolicy } from "../../src/control/catalog/hostname-policy.ts";
import { InstancePolicy } from "../../src/control/catalog/instance-policy.ts";
import { Keeping } from "../../src/control/catalog/keeping.ts";
import { Sealer } from "../../src/control/secrets.ts";
import type { KeepRules, ReleaseDocument, VersionDocument } from "../../src/control/store/documents.ts";
import { SqliteStore } from "../../src/control/store/sqlite-store.ts";
import { temporaryFolder } from "../support/runtime.ts";

const SHOP = { tenant: "default", name: "shop" };
const folder = temporaryFolder();
let files = 0;

/** A function whose versions, and a release of each, are so many days old: the first version is the oldest. */
async function shopOf(t: { after(done: () => Promise<void>): void }, defaults: KeepRules, days: number[]) {
	const store = SqliteStore.open(join(folder, `${++files}.sqlite`));
	t.after(() => store.close());
	const sealer = Sealer.open(folder, "0".repeat(64));
	const catalog = new Catalog({
		...{ store, sealer, hostnames: new HostnamePolicy(store, "localhost") },
		instances: new InstancePolicy(store, 10),
	});
	const keeping = new Keeping(store, defaults);
	for (const [i, age] of days.entries()) {
		const number = i + 1;
		const created = new Date(Date.now() - age * 24 * 3600_000).toISOString();
		const version = { ...SHOP, id: `v${number}`, number, created } as unknown as VersionDocument;
		const release = { id: `r${number}`, alias: "production", created, shares: [{ version: version.id, percent: 100 }] };
		const deed = { actor: "test", action: "test" };
		const change = () =>
			catalog.change(
				deed,
				SHOP,
				(one) => ({
					value: { ...one, aliases: { ...one.aliases, production: release.id } },
					beside: [
						{ kind: "version", key: `default/shop/${version.id}`, value: version, expected: 0 },
						{
							...{ kind: "release", key: `default/shop/${release.id}`, expected: 0 },
							value: release as unknown as ReleaseDocument,
						},
					],
				}),
				{ create: true },
			);
		await change();
	}
	const left = async () => {
		const versions = await store.list("version");
		const releases = await store.list("release");
		return [...versions, ...releases].map(({ value }) => value.id).join(" ");
	};
	return { store, catalog, keeping, left };
}

test("the latest versions and releases are kept, and what an alias stands for", async (t) => {
	const { catalog, keeping, left } = await shopOf(t, { versions: 2, days: null }, [5, 4, 3, 2, 1]);
	await catalog.change({ actor: "test", action: "test" }, SHOP, (one) => ({
		value: { ...one, aliases: { ...one.aliases, old: "r2" } },
	}));
	assert.equal(await keeping.tidy(catalog), 4);
	assert.equal(await left(), "v2 v4 v5 r2 r4 r5");
	assert.equal(await keeping.tidy(catalog), 0);
});

test("what is older than so many days goes, but what an alias stands for", async (t) => {
	const { catalog, keeping, left } = await shopOf(t, { versions: 100, days: 3 }, [9, 5, 2, 1]);
	await catalog.change({ actor: "test", action: "test" }, SHOP, (one) => ({
		value: { ...one, aliases: { old: "r1" } },
	}));
	await keeping.tidy(catalog);
	assert.equal(await left(), "v1 v3 v4 r1 r3 r4");
});

test("a version that a kept release has stays, however old it is", async (t) => {
	const { store, catalog, keeping, left } = await shopOf(t, { versions: 1, days: null }, [3, 2, 1]);
	const { revision, value } = (await store.list("release")).at(-1) ?? assert.fail();
	const shares = ["v1", "v3"].map((version) => ({ version, percent: 50 }));
	await store.commit({ actor: "", action: "", target: "" }, [
		{ kind: "release", key: "default/shop/r3", value: { ...value, shares }, expected: revision },
	]);
	await keeping.tidy(catalog);
	assert.equal(await left(), "v1 v3 r3");
});

test("what comes is the latest, and has what it needs", async (t) => {
	const { catalog, keeping } = await shopOf(t, { versions: 2, days: null }, [3, 2, 1]);
	const { value: one } = await catalog.find(SHOP);
	const keys = async (...args: Parameters<Keeping["outdated"]>) =>
		(await keeping.outdated(...args)).map(({ key }) => key.slice("default/shop/".length)).join(" ");
	assert.equal(await keys(one), "r1 v1");
	assert.equal(await keys(one, { version: true }), "r1 v1", "the second one has a release");
	const release = { id: "r4", shares: [{ version: "v1", percent: 100 }] } as unknown as ReleaseDocument;
	assert.equal(
		await keys({ ...one, aliases: { production: "r4" } }, { release }),
		"r2 r1",
		"and not the version that it has",
	);
});

test("a function's own rules come before the server's, each for itself", async (t) => {
	const { catalog, keeping, left } = await shopOf(t, { versions: 1, days: 4 }, [9, 3, 2, 1]);
	await catalog.set("test", SHOP, { keep: { versions: 3 } });
	const { value: one } = await catalog.find(SHOP);
	assert.deepEqual(keeping.rulesOf(one), { versions: 3, days: 4 });
	await keeping.tidy(catalog);
	assert.equal(await left(), "v2 v3 v4 r2 r3 r4");
	await catalog.set("test", SHOP, { keep: { days: null } });
	assert.deepEqual(keeping.rulesOf((await catalog.find(SHOP)).value), { versions: 3, days: null });
});
