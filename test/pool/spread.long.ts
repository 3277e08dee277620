import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { roundsFor, WORK } from "../support/work.ts";

/** More than a light turn may take, and less than a brief request. */
const ROUNDS = roundsFor(8);
const CONCURRENCY = 64;

/** What a function does for a request; `/loop` is a turn without end. */
const busy = (name: string) => `
${WORK}
export default { fetch(request) {
	if (request.url.endsWith("/loop")) for (;;);
	work(${ROUNDS});
	return new Response("${name}");
} };`;
const LIGHT = `export default { fetch: () => new Response("light") };`;

const atoll = new TestRuntime({ sandboxes: 4, limits: { cpuMs: 100 } });

/** So many requests at a time to a function, one after the other on each connection, until it is ended. */
class Load {
	readonly answers: string[] = [];
	readonly #workers: Promise<void>[];
	#ended = false;

	constructor(name: string, connections = CONCURRENCY) {
		this.#workers = Array.from({ length: connections }, async () => {
			while (!this.#ended) {
				const response = await atoll.fetch(name);
				const answer = response.ok ? await response.text() : `${response.headers.get("x-atoll-error")}`;
				this.answers.push(answer);
				if (answer === "shutting_down") return; // The test has failed.
			}
		});
	}

	/** Resolves once so many more have been answered. */
	async more(count: number): Promise<void> {
		const wanted = this.answers.length + count;
		await until(() => this.answers.length >= wanted);
	}

	/** Ends it. Gives the different answers that there were. */
	async end(): Promise<string[]> {
		this.#ended = true;
		await Promise.all(this.#workers);
		return [...new Set(this.answers)];
	}
}

const lent = () => atoll.runtime.stats().lent;

/** Has a function show what its requests take. */
async function prove(name: string): Promise<void> {
	for (let i = 0; i < 40; i++) await atoll.text(name);
}

test("a function whose queue forms is served by more sandboxes, and by one again when it is calm", async () => {
	await atoll.deploy("busy", busy("busy"));
	await until(() => atoll.runtime.sandboxPids().length === 5); // With the spare.
	await prove("busy");
	assert.equal(lent(), 0);
	const { isolates } = atoll.runtime.stats();
	const load = new Load("busy");
	await until(() => lent() === 3);
	await until(() => atoll.runtime.stats().isolates > isolates + 1);
	assert.deepEqual(await load.end(), ["busy"]);
	await until(() => lent() === 0);
	await until(() => atoll.runtime.stats().isolates === isolates);
	assert.equal(await atoll.text("busy"), "busy");
	assert.equal(atoll.runtime.stats().isolates, isolates);
});

test("a light function stays in its home under as many requests, and so does one of which nothing is known", async () => {
	await atoll.deploy("light", LIGHT);
	await prove("light");
	const load = new Load("light");
	for (let i = 0; i < 10; i++) {
		await load.more(CONCURRENCY);
		assert.equal(lent(), 0);
	}
	assert.deepEqual(await load.end(), ["light"]);
	await atoll.deploy("new", busy("new"));
	const pending = Promise.all(Array.from({ length: 19 }, () => atoll.text("new")));
	await atoll.record("new", 10);
	assert.equal(lent(), 0);
	await pending;
});

test("its neighbours are answered meanwhile, and when it turns bad wherever it is; which ends that", async () => {
	const names = Array.from({ length: 4 }, (_, i) => `neighbour${i}`);
	await Promise.all(names.map((name) => atoll.deploy(name, LIGHT)));
	for (const name of names) await prove(name);
	await prove("busy");
	const load = new Load("busy", 16);
	const neighbours = names.map((name) => new Load(name, 1));
	await until(() => lent() > 0);
	await Promise.all(neighbours.map((one) => one.more(20)));
	// It may prove brief again, by the requests that go on.
	const ended = until(() => lent() === 0);
	const bad = await Promise.all(Array.from({ length: 4 }, () => atoll.fetch("busy", "/loop")));
	for (const { headers } of bad) assert.equal(headers.get("x-atoll-error"), "cpu_limit_exceeded");
	await ended;
	await Promise.all(neighbours.map((one) => one.more(20)));
	assert.deepEqual(await load.end(), ["busy"]);
	for (const one of neighbours) assert.deepEqual(await one.end(), ["light"]);
});

test("a version that is released while the one before is spread takes over without a failed request", async () => {
	await atoll.deploy("released", busy("old"));
	await prove("released");
	const load = new Load("released");
	await until(() => lent() > 0);
	await atoll.deploy("released", busy("new"));
	await until(() => load.answers.includes("new"));
	await load.more(CONCURRENCY);
	assert.deepEqual((await load.end()).toSorted(), ["new", "old"]);
	assert.equal(await atoll.text("released"), "new");
	await until(() => lent() === 0);
});

test("a sandbox that is lost while a function is spread costs no more than the request whose turn ran", async () => {
	await atoll.deploy("loses", busy("loses"));
	await prove("loses");
	const load = new Load("loses");
	await until(() => lent() > 0);
	const { restarts } = atoll.runtime.stats();
	const [victim] = atoll.runtime.sandboxPids();
	process.kill(victim, "SIGKILL");
	await until(() => atoll.runtime.stats().restarts > restarts);
	await load.more(2 * CONCURRENCY);
	await load.end();
	const failed = load.answers.filter((answer) => answer !== "loses");
	assert.ok(failed.length <= 1 && failed.every((code) => code === "sandbox_lost"), `${failed}`);
});
