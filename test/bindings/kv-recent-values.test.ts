import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Namespace } from "../../src/bindings/kv/namespace.ts";
import { RecentValues } from "../../src/bindings/kv/recent-values.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const launcher = new Launcher();
const data = new DataProcess(launcher, temporaryFolder());
after(async () => {
	await data.close();
	await launcher.close();
});

let asked = 0;
const ask = data.ask.bind(data);
data.ask = (...given) => {
	asked++;
	return ask(...given);
};

const recent = new RecentValues();
const of = (tenant: string, namespace = "n") => new Namespace(data, { tenant, namespace }, 2 ** 30, { recent });
const entry = (key: string) => ({ key, metadata: null, expiration: null, expirationTtl: null });
const put = (to: Namespace, key: string, value: string) => to.put(entry(key), Buffer.from(value));

async function get(from: Namespace, key: string): Promise<string | null> {
	const { found, values } = await from.get([key]);
	return found[0] === null ? null : Buffer.from(values as Uint8Array).toString();
}

/** How often the data process is asked for something. */
async function asks(work: () => Promise<unknown>): Promise<number> {
	const before = asked;
	await work();
	return asked - before;
}

test("what was read is not asked for again, nor what is not there", async () => {
	const namespace = of("one");
	await put(namespace, "key", "value");
	assert.equal(await asks(() => get(namespace, "key")), 1);
	assert.equal(await asks(async () => assert.equal(await get(of("one"), "key"), "value")), 0);
	assert.equal(await asks(async () => assert.equal(await get(namespace, "none"), null)), 1);
	assert.equal(await asks(async () => assert.equal(await get(namespace, "none"), null)), 0);
});

test("no other namespace has it, of the same tenant or of another", async () => {
	for (const namespace of [of("two"), of("one", "other")]) assert.equal(await get(namespace, "key"), null);
});

test("what is written is seen at once, and so is that it was removed", async () => {
	const namespace = of("one");
	for (const value of ["a", "b", "c"]) {
		await put(namespace, "changing", value);
		assert.equal(await get(namespace, "changing"), value);
	}
	await namespace.delete(["changing"]);
	assert.equal(await get(namespace, "changing"), null);
});

test("what was being read while it was written is not kept", async () => {
	const namespace = of("one");
	await put(namespace, "raced", "0");
	for (let i = 1; i <= 50; i++) {
		const readers = [get(namespace, "raced"), get(of("one"), "raced")];
		const writing = put(namespace, "raced", String(i));
		readers.push(get(namespace, "raced"));
		await writing;
		assert.equal(await get(namespace, "raced"), String(i));
		await Promise.all(readers);
		assert.equal(await get(namespace, "raced"), String(i));
	}
});

test("what is written elsewhere is seen a little later", async () => {
	const namespace = of("one");
	await put(namespace, "elsewhere", "before");
	assert.equal(await get(namespace, "elsewhere"), "before");
	await put(new Namespace(data, { tenant: "one", namespace: "n" }, 2 ** 30), "elsewhere", "after");
	await until(async () => (await get(namespace, "elsewhere")) === "after");
});

test("a large value is asked for each time", async () => {
	const namespace = of("one");
	await put(namespace, "large", "x".repeat(100_000));
	for (let i = 0; i < 2; i++) assert.equal(await asks(() => get(namespace, "large")), 1);
});

test("whoever has borrowed a value forgets it when it is written or removed, and borrows it for no longer than it is good", async () => {
	const namespace = of("one");
	const told: string[] = [];
	const lend = (key: string) => recent.lend({ tenant: "one", namespace: "n" }, key, () => told.push(key));
	assert.equal(lend("never read"), 0);
	for (const change of [() => put(namespace, "lent", "new"), () => namespace.delete(["lent"])]) {
		await put(namespace, "lent", "old");
		await get(namespace, "lent");
		const forMs = lend("lent");
		assert.ok(forMs > 0 && forMs <= 1000, `${forMs}`);
		told.length = 0;
		await change();
		assert.deepEqual(told, ["lent"]);
	}
	await get(namespace, "lent");
	assert.ok(lend("lent") > 0, "that there is nothing can be lent, too");
});

test("one that expires sooner is lent up to then, and no value to more than a few", async () => {
	const id = { tenant: "one", namespace: "n" };
	const found = (expires: number | null) => ({
		found: { size: 1, metadata: null, expires, along: true },
		value: Buffer.of(1),
	});
	const keep = (key: string, expires: number | null) => recent.end(recent.begin(id, key), found(expires));
	keep("past", Math.floor(Date.now() / 1000));
	assert.equal(
		recent.lend(id, "past", () => undefined),
		0,
	);
	keep("lasting", null);
	const lent = Array.from({ length: 100 }, () => recent.lend(id, "lasting", () => undefined)).filter((ms) => ms > 0);
	assert.equal(lent.length, 32);
});

test("what makes room for other values is forgotten by whoever has borrowed it", async () => {
	const id = { tenant: "two", namespace: "full" };
	const value = Buffer.alloc(60_000);
	let told = 0;
	const keep = (key: string) =>
		recent.end(recent.begin(id, key), {
			found: { size: value.length, metadata: null, expires: null, along: true },
			value,
		});
	keep("first");
	assert.ok(recent.lend(id, "first", () => told++) > 0);
	for (let i = 0; i < 600; i++) keep(String(i));
	assert.equal(told, 1);
});
