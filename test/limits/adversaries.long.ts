import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Limits } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { bodyOf, exchange } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";

/** What a client may get for each adversary; where several stand, the machine decides which limit is met first. */
const CPU = ["cpu_limit_exceeded"];
const MEMORY = ["memory_limit_exceeded", "cpu_limit_exceeded", "exception"];
const LOST = ["sandbox_lost", "function_quarantined", "wall_time_exceeded"];
const OUTCOMES: Record<string, string[]> = {
	"array-like-index-of": LOST,
	"array-like-join": [...LOST, "exception", "cpu_limit_exceeded"],
	"array-like-reverse": LOST,
	"async-spin": CPU,
	"backtracking-log": ["ok", ...CPU],
	bigint: ["ok", ...CPU, ...LOST],
	"comparator-sort": [...MEMORY, "sandbox_lost"],
	"crypto-bomb": CPU,
	"deep-recursion": [...CPU, ...LOST],
	"endless-loop": CPU,
	"endless-stream": ["ok"],
	"escape-attempts": ["ok"],
	"fetch-flood": [...MEMORY, "sandbox_lost"],
	"fill-gigabytes": [...MEMORY, ...LOST],
	"forged-messages": ["ok", "invalid_response"],
	"global-crypto": ["ok", ...CPU],
	"gzip-bomb": MEMORY,
	"header-flood": ["invalid_response", ...CPU],
	"hostile-response": ["invalid_response", "exception", ...CPU],
	"hostile-errors": ["exception", ...CPU],
	"json-bomb": [...MEMORY, ...LOST],
	"leak-buffers": MEMORY,
	"leak-objects": MEMORY,
	"leak-strings": MEMORY,
	"log-flood": ["ok", ...CPU],
	"multipart-bomb": ["ok", ...MEMORY, ...LOST],
	"network-scan": ["ok"],
	"never-answers": ["wall_time_exceeded"],
	normalize: [...MEMORY, ...LOST],
	"patched-builtins": ["ok"],
	"promise-bomb": MEMORY,
	"prototype-pollution": ["ok"],
	"regex-bomb": CPU,
	"rejection-flood": ["ok", ...CPU],
	"self-fetch": ["ok", "wall_time_exceeded"],
	"slow-stream": ["ok"],
	"sparse-sort": LOST,
	"split-crash": LOST,
	"stack-flood": ["exception", ...CPU],
	"startup-loop": ["startup_cpu_limit_exceeded"],
	"timer-bomb": [...MEMORY, "wall_time_exceeded"],
	"unrolled-allocation": CPU,
	"url-loop": CPU,
	"wait-until-bomb": ["ok"],
	"wasm-atomic-wait": [...CPU, ...LOST, "exception"],
	"wasm-loop": CPU,
	"wasm-memory": MEMORY,
};

/** Where the question is whether it gets through, however slow the machine; and where nothing else than the wall clock ends it. */
const OWN_LIMITS: Record<string, Partial<Limits>> = {
	"escape-attempts": { startupCpuMs: 30_000 },
	"never-answers": { wallMs: 500 },
	"patched-builtins": { cpuMs: 30_000 },
	"self-fetch": { wallMs: 1500 },
	"timer-bomb": { wallMs: 1500 },
};

const atoll = new TestRuntime({
	// What ends them is to be what they do, and not that the machine is slow.
	limits: { cpuMs: 200, startupCpuMs: 200, wallMs: 100_000, memoryMb: 64 },
	recyclesPerMinute: 500, // They are all called within one.
});
const names = readdirSync("test/adversaries").map((file) => file.replace(/\.js$/, ""));

before(async () => {
	const runtime = await atoll.ready();
	for (const name of names) {
		// What kills the process that builds it never gets as far as being called.
		await runtime.deploy({
			name,
			hostnames: [`${name}.test`],
			entry: resolve("test/adversaries", `${name}.js`),
			limits: OWN_LIMITS[name],
		});
	}
	for (let i = 0; i < 5; i++)
		await atoll.deploy(
			`neighbour${i}`,
			`export default { async fetch() { await null; return new Response("here ${i}"); } }`,
		);
});

test("every adversary has its outcome named", () => {
	assert.deepEqual(names.toSorted(), Object.keys(OUTCOMES).toSorted());
});

for (const name of names) {
	test(`${name}: no neighbour fails, and it gets its answer`, async () => {
		let stop = false;
		let answered = 0;
		const neighbours = Array.from({ length: 5 }, async (_, i) => {
			while (!stop) {
				const response = await atoll.fetch(`neighbour${i}`);
				assert.equal(response.status, 200);
				assert.equal(await response.text(), `here ${i}`);
				answered++;
				await new Promise((next) => setImmediate(next));
			}
		});
		const watched = Promise.all(neighbours);
		try {
			const response = await Promise.race([
				atoll.fetch(name),
				watched.then(() => assert.fail("the neighbours stopped")),
			]);
			const code = response.headers.get("x-atoll-error") ?? "ok";
			assert.ok(OUTCOMES[name].includes(code), `${name} got ${code}`);
			if (code === "ok") await readSome(response, name);
		} finally {
			stop = true;
			await watched;
		}
		assert.ok(answered > 0);
	});
}

