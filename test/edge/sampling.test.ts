import assert from "node:assert/strict";
import { test } from "node:test";
import { Sampling } from "../../src/edge/sampling.ts";

const offer = (requestId: string, more = {}) => ({
	...{ key: "a", requestId, letters: 100, isRecord: true, hasRoom: true },
	...more,
});

test("what there is little of is told, all of it", () => {
	const sampling = new Sampling();
	for (let i = 0; i < 200; i++) assert.ok(sampling.takes(offer(`${i}`)));
	assert.equal(sampling.next().size, 0);
});

test("of more a part is told, and the rest is counted", () => {
	const sampling = new Sampling();
	for (let second = 0; second < 3; second++) {
		let told = 0;
		for (let i = 0; i < 5000; i++) if (sampling.takes(offer(`id-${second}-${i}`))) told++;
		if (second === 0) assert.equal(told, 400);
		else assert.ok(told > 100 && told < 300, String(told));
		// Another one has its own part.
		for (let i = 0; i < 100; i++) assert.ok(sampling.takes(offer(`${i}`, { key: "b" })));
		assert.deepEqual([...sampling.next()], [["a", 5000 - told]]);
	}
	// Once it is quiet again all is told.
	sampling.takes(offer("1"));
	sampling.next();
	assert.ok(sampling.takes(offer("2")));
});

test("an invocation is told with all its lines, or not at all", () => {
	const sampling = new Sampling();
	for (let i = 0; i < 2000; i++) sampling.takes(offer(`${i}`));
	sampling.next();
	let told = 0;
	for (let i = 0; i < 2000; i++) {
		const line = sampling.takes(offer(`x${i}`, { isRecord: false, letters: 10 }));
		const record = sampling.takes(offer(`x${i}`));
		assert.equal(line, record);
		if (record) told++;
	}
	assert.ok(told > 0);
});

test("what finds no room on its way counts as left out", () => {
	const sampling = new Sampling();
	assert.ok(!sampling.takes(offer("1", { hasRoom: false })));
	assert.deepEqual([...sampling.next()], [["a", 1]]);
});
