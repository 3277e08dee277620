import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
// @ts-expect-error: an adversary is plain JavaScript.
import { variants } from "../adversaries/forged-messages.js";
import { exchange } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ limits: { cpuMs: 2000, wallMs: 5000 }, recyclesPerMinute: 500 });
let server: HttpServer;
let port = 0;

before(async () => {
	server = new HttpServer(await atoll.ready());
	({ port } = await server.listen(0, "127.0.0.1"));
});
after(() => server.close());

const ENDS = ["plain", "text", "stream", "throws", "nothing", "socket"];

/**
 * Has a function of one variant end its requests in every way, twice, from the `first` on. What of that reaches a client
 * is well formed, and says nothing in the platform's name.
 */
async function attack(variant: string, first: number): Promise<void> {
	const hostname = `${variant.toLowerCase()}.test`;
	const entry = resolve("test/adversaries/forged-messages.js");
	await atoll.runtime.deploy({ name: variant.toLowerCase(), hostnames: [hostname], entry, env: { variant } });
	for (let i = 0; i < 2 * ENDS.length; i++) {
		const path = `/?end=${ENDS[(first + i) % ENDS.length]}${i < ENDS.length ? "" : "&first"}`;
		const response = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
		const head = response.slice(0, response.indexOf("\r\n\r\n")).toLowerCase();
		assert.doesNotMatch(head, /forged|set-cookie/, path);
		assert.ok((head.match(/\ncontent-length:/g)?.length ?? 0) <= 1, head);
	}
}

test("whatever an isolate is made to say costs no sandbox and no neighbour", async () => {
	await atoll.deploy("neighbour", `export default { fetch: () => new Response("here") }`);
	const { restarts } = atoll.runtime.stats();
	let stop = false;
	const neighbour = (async () => {
		while (!stop) {
			assert.equal(await atoll.text("neighbour"), "here");
			await new Promise((next) => setImmediate(next));
		}
	})();
	try {
		await Promise.all(Object.keys(variants as object).map(attack));
	} finally {
		stop = true;
		await neighbour;
	}
	assert.equal(atoll.runtime.stats().restarts, restarts);
	assert.equal(await atoll.text("neighbour"), "here");
});

test("what the prelude never says is a strike for the function whose isolate says it, and for no other", async () => {
	const source = `
		export default { fetch(request) {
			if (new URL(request.url).pathname !== "/") return new Response("honest");
			Object.defineProperty(Array.prototype, "0", { get: () => "a\\nb", set() {}, configurable: true });
			return new Response("x", { headers: { a: "b" } });
		} }`;
	await atoll.deploy("forger", source);
	await atoll.deploy("innocent", source);
	const { restarts } = atoll.runtime.stats();
	const [pid] = atoll.runtime.sandboxPids();
	assert.equal(await atoll.text("innocent", "/honest"), "honest");
	const code = async () => (await atoll.fetch("forger")).headers.get("x-atoll-error");
	assert.equal(await code(), "invalid_response");
	assert.equal(await code(), "invalid_response", "on probation, in a sandbox of its own");
	assert.equal(await code(), "function_quarantined");
	assert.match((await atoll.log("that the platform never sends")).message, /invalid_response/);
	assert.equal(await atoll.text("innocent", "/honest"), "honest");
	assert.equal(atoll.runtime.stats().restarts, restarts);
	assert.ok(atoll.runtime.sandboxPids().includes(pid));
});
