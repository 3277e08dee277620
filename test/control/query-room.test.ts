import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryRoom } from "../../src/control/observe/query-room.ts";

function fill() {
	const room = new QueryRoom({ ofTenant: 8, ofAll: 64 });
	const ends: (() => void)[] = [];
	/** How many of so many are let in. */
	const ask = async (tenant: string | null, count: number) => {
		let refused = 0;
		for (let i = 0; i < count; i++) {
			const { promise, resolve } = Promise.withResolvers<void>();
			room
				.run(tenant, () => promise)
				.catch(({ code }) => {
					assert.equal(code, "too_many_queries");
					refused++;
				});
			ends.push(resolve);
		}
		await new Promise((resolve) => setImmediate(resolve));
		return count - refused;
	};
	const end = () => {
		for (const one of ends) one();
		return new Promise((resolve) => setImmediate(resolve));
	};
	return { ask, end };
}

test("one tenant runs eight queries, and of many that ask for more each has fewer", async () => {
	const { ask, end } = fill();
	assert.equal(await ask("one", 10), 8);
	await end();
	assert.equal(await ask("one", 10), 8);
});

test("eight tenants that ask for all leave room for others, and for the operator", async () => {
	const { ask } = fill();
	for (let i = 0; i < 8; i++) assert.ok((await ask(`t${i}`, 8)) >= 4);
	assert.ok((await ask("other", 8)) >= 3);
	assert.ok((await ask("another", 8)) >= 1);
	for (let i = 0; i < 64; i++) await ask(`more${i}`, 1);
	assert.equal(await ask("late", 1), 0);
	assert.equal(await ask(null, 10), 8);
});
