import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ sandboxes: 1 });

/** Asks for each key in a row, and says which were let through. */
const ASKS = `
export default { async fetch({ url }, { LIMIT }) {
	const told = [];
	for (const key of new URL(url).searchParams.getAll("key"))
		told.push(await LIMIT.limit({ key }).then(({ success }) => success, (error) => error.message));
	return Response.json(told);
} };`;

const limited = (namespace: string, limit = 2) => ({
	bindings: { LIMIT: { type: "ratelimit", namespace, limit, period: 60 } },
});

async function ask(name: string, ...keys: string[]): Promise<unknown> {
	return JSON.parse(await atoll.text(name, `/?${keys.map((key) => `key=${key}`).join("&")}`));
}

test("so many are let through for each key, over all of a tenant's functions that count together", async () => {
	await atoll.deploy("one", ASKS, limited("a"));
	await atoll.deploy("two", ASKS, limited("a"));
	await atoll.deploy("three", ASKS, limited("b"));
	await atoll.deploy("theirs", ASKS, { ...limited("a"), tenant: "other", hostnames: ["theirs.test"] });
	assert.deepEqual(await ask("one", "x", "y", "x"), [true, true, true]);
	assert.deepEqual(await ask("two", "x", "y", "y"), [false, true, false]);
	assert.deepEqual(await ask("three", "x"), [true]);
	assert.deepEqual(await ask("theirs", "x"), [true]);
});

test("keys that are too long, and settings that make no sense, are refused", async () => {
	assert.deepEqual(await ask("one", "k".repeat(513)), ["a key has up to 512 bytes"]);
	await assert.rejects(
		atoll.deploy("none", ASKS, { bindings: { LIMIT: { type: "ratelimit", namespace: "a", limit: 1, period: 30 } } }),
		/bindings\.LIMIT: period/,
	);
	await assert.rejects(atoll.deploy("none", ASKS, limited("a", 0)), /bindings\.LIMIT: limit/);
});
