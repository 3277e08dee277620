import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { Names } from "../../src/bindings/fetch/edge/names.ts";

type Answer = (error: Error | null, addresses: LookupAddress[]) => void;

/** A resolver whose answers are given by hand: that a name server keeps silent cannot be had from a real one. */
class Resolver {
	readonly asked: { hostname: string; answer: Answer }[] = [];
	readonly names = new Names(((hostname: string, _options: object, answer: Answer) => {
		this.asked.push({ hostname, answer });
	}) as ConstructorParameters<typeof Names>[0]);

	get running(): string[] {
		return this.asked.map(({ hostname }) => hostname);
	}

	answer(hostname: string, ...addresses: string[]): void {
		const at = this.asked.findIndex((one) => one.hostname === hostname);
		const [{ answer }] = this.asked.splice(at, 1);
		if (addresses.length === 0) answer(new Error("ENOTFOUND"), []);
		else
			answer(
				null,
				addresses.map((address) => ({ address, family: 4 })),
			);
	}
}

test("names whose server keeps silent keep nobody else's waiting", async () => {
	const resolver = new Resolver();
	for (let i = 0; i < 50; i++) void resolver.names.resolve(`silent${i}.test`, 1);
	const held = resolver.running.length;
	const found = resolver.names.resolve("neighbour.test", 2);
	assert.deepEqual(resolver.running.slice(held), ["neighbour.test"]);
	resolver.answer("neighbour.test", "192.0.2.1");
	assert.deepEqual(await found, [{ address: "192.0.2.1", family: 4 }]);
	// Also where it is a name that waits in the other's queue already.
	void resolver.names.resolve("shared.test", 1);
	const shared = resolver.names.resolve("shared.test", 2);
	resolver.answer("shared.test", "192.0.2.2");
	assert.deepEqual(await shared, [{ address: "192.0.2.2", family: 4 }]);
});

test("what was resolved is known for a while, a failure too, and who asks meanwhile waits for the same answer", async () => {
	const resolver = new Resolver();
	const two = [resolver.names.resolve("a.test", 1), resolver.names.resolve("a.test", 2)];
	assert.deepEqual(resolver.running, ["a.test"]);
	resolver.answer("a.test", "192.0.2.1");
	for (const one of two) assert.deepEqual(await one, [{ address: "192.0.2.1", family: 4 }]);
	await resolver.names.resolve("a.test", 1);
	const missing = resolver.names.resolve("b.test", 1);
	resolver.answer("b.test");
	assert.match(String(await missing), /ENOTFOUND/);
	assert.match(String(await resolver.names.resolve("b.test", 1)), /ENOTFOUND/);
	assert.deepEqual(resolver.running, []);
});

test("what is too long for a name is not asked for", async () => {
	const resolver = new Resolver();
	assert.match(String(await resolver.names.resolve("a".repeat(254), 1)), /no name has more than 253 letters/);
	assert.deepEqual(resolver.running, []);
});

test("a tenant's names that wait are bounded", async () => {
	const resolver = new Resolver();
	const all = Array.from({ length: 500 }, (_, i) => resolver.names.resolve(`n${i}.test`, 1));
	assert.match(String(await all[499]), /too many names/);
	assert.ok(
		Array.isArray(
			await new Promise((done) => {
				void resolver.names.resolve("other.test", 2).then(done);
				resolver.answer("other.test", "192.0.2.1");
			}),
		),
	);
});
