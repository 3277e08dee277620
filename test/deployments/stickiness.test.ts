import assert from "node:assert/strict";
import { test } from "node:test";
import { pointOf, type Sticky } from "../../src/deployments/stickiness.ts";

const asker = (headers: string[], ip: string | null = null) => ({ headers, client: ip === null ? null : { ip } });

test("one asker has always the same point, by cookie, header or address, and nobody has one where nothing is asked", () => {
	const cookie: Sticky = { by: "cookie", name: "session" };
	const one = pointOf(asker(["cookie", "a=1; session=x; b=2"]), cookie);
	assert.ok(one !== undefined && one >= 0 && one < 1);
	assert.equal(pointOf(asker(["cookie", "session=x"]), cookie), one);
	assert.equal(pointOf(asker(["x-user", "x"]), { by: "header", name: "X-User" }), one);
	assert.equal(pointOf(asker([], "x"), { by: "address" }), one);
	assert.equal(pointOf(asker(["cloudflare-workers-version-key", "x"]), null), one);
	assert.equal(pointOf(asker(["cookie", "other=x"]), cookie), undefined);
	assert.equal(pointOf(asker(["cookie", "mysession=x"]), cookie), undefined);
	assert.equal(pointOf(asker([]), { by: "address" }), undefined);
	assert.equal(pointOf(asker(["cookie", "session=x"]), null), undefined);
});

test("points of many askers are evenly spread, however alike their keys are", () => {
	const tenths = new Array(10).fill(0);
	for (let i = 0; i < 10_000; i++)
		tenths[Math.floor((pointOf(asker([], `10.0.${i >> 8}.${i & 255}`), { by: "address" }) as number) * 10)]++;
	// Four standard deviations.
	for (const count of tenths) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(900), String(tenths));
});
