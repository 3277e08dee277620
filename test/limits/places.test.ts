import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as round } from "node:timers/promises";
import { Places } from "../../src/limits/places.ts";

test("tenants take turns, and none has more than half of the places", async () => {
	const turns = new Places(4);
	const order: string[] = [];
	const take = (tenant: string) =>
		void turns.take(tenant).then((mayRun) => order.push(mayRun ? tenant : `no ${tenant}`));
	for (let i = 0; i < 6; i++) take("hostile");
	take("other");
	take("third");
	await round();
	assert.deepEqual(order.splice(0), ["hostile", "hostile", "other", "third"]);
	take("other");
	turns.giveBack("hostile");
	await round();
	assert.deepEqual(order.splice(0), ["hostile"]);
	turns.giveBack("hostile");
	await round();
	assert.deepEqual(order.splice(0), ["other"], "who had none since comes first");
	turns.sendAway();
	await round();
	assert.deepEqual(order, ["no hostile", "no hostile", "no hostile"]);
});
