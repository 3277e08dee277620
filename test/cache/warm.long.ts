import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

const ROOM = 20;
const COUNT = 120;

inBothIsolations("warm isolates", (isolation) => {
	const atoll = new TestRuntime({
		isolation,
		sandboxes: isolation === "inline" ? undefined : 1,
		cache: { maxIsolates: ROOM, parked: 2 },
	});

	test(`${COUNT} functions with room for ${ROOM} all answer correctly while they evict one another`, async () => {
		const names = Array.from({ length: COUNT }, (_, i) => `many${i}`);
		// One source for all: what is built is the same artifact but for its name, so that the test is about running them.
		const entry = await atoll.write(
			"many.js",
			`export default { async fetch(r, env) { await null; return new Response(env.me + " " + new URL(r.url).pathname); } }`,
		);
		for (let at = 0; at < names.length; at += 50) {
			await Promise.all(
				names
					.slice(at, at + 50)
					.map((name) => atoll.runtime.deploy({ name, hostnames: [`${name}.test`], entry, env: { me: name } })),
			);
		}
		let seed = 7;
		const random = () => {
			seed = (seed * 1103515245 + 12345) % 2 ** 31;
			return seed / 2 ** 31;
		};
		const ask = async () => {
			for (let i = 0; i < 60; i++) {
				const name = names[Math.floor(random() ** 2 * names.length)];
				assert.equal(await atoll.text(name, `/${i}`), `${name} /${i}`);
			}
		};
		await Promise.all(Array.from({ length: 8 }, ask));
		const { isolates, evictions, hits, coldStarts, sandboxes } = atoll.runtime.stats();
		// The bound is one sandbox's share, the spare has one, too, and a busy machine may have made the heavy lane take on
		// another.
		assert.ok(isolates <= (ROOM + 8) * (sandboxes + 1), `${isolates} isolates are warm`);
		assert.ok(evictions > 50, `${evictions} evictions`);
		assert.ok(hits > 0 && coldStarts > 100, `${hits} hits, ${coldStarts} cold starts`);
	});

	test("cold requests that come together start one isolate", async () => {
		await atoll.deploy(
			"together",
			"globalThis.id = Math.random(); export default { fetch: () => new Response(String(id)) }",
		);
		const ids = await Promise.all(Array.from({ length: 20 }, () => atoll.text("together")));
		assert.equal(new Set(ids).size, 1);
		assert.equal(atoll.records.filter((record) => record.function === "together" && record.cold).length, 1);
	});

	test("requests in flight finish on an isolate that is evicted or replaced meanwhile", async () => {
		await atoll.deploy(
			"swap",
			`export default { async fetch() { console.log("one waits"); await new Promise((r) => setTimeout(r, 30)); return new Response("one"); } }`,
		);
		const first = atoll.text("swap");
		await atoll.log("one waits");
		await atoll.deploy("swap", `export default { fetch: () => new Response("two") }`);
		assert.equal(await atoll.text("swap"), "two");
		assert.equal(await first, "one");
	});

	test("a function that was removed is gone", async () => {
		await atoll.deploy("gone", `export default { fetch: () => new Response("here") }`);
		assert.equal(await atoll.text("gone"), "here");
		assert.equal(await atoll.runtime.remove({ name: "gone" }), true);
		assert.equal((await atoll.fetch("gone")).status, 404);
		assert.equal(await atoll.runtime.remove({ name: "gone" }), false);
	});
});

inBothIsolations("a cache bounded by bytes", (isolation) => {
	const atoll = new TestRuntime({ isolation, cache: { maxBytes: 12_000_000, parked: 1 } });

	test("evicts by what isolates really use", async () => {
		const names = Array.from({ length: 12 }, (_, i) => `fat${i}`);
		for (const name of names)
			await atoll.deploy(
				name,
				`const kept = Array.from({ length: 50_000 }, (_, i) => ({ i })); export default { fetch: () => new Response(String(kept.length)) }`,
			);
		for (const name of names) assert.equal(await atoll.text(name), "50000");
		const { bytes, isolates, evictions, sandboxes } = atoll.runtime.stats();
		// The bound is each sandbox's, and a busy machine may have made the heavy lane take on another.
		const most = 12_000_000 * Math.max(1, sandboxes);
		assert.ok(bytes <= most && isolates < 12 && evictions > 0, JSON.stringify({ bytes, isolates, evictions }));
	});
});
