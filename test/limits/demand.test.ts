import assert from "node:assert/strict";
import { test } from "node:test";
import { Demand } from "../../src/limits/demand.ts";

const used = (cpuMs: number, light = false, cold = false) => ({ cpuUs: cpuMs * 1000, light, cold });

function after(requests: number, report = used(10)): Demand {
	const demand = new Demand();
	for (let i = 0; i < requests; i++) demand.note(report);
	return demand;
}

test("what waits is a queue when it is more than 20 ms of CPU time, of what its requests take on the average", () => {
	assert.equal(new Demand().calm, Number.POSITIVE_INFINITY, "nothing is known of it");
	assert.equal(after(1).calm, 2);
	assert.equal(after(5, used(4)).calm, 5);
	assert.equal(after(5, used(50)).calm, 1);
	const demand = after(20, used(4));
	for (let i = 0; i < 100; i++) demand.note(used(10));
	assert.equal(demand.calm, 2, "and lately");
});

test("what takes less than a millisecond never queues in a sandbox, and a cold request says nothing", () => {
	assert.equal(after(50, used(0.9, true)).calm, Number.POSITIVE_INFINITY);
	assert.equal(after(50, used(10, true, true)).calm, Number.POSITIVE_INFINITY);
});

test("twenty requests that are light, or take 15 ms at most, are brief", () => {
	assert.equal(after(19).brief, false);
	assert.equal(after(20).brief, true);
	assert.equal(after(20, used(15)).brief, true);
	assert.equal(after(1000, used(15.1)).brief, false);
	assert.equal(after(20, used(100, true)).brief, true, "in many light turns");
});

test("a long request, and one that fails, takes ten brief ones away, but for the first of an isolate", () => {
	const demand = after(40);
	demand.note(used(20));
	demand.long();
	assert.equal(demand.brief, true);
	demand.note(used(20));
	assert.equal(demand.brief, false);
	for (let i = 0; i < 10; i++) demand.note(used(10));
	assert.equal(demand.brief, true);
	for (let i = 0; i < 10; i++) demand.note(used(20, false, true));
	assert.equal(demand.brief, true);
});

test("after each turn that kept others waiting it takes twice as many", () => {
	const demand = after(1000);
	demand.cut(used(12));
	demand.cut(used(12));
	assert.equal(demand.brief, true, "it was cut while it waited for a core");
	demand.cut(used(12));
	assert.equal(demand.brief, false, "of which there are none to spare");
	for (let i = 0; i < 10; i++) demand.note(used(10));
	assert.equal(demand.brief, true);
	const needed = (): number => {
		let requests = 0;
		for (; !demand.brief; requests++) demand.note(used(10));
		return requests;
	};
	demand.cut(used(40));
	demand.cut(used(40)); // One that was on its way.
	assert.equal(needed(), 40);
	demand.breach();
	assert.equal(needed(), 80);
	for (let i = 0; i < 20; i++) {
		demand.note(used(10));
		demand.breach();
	}
	assert.equal(needed(), 1280, "and no more");
});

test("one is long from its first long request on, until it has proven brief", () => {
	assert.equal(new Demand().isLong, false, "nothing is known of it");
	const demand = after(5);
	assert.equal(demand.isLong, false);
	demand.note(used(20));
	assert.equal(demand.isLong, true);
	for (let i = 0; i < 20; i++) demand.note(used(10));
	assert.equal(demand.isLong, false);
	demand.breach();
	assert.equal(demand.isLong, true);
});
