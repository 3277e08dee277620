import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Claims } from "../../src/deployments/claims.ts";
import { UsageError } from "../../src/errors.ts";

const shop = { tenant: "victim", name: "shop" };
const other = { tenant: "mallory", name: "shop" };
const operator = { tenant: "default", name: "site" };

function refused(claims: Claims, claimant: typeof shop, hostname: string, why: RegExp): void {
	assert.throws(() => claims.claim(claimant, [hostname]), { name: "UsageError", message: why }, hostname);
}

test("what lies under a tenant's wildcard, and the name above it, is nobody else's, in whatever spelling", () => {
	const claims = new Claims();
	claims.claim(shop, ["*.shop.test", "*.bücher.example"]);
	for (const hostname of ["api.shop.test", "a.b.shop.test", "*.api.shop.test", "API.Shop.TEST.", "api。shop.test"])
		refused(claims, other, hostname, /mallory cannot have the hostname .*: it is under a wildcard of another tenant$/);
	refused(claims, other, "*.shop.test", /it belongs to another tenant$/);
	refused(claims, other, "shop.test", /another tenant has \*\.shop\.test$/);
	refused(claims, other, "www.xn--bcher-kva.example", /under a wildcard/);
	claims.claim(shop, ["api.shop.test"]);
	claims.claim({ ...shop, name: "api" }, ["*.api.shop.test", "shop.test"]);
	claims.claim(other, ["ashop.test", "*.other.test"]);
});

test("a wildcard above another tenant's hostname, near or far, is refused", () => {
	const claims = new Claims();
	claims.claim(shop, ["api.eu.shop.test", "plain.test"]);
	for (const hostname of ["*.shop.test", "*.eu.shop.test", "*.test"])
		refused(claims, { ...operator, name: "wild" }, hostname, /another tenant has hostnames under it$/);
	refused(claims, other, "*.api.eu.shop.test", /another tenant has api\.eu\.shop\.test$/);
	refused(claims, other, "plain.test", /it belongs to another tenant$/);
	claims.claim(other, ["www.eu.shop.test", "sub.plain.test"]);
	claims.claim(shop, ["*.plain2.test"]);
});

test("a refusal names another function of the same tenant, and nothing of another tenant", () => {
	const claims = new Claims();
	claims.claim({ tenant: "victim", name: "secret-project" }, ["a.shop.test"]);
	refused(claims, shop, "a.shop.test", /a\.shop\.test already leads to the function secret-project/);
	assert.throws(
		() => claims.claim(other, ["a.shop.test"]),
		({ message }: Error) => !message.includes("secret") && !message.includes("victim"),
	);
});

test("a public suffix is nobody's, with or without a wildcard, and what is registered under it is", () => {
	const claims = new Claims();
	for (const suffix of ["com", "co.uk", "github.io", "ck", "x.ck", "kawasaki.jp", "公司.cn", "COM."])
		for (const claimant of [operator, shop])
			for (const hostname of [suffix, `*.${suffix}`]) refused(claims, claimant, hostname, /public suffix/);
	claims.claim(shop, ["shop.com", "*.shop.co.uk", "me.github.io", "www.ck", "*.公司.example"]);
});

test("*, addresses and names without a dot are the operator's, and * takes no name from anybody", () => {
	const claims = new Claims();
	for (const hostname of ["*", "localhost", "*.localhost", "*.internal", "127.0.0.1", "127.1", "0x7f000001"])
		refused(claims, shop, hostname, /are the operator's, whose tenant is default$/);
	claims.claim(operator, ["*", "localhost", "127.0.0.1", "*.internal"]);
	claims.claim(shop, ["shop.test"]);
	refused(claims, { ...operator, name: "second" }, "*", /\* already leads to the function site/);
});

test("of several hostnames a function gets all or none, and what is given back is free", () => {
	const claims = new Claims();
	const first = claims.claim(shop, ["a.test", "A.TEST", "*.a.test"]);
	assert.deepEqual(first, ["a.test", "*.a.test"]);
	assert.throws(() => claims.claim(other, ["b.test", "a.test"]), UsageError);
	assert.deepEqual(claims.available(other, ["b.test", "a.test", "x.a.test", "no host", "*.com"]), ["b.test"]);
	claims.claim(shop, ["a.test"]);
	claims.release(first);
	refused(claims, other, "a.test", /another tenant/);
	claims.release(["a.test"]);
	claims.claim(other, ["b.test", "a.test", "*.a.test"]);
});

test("whatever is claimed and released in whatever order, no hostname reaches two tenants", () => {
	const label = fc.constantFrom("a", "b", "c");
	const hostname = fc
		.tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 3 }))
		.map(([wild, labels]) => `${wild ? "*." : ""}${labels.join(".")}.test`);
	const step = fc.record({ tenant: fc.constantFrom("t", "u", "v"), hostname, release: fc.boolean() });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
			const claims = new Claims();
			const held = new Map<string, string>();
			for (const { tenant, hostname: name, release } of steps) {
				if (release && held.get(name) === tenant) {
					claims.release([name]);
					held.delete(name);
				} else if (!held.has(name) && claims.available({ tenant, name: "f" }, [name]).length === 1) {
					claims.claim({ tenant, name: "f" }, [name]);
					held.set(name, tenant);
				}
			}
			const covers = (pattern: string, one: string) =>
				pattern === one || (pattern.startsWith("*.") && `.${one}`.endsWith(pattern.slice(1)));
			for (const [pattern, tenant] of held)
				for (const [one, another] of held) if (covers(pattern, one)) assert.equal(another, tenant, `${pattern} ${one}`);
		}),
	);
});
