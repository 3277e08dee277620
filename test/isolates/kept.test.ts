import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptReport } from "../../src/link/protocol.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import { hostOf, IMAGE, REQUEST } from "../support/isolate-host.ts";

/** A host of functions 1 to `count`, which tells how an attempt at one of them has ended. */
async function hostOfMany(count: number, bounds: { maxIsolates?: number; maxBytes?: number }, image = IMAGE) {
	const ends = new Map<number, (end: AttemptReport | string) => void>();
	let attempts = 0;
	const { host } = await hostOf(
		{
			done: (_version, attempt, report) => ends.get(attempt)?.(report),
			failed: (_version, attempt, { code }) => ends.get(attempt)?.(code),
		},
		{ image, ...bounds },
	);
	for (let number = 2; number <= count; number++) host.load(number, image);
	const ended = (begin: (attempt: number) => void) => {
		const { promise, resolve } = Promise.withResolvers<AttemptReport | string>();
		ends.set(++attempts, resolve);
		begin(attempts);
		return promise;
	};
	/** Whether a request found no isolate. */
	const isCold = async (version: number, cpuMs = 10_000) => {
		const head = encodeRequestHead(REQUEST);
		const end = await ended((attempt) => host.request({ attempt, version, cpuMs, cutMs: 0, head, body: undefined }));
		return typeof end === "string" ? end : end.cold;
	};
	const preload = async (version: number, startMs = 100) => {
		const end = await ended((attempt) => host.preload(attempt, version, startMs));
		return typeof end === "string" ? end : end.cold;
	};
	return { host, isCold, preload };
}

test("an isolate that is kept is there after any number of others, until it is kept no longer", async () => {
	const { host, isCold, preload } = await hostOfMany(8, { maxIsolates: 4 });
	host.keep(1, true);
	assert.equal(await preload(1), true);
	for (let version = 2; version <= 8; version++) assert.equal(await isCold(version), true);
	assert.equal(host.stats().isolates, 4, "it takes from what the others may have");
	assert.equal(await preload(1), false);
	assert.equal(await isCold(1), false);
	host.keep(1, false);
	for (let version = 2; version <= 5; version++) await isCold(version);
	assert.equal(await isCold(1), true);
});

test("one that is there already is kept from then on", async () => {
	const { host, isCold } = await hostOfMany(8, { maxIsolates: 4 });
	await isCold(1);
	host.keep(1, true);
	for (let version = 2; version <= 8; version++) await isCold(version);
	assert.equal(await isCold(1), false);
});

test("half of the isolates are kept at most, and those beyond are as any other", async () => {
	const { host, isCold, preload } = await hostOfMany(8, { maxIsolates: 4 });
	for (const version of [1, 2, 3]) host.keep(version, true);
	assert.deepEqual([await preload(1), await preload(2), await preload(3)], [true, true, "crowded_out"]);
	assert.equal(await isCold(3), false, "it has an isolate all the same");
	for (let version = 4; version <= 8; version++) await isCold(version);
	assert.deepEqual([await isCold(1), await isCold(2), await isCold(3)], [false, false, true]);
	host.unload(1);
	assert.equal(await preload(3), false, "there is room now");
});

test("of too many bytes the largest is kept no longer", async () => {
	const code = Buffer.from(
		`const held = []; __atoll_exports({ default: { fetch() { held.push(new Uint8Array(2 ** 20).fill(1)); return new Response("a"); } } });`,
	);
	const { host, isCold, preload } = await hostOfMany(2, { maxBytes: 60 * 2 ** 20 }, { ...IMAGE, code });
	for (const version of [1, 2]) {
		host.keep(version, true);
		assert.equal(await preload(version), true);
	}
	let requests = 0;
	while ((await preload(1)) === false && requests++ < 60) await isCold(1);
	assert.ok(requests > 8 && requests < 60, String(requests));
	assert.deepEqual([await preload(1), await preload(2)], ["crowded_out", false]);
});

test("a start ahead is given up after as long as it may take, and one whose turn was cut is started again", async () => {
	const code = Buffer.from(`for (let i = 0; i < 3e8; i++); __atoll_exports({ default: { fetch() { for (;;); } } });`);
	const { host, isCold, preload } = await hostOfMany(1, {}, { ...IMAGE, code });
	host.keep(1, true);
	assert.equal(await preload(1, 5), "startup_cpu_limit_exceeded");
	assert.equal(await preload(1, 10_000), true);
	// On a busy machine it has waited for a core.
	assert.match(String(await isCold(1, 100)), /^(cpu_limit_exceeded|starved)$/);
	assert.equal(await preload(1, 10_000), true, "it was gone");
});
