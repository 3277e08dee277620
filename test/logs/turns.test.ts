import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../src/logs/turns.ts";

test("tenants have turns in turn, however many queries one of them has, and one that fails is by itself", async () => {
	const turns = new Turns();
	const order: string[] = [];
	const query = (whose: string, steps: number) => {
		let left = steps;
		const step = () => {
			order.push(whose);
			if (left === 0) throw new Error("too much");
			return --left === 0;
		};
		return turns.run(whose, { step, result: () => whose });
	};
	const failed = assert.rejects(query("a", 0), { message: "too much" });
	assert.deepEqual(await Promise.all([query("a", 2), query("a", 2), query("b", 3), failed]), [
		"a",
		"a",
		"b",
		undefined,
	]);
	assert.equal(order.join(""), "abababaa");
});