/** What the platform's APIs give although every built-in under them has been replaced. */
const UNIMPRESSED = `headers: a=1, 3;c=4;
params: a=1&b=+x&c=%C3%BC  x
url: https://user@example.com:8080/a/x?y=2#z
pattern: 7
form: 1 f.txt xyz
blob: b\0\0c
json: 2
base64: hello
text: grüß €
latin: 3
streams: 0;1;2; 0;1;2; 3
compression: hello hello hello
fixed: 2 4
clone: 2 d
events: x
abort: true enough
digest: true
timers: fired
port: b
cached: kept
rpc: x 2 rs v thrown
log: logged
`;

/** Reads the beginning of a body that may never end; what escape and scan found must be nothing. */
async function readSome(response: Response, name: string): Promise<void> {
	const reader = response.body?.getReader();
	let text = "";
	for (let i = 0; i < 5; i++) {
		const { done, value } = (await reader?.read()) ?? { done: true };
		if (done) break;
		text += Buffer.from(value as Uint8Array).toString("utf8", 0, 1000);
	}
	await reader?.cancel();
	if (name === "escape-attempts" || name === "network-scan") assert.equal(text, "[]");
	if (name === "prototype-pollution") assert.equal(text, "/ ab TypeError");
	if (name === "patched-builtins") assert.equal(text, UNIMPRESSED);
}

test("two hundred functions of one tenant, all misbehaving at once, are one attacker", async () => {
	const kinds = ["split-crash", "endless-loop", "leak-objects", "sparse-sort", "rejection-flood"];
	const mob = Array.from({ length: 200 }, (_, i) => `mob${i}`);
	await Promise.all(
		mob.map((name, i) =>
			atoll.runtime.deploy({
				name,
				tenant: "mob",
				hostnames: [`${name}.test`],
				entry: resolve("test/adversaries", `${kinds[i % kinds.length]}.js`),
			}),
		),
	);
	const before = atoll.runtime.stats().restarts;
	let over = false;
	const neighbours = Promise.all(
		Array.from({ length: 5 }, async (_, i) => {
			while (!over) assert.equal(await atoll.text(`neighbour${i}`), `here ${i}`);
		}),
	);
	const codes = await Promise.all(
		mob.map(async (name) => (await atoll.fetch(name)).headers.get("x-atoll-error") ?? "ok"),
	);
	over = true;
	await neighbours;
	assert.ok(LOST.some((code) => codes.includes(code)));
	assert.ok(atoll.runtime.stats().restarts - before < 60, `${atoll.runtime.stats().restarts - before} sandboxes lost`);
	// A second strike, whichever of its functions gets it, disables them all.
	for (let i = 0; i < 3; i++) await atoll.fetch("mob0");
	for (const name of ["mob0", "mob1", "mob4"])
		assert.equal((await atoll.fetch(name)).headers.get("x-atoll-error"), "function_quarantined");
	for (let i = 0; i < 5; i++) assert.equal(await atoll.text(`neighbour${i}`), `here ${i}`);
});

test("a function with two strikes is disabled, then alone, and its neighbours never were", async () => {
	const seen = new Set<string>();
	for (let i = 0; i < 4; i++) seen.add((await atoll.fetch("split-crash")).headers.get("x-atoll-error") ?? "ok");
	assert.deepEqual([...seen].toSorted(), ["function_quarantined", "sandbox_lost"].slice(0, seen.size));
	const refused = await atoll.fetch("split-crash");
	assert.equal(refused.headers.get("x-atoll-error"), "function_quarantined");
	assert.ok(Number(refused.headers.get("retry-after")) >= 1);
	assert.equal(await atoll.text("neighbour0"), "here 0");
});

test("a request whose turn is too long for the normal lane runs again in the heavy one, with all of its body", async () => {
	await atoll.deploy(
		"sometimes",
		`export default { async fetch(r) { const n = Number(await r.text()); let x = 0; for (let i = 0; i < n; i++) x += i % 7; return new Response("n " + n + (x < 0 ? "!" : "")); } }`,
		{ limits: { cpuMs: 5000 } },
	);
	const server = new HttpServer(atoll.runtime);
	after(() => server.close());
	const { port } = await server.listen(0, "127.0.0.1");
	const post = async (n: number) =>
		bodyOf(
			await exchange(
				port,
				`POST / HTTP/1.1\r\nHost: sometimes.test\r\nConnection: close\r\nContent-Length: ${String(n).length}\r\n\r\n${n}`,
			),
		);
	for (let i = 0; i < 30; i++) assert.equal(await post(i), `n ${i}`);
	assert.equal(await post(60_000_000), "n 60000000");
	assert.equal(atoll.records.findLast((record) => record.function === "sometimes")?.attempts, 2);
	// A body that came as a stream cannot be sent again, so its turns are not cut early.
	for (let i = 0; i < 30; i++) await post(i);
	assert.equal(await atoll.text("sometimes", "/", { method: "POST", body: "60000000" }), "n 60000000");
	assert.equal(atoll.records.findLast((record) => record.function === "sometimes")?.attempts, 1);
});
