import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

const says = (text: string) => `export default { fetch: () => new Response(${JSON.stringify(text)}) }`;
/** Answers with what another hostname does, asked with a secret. */
const ASKS = `export default { async fetch(r) {
	try {
		const answer = await fetch(decodeURIComponent(r.headers.get("x-ask")), { headers: { authorization: "secret" } });
		return new Response(answer.headers.get("x-atoll-error") ?? (await answer.text()));
	} catch (e) { return new Response("rejected: " + e.message); }
} }`;
const LISTENS = `export default { fetch(r) { const said = r.headers.get("authorization"); console.log("heard " + said); return new Response("heard " + said); } }`;

inBothIsolations("tenants", (isolation) => {
	const atoll = new TestRuntime({ isolation, egress: { allow: ["localhost", "127.0.0.1"] } });
	const ask = (name: string, url: string) => atoll.text(name, "/", { headers: { "x-ask": encodeURIComponent(url) } });

	before(async () => {
		await atoll.deploy("asks", ASKS, { tenant: "victim" });
		await atoll.deploy("listens", LISTENS, { tenant: "victim", hostnames: ["own.example", "*.own.example"] });
	});

	test("two tenants have functions of one name, side by side, and each removes its own", async () => {
		await atoll.deploy("a/shop", says("a"), { tenant: "a", name: "shop", hostnames: ["a.shops.test"] });
		await atoll.deploy("b/shop", says("b"), { tenant: "b", name: "shop", hostnames: ["b.shops.test"] });
		await atoll.deploy("shop", says("operator"), { hostnames: ["shops.test"] });
		assert.deepEqual(await Promise.all(["a.shops", "b.shops", "shops"].map((name) => atoll.text(name))), [
			"a",
			"b",
			"operator",
		]);
		assert.deepEqual(
			["a", "b", "default"].map((tenant) =>
				atoll.records.some((record) => record.tenant === tenant && record.function === "shop"),
			),
			[true, true, true],
		);
		assert.equal(await atoll.runtime.remove({ tenant: "a", name: "shop" }), true);
		assert.equal(await atoll.runtime.remove({ tenant: "a", name: "shop" }), false);
		assert.equal(await errorCode(await atoll.fetch("a.shops")), "hostname_not_found");
		assert.equal(await atoll.text("b.shops"), "b");
		assert.equal(await atoll.text("shops"), "operator");
		await atoll.deploy("c/shop", says("c"), { tenant: "c", name: "shop", hostnames: ["a.shops.test"] });
		assert.equal(await atoll.text("a.shops"), "c", "a hostname that was given back is free");
	});

	test("a tenant's functions reach one another within the process, by whatever spelling of their hostnames", async () => {
		for (const url of [
			"http://own.example/",
			"https://any.own.example:8443/",
			"http://OWN.example./",
			"http://own。example/",
		])
			assert.equal(await ask("asks", url), "heard secret", url);
	});

	test("what a function sends to a hostname goes to no other tenant's function that has claimed it", async () => {
		await atoll.deploy("thief", LISTENS, { tenant: "mallory", hostnames: ["api.stripe.invalid", "*.bank.invalid"] });
		await atoll.deploy("everything", LISTENS, { hostnames: ["*"] });
		for (const url of ["https://api.stripe.invalid/", "http://www.bank.invalid/", "http://api.stripe.invalid./"])
			assert.match(await ask("asks", url), /^rejected: .*does not resolve/, url);
		assert.equal(await atoll.text("asks", "/", { headers: { "x-ask": "http://own.example/" } }), "heard secret");
		assert.equal(atoll.records.filter((record) => record.function === "thief").length, 0);
		await atoll.runtime.remove({ name: "everything" });
	});

	test("where another tenant has a hostname, whoever the network leads to gets the request", async () => {
		const outside = createServer((_req, res) => res.end("from the network"));
		after(() => outside.close());
		await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
		const { port } = outside.address() as AddressInfo;
		await atoll.deploy("local", says("within"), { name: "local", hostnames: ["localhost"] });
		assert.equal(await ask("asks", `http://localhost:${port}/`), "from the network");
	});

	test("a hostname belongs to a tenant from the moment it deploys, and not only once its function is built", async () => {
		const entries = await Promise.all(["first", "late"].map((name) => atoll.write(`${name}.js`, says(name))));
		const deploy = (tenant: string, entry: string) =>
			atoll.runtime.deploy({ tenant, name: "racer", hostnames: ["raced.test"], entry });
		const slow = deploy("victim", entries[0]);
		await assert.rejects(deploy("mallory", entries[1]), /mallory cannot have the hostname raced\.test/);
		await slow;
		assert.equal(await atoll.text("raced"), "first");
	});

	test("a deployment that fails changes nothing: neither its old hostnames nor the new ones", async () => {
		await atoll.deploy("steady", says("steady"), { tenant: "victim", hostnames: ["steady.test"] });
		await assert.rejects(
			atoll.deploy("steady", "export default {", { tenant: "victim", hostnames: ["steady.test", "more.test"] }),
		);
		assert.equal(await atoll.text("steady"), "steady");
		await atoll.deploy("more", says("more"), { tenant: "mallory", hostnames: ["more.test"] });
		await assert.rejects(atoll.deploy("more2", says(""), { tenant: "mallory", hostnames: ["steady.test"] }));
		await atoll.deploy("steady", says("moved"), { tenant: "victim", hostnames: ["moved.test"] });
		await atoll.deploy("more2", says("taken over"), { tenant: "mallory", hostnames: ["steady.test"] });
		assert.equal(await atoll.text("steady"), "taken over");
		assert.equal(await atoll.text("moved"), "moved");
	});

	test("a function that cannot be deployed answers startup_failed at those of its hostnames that it can have", async () => {
		await atoll.deploy("kept", says("kept"), { tenant: "victim", hostnames: ["kept.test"] });
		atoll.runtime.deployBroken(
			{ tenant: "mallory", name: "broken", hostnames: ["kept.test", "free.test", "*.com", "no host"] },
			"it does not build",
		);
		assert.equal(await errorCode(await atoll.fetch("free")), "startup_failed");
		assert.equal(await atoll.text("kept"), "kept");
	});
});
