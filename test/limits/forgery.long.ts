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

test("what a function says of the messages of a queue is what it said, or its event has failed", async () => {
	const module = JSON.stringify(resolve("test/adversaries/forged-messages.js"));
	const source = `
		import { variants } from ${module};
		export default { queue({ messages }) {
			const [first, second] = messages;
			variants[first.body]();
			second.retry({ delaySeconds: 5 });
			first.ack();
		} };`;
	const message = { timestamp: 0, attempts: 1, contentType: "text" } as const;
	let told = 0;
	for (const variant of Object.keys(variants as object)) {
		const name = `queue-${variant.toLowerCase()}`;
		await atoll.deploy(name, source);
		const first = { ...message, id: "first", body: variant };
		const messages = [first, { ...message, id: "second", body: "" }, { ...message, id: "third", body: "" }];
		for (let i = 0; i < 2; i++) {
			const { outcome, result } = await atoll.runtime.dispatch({ name }, { type: "queue", queue: "q", messages });
			if (outcome === "ok") {
				told++;
				const retried = [{ id: "second", delaySeconds: 5 }];
				assert.deepEqual(result, { acknowledged: ["first", "third"], retried }, variant);
			} else {
				assert.match(outcome, /^(exception|invalid_response|function_quarantined)$/, variant);
				assert.ok(!result.acknowledged.includes("third"), variant);
			}
		}
	}
	assert.ok(told >= Object.keys(variants as object).length, `${told} told what they said`);
	assert.equal(await atoll.text("neighbour"), "here");
});
