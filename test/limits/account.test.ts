import assert from "node:assert/strict";
import { test } from "node:test";
import { Account } from "../../src/limits/account.ts";
import { until } from "../support/until.ts";

const KB = 1024;

test("what is held counts for the function, its tenant and all, until it is released", () => {
	const all = Account.ofAll(800 * KB);
	const tenant = all.part();
	const functions = [tenant.part(), tenant.part()];
	const requests = functions.map((one) => one.for({ giveUp: () => assert.fail("there is room") }));
	requests[0].hold(10);
	requests[1].hold(20);
	assert.deepEqual(
		[all, tenant, ...functions].map(({ held }) => held),
		[30, 30, 10, 20],
	);
	requests[0].release(4);
	requests[1].close();
	requests[1].hold(100); // It is over: what still comes counts for nobody.
	requests[0].release(1000); // No more than it holds.
	assert.deepEqual(
		[all, tenant, ...functions].map(({ held }) => held),
		[0, 0, 0, 0],
	);
});

test("past a bound the largest are cut: of the largest tenant, its largest function, that one's largest request", async () => {
	const all = Account.ofAll(1000 * KB);
	const cut: string[] = [];
	const hold = (account: Account, name: string, bytes: number) => {
		const request = account.for({ giveUp: () => cut.push(name) });
		request.hold(bytes * KB);
		return request;
	};
	const [small, large] = [all.part(), all.part()];
	const [quiet, loud] = [large.part(), large.part()];
	hold(small.part(), "another tenant's largest of all", 250);
	hold(all.part(), "one more tenant's", 200);
	hold(quiet, "the quiet function's", 190);
	const kept = hold(loud, "the loud function's smaller", 100);
	hold(loud, "the loud function's larger", 145);
	assert.equal(all.held, 885 * KB);
	hold(all.part(), "the last", 130);
	assert.deepEqual(cut, [], "not in the midst of it");
	await until(() => cut.length > 0);
	assert.deepEqual(cut, ["the loud function's larger"]);
	assert.equal(kept.held, 100 * KB);
	assert.equal(all.held, 870 * KB);
});

test("a function, a tenant and a single request have bounds of their own", async () => {
	const cut: string[] = [];
	const all = Account.ofAll(400 * 2 ** 20);
	const tenant = all.part();
	const one = tenant.part();
	const single = one.for({ giveUp: () => cut.push("single") });
	single.hold(17 * 2 ** 20);
	await until(() => cut.length === 1);
	for (let i = 0; i < 11; i++) one.for({ giveUp: () => cut.push("function") }).hold(10 * 2 ** 20);
	await until(() => cut.length > 1);
	assert.ok(one.held <= 100 * 2 ** 20 && one.held >= 80 * 2 ** 20, `${one.held}`);
	const other = tenant.part();
	for (let i = 0; i < 10; i++) other.for({ giveUp: () => cut.push("tenant") }).hold(9.9 * 2 ** 20);
	for (let i = 0; i < 4; i++)
		tenant
			.part()
			.for({ giveUp: () => cut.push("tenant") })
			.hold(9 * 2 ** 20);
	const before = cut.length;
	await until(() => cut.length > before);
	assert.ok(tenant.held <= 200 * 2 ** 20, `${tenant.held}`);
});
