import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Version } from "../../src/deployments/version.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const says = (text: string) => `export default { fetch: () => new Response(${JSON.stringify(text)}) }`;
/** Says something that the prelude never does, when it is asked for `/`. */
const FORGES = `export default { fetch(request) {
	if (new URL(request.url).pathname !== "/") return new Response("honest");
	Object.defineProperty(Array.prototype, "0", { get: () => "a\\nb", set() {}, configurable: true });
	return new Response("x", { headers: { a: "b" } });
} }`;

/** A function of which a request can be held up, until its body has come. */
const reads = (text: string) =>
	`export default { async fetch(r) { console.log("${text} has one"); return new Response("${text} " + await r.text()); } }`;

inBothIsolations("functions", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const code = async (name: string) => (await atoll.fetch(name)).headers.get("x-atoll-error");
	const build = async (name: string, source: string, file = name): Promise<Version> => {
		const entry = await atoll.write(`${file}.js`, source);
		return (await atoll.runtime.build(atoll.runtime.upload({ name, entry }))).version;
	};

	test("a function that was disabled is still disabled once it is deployed again, or removed and deployed", async () => {
		const mallory = { tenant: "mallory", name: "forger" };
		const other = { tenant: "other", name: "forger" };
		await atoll.deploy("forger", FORGES);
		await atoll.deploy("mallory", FORGES, mallory);
		// The second for which it is disabled shall not be over while it is deployed.
		mock.timers.enable({ apis: ["Date"], now: Date.now() });
		try {
			for (const name of ["forger", "mallory"]) {
				assert.equal(await code(name), "invalid_response");
				assert.equal(await code(name), "invalid_response");
				assert.equal(await code(name), "function_quarantined");
			}
			await atoll.deploy("forger", says("changed"));
			await atoll.deploy("mallory", says("changed"), mallory);
			await atoll.deploy("other", says("other"), other);
			assert.equal(await code("forger"), "function_quarantined");
			assert.equal(await code("mallory"), "function_quarantined");
			assert.equal(await atoll.text("other"), "other", "one of the same name is another tenant's");
			await atoll.runtime.remove({ name: "forger" });
			await atoll.deploy("forger", says("back"));
			assert.equal(await code("forger"), "function_quarantined");
			mock.timers.tick(1000);
			assert.equal(await atoll.text("forger"), "back", "nor is it disabled for longer");
		} finally {
			mock.timers.reset();
		}
	});

	test("a strike for a request that a function had when it was removed is not lost", async () => {
		const late = `export default { async fetch(request) {
			if (request.method === "GET") return new Response("honest");
			console.log("late has one");
			await request.text();
			Object.defineProperty(Array.prototype, "0", { get: () => "a\\nb", set() {}, configurable: true });
			return new Response("x", { headers: { a: "b" } });
		} }`;
		await atoll.deploy("late", late);
		const held = Array.from({ length: 2 }, () => {
			const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
			const answer = atoll.fetch("late", "/", { method: "POST", body: readable, duplex: "half" });
			return { answer, go: () => writable.close() };
		});
		await until(() => atoll.logs.filter(({ message }) => message === "late has one").length === 2);
		await atoll.runtime.remove({ name: "late" });
		await atoll.deploy("late", says("back"));
		mock.timers.enable({ apis: ["Date"], now: Date.now() });
		try {
			for (const { answer, go } of held) {
				await go();
				assert.equal((await answer).headers.get("x-atoll-error"), "invalid_response");
			}
			assert.equal(await code("late"), "function_quarantined");
		} finally {
			mock.timers.reset();
		}
	});

	test("requests in flight finish at the version that has them, and new ones get the new version", async () => {
		await atoll.deploy("flight", reads("old"));
		const body = new TransformStream<Uint8Array, Uint8Array>();
		const writer = body.writable.getWriter();
		const pending = atoll.text("flight", "/", { method: "POST", body: body.readable, duplex: "half" });
		await atoll.log("old has one");
		await atoll.deploy("flight", reads("new"));
		assert.equal(await atoll.text("flight", "/", { method: "POST", body: "request" }), "new request");
		await writer.write(Buffer.from("request"));
		await writer.close();
		assert.equal(await pending, "old request");
	});

	test("an upload is built, released and activated in steps, and only the last changes what is served", async () => {
		const { runtime } = atoll;
		await atoll.deploy("steps", says("first"));
		const version = await build("steps", `console.log("second has started"); ${says("second")}`, "steps2");
		const release = await runtime.release({ shares: [{ version, percent: 100 }] });
		// A start ahead of requests is given up where a busy machine takes long for it.
		await until(async () => {
			await runtime.warm(release);
			return atoll.logs.some(({ message }) => message === "second has started");
		});
		assert.equal(await atoll.text("steps"), "first");
		runtime.activate(release, ["steps.test", "also-steps.test"]);
		assert.equal(await atoll.text("also-steps"), "second");
		assert.equal((await atoll.record("steps", 1)).version, version.id);
		await assert.rejects(runtime.release({ shares: [{ version, percent: 50 }] }), /add up to 50 %/);
		assert.throws(() => runtime.upload({ name: "steps", entry: "none.js" }), /none\.js: there is no such file/);
	});

	test("a version whose share changes runs on, and one that comes back with other variables starts anew", async () => {
		const { runtime } = atoll;
		const counts = (text: string) =>
			`let n = 0; export default { fetch: (r, env) => new Response("${text} " + ++n + " " + env.who) }`;
		const one = await build("shares", counts("one"), "shares1");
		const two = await build("shares", counts("two"), "shares2");
		const activate = async (first: number, env = { who: "you" }) =>
			runtime.activate(
				await runtime.release({
					env,
					shares: [
						{ version: one, percent: first },
						{ version: two, percent: 100 - first },
					],
				}),
				["shares.test"],
			);
		await activate(100);
		assert.equal(await atoll.text("shares"), "one 1 you");
		await activate(0);
		assert.equal(await atoll.text("shares"), "two 1 you");
		await activate(100);
		assert.equal(await atoll.text("shares"), "one 2 you");
		await activate(100, { who: "me" });
		assert.equal(await atoll.text("shares"), "one 1 me");
	});

	test("two versions share a function's traffic", async () => {
		const { runtime } = atoll;
		const one = await build("halves", says("one"), "halves1");
		const two = await build("halves", says("two"), "halves2");
		const shares = [one, two].map((version) => ({ version, percent: 50 }));
		runtime.activate(await runtime.release({ shares }), ["halves.test"]);
		const answers = new Set<string>();
		// That one of them gets all of so many has a chance of one in 10^29.
		for (let i = 0; i < 100; i++) answers.add(await atoll.text("halves"));
		assert.deepEqual(answers, new Set(["one", "two"]));
		const versions = new Set(atoll.records.filter((record) => record.function === "halves").map((one) => one.version));
		assert.deepEqual(versions, new Set([one.id, two.id]));
	});
});

const atoll = new TestRuntime();

test("a request whose sandbox is lost runs again at the version that it began with, though that serves no longer", async () => {
	await atoll.deploy("flight", reads("old"));
	const body = new TransformStream<Uint8Array, Uint8Array>();
	const writer = body.writable.getWriter();
	const pending = atoll.text("flight", "/", { method: "POST", body: body.readable, duplex: "half" });
	await atoll.log("old has one");
	await atoll.deploy("flight", reads("new"));
	for (const pid of atoll.runtime.sandboxPids()) process.kill(pid, "SIGKILL");
	await until(() => atoll.logs.filter(({ message }) => message === "old has one").length >= 2);
	await writer.write(Buffer.from("request"));
	await writer.close();
	assert.equal(await pending, "old request");
	assert.ok((await atoll.record("flight")).attempts >= 2);
	assert.equal(await atoll.text("flight", "/", { method: "POST", body: "request" }), "new request");
});
