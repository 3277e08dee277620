import assert from "node:assert/strict";
import { before, test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("what bad input gets", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	before(async () => {
		await atoll.deploy("neighbour", `export default { fetch: () => new Response("fine") }`);
	});

	test("a function that throws gets 500 exception, and its stack goes to the log, mapped into the source", async () => {
		await atoll.deploy(
			"throws",
			`type A = { a: string };\n\nfunction deep(a: A): never {\n\tthrow new RangeError("boom " + a.a);\n}\nexport default { fetch() { deep({ a: "x" }); } };`,
			{},
			"ts",
		);
		const response = await atoll.fetch("throws");
		assert.equal(response.status, 500);
		const body = await response.clone().text();
		assert.doesNotMatch(body, /boom|throws\.ts/);
		assert.equal(await errorCode(response), "exception");
		const line = await atoll.log("boom x");
		assert.match(line.message, /RangeError: boom x\n\s+at deep \(.*throws\.ts:4:8\)/);
		assert.doesNotMatch(line.message, /atoll:prelude|isolated-vm/);
		const record = await atoll.record("throws");
		assert.equal(record.outcome, "exception");
		assert.equal(line.requestId, record.requestId);
		assert.equal(line.version, record.version);
	});

	test("a stack names the file as it is called, also that of a module and with a space in it", async () => {
		await atoll.write("module/package.json", '{ "type": "module" }');
		const entry = await atoll.write("module/a name.js", `export default { fetch() { throw new Error("spaced"); } };`);
		await atoll.deploy("spaced", "", { entry });
		await atoll.fetch("spaced");
		const { message } = await atoll.log("Error: spaced");
		assert.match(message, /\(?\S*module\/a name\.js:1:\d+\)?/);
	});

	for (const [what, source] of Object.entries({
		nothing: "fetch() {}",
		"a string": `fetch: () => "hello"`,
		"a response whose body was read": `async fetch() { const r = new Response("x"); await r.text(); return r; }`,
		"Response.error()": "fetch: () => Response.error()",
		"an object that claims to be a Response": "fetch: () => Object.create(Response.prototype)",
	})) {
		test(`a function that returns ${what} gets 500 invalid_response`, async () => {
			await atoll.deploy("invalid", `export default { ${source} }`);
			const response = await atoll.fetch("invalid");
			assert.equal(response.status, 500);
			assert.equal(await errorCode(response), "invalid_response");
		});
	}

	test("one whose top level throws gets startup_failed, is tried again, and then with back-off", async () => {
		const deployed = await atoll.deploy(
			"broken",
			`globalThis.tries = 0; throw new Error("not today");`.concat(
				`\nexport default { fetch: () => new Response("") };`,
			),
		);
		assert.match(deployed.startFailure ?? "", /not today/);
		for (let i = 0; i < 3; i++) {
			const response = await atoll.fetch("broken");
			assert.equal(response.status, 500);
			if (i === 2) assert.ok(Number(response.headers.get("retry-after")) >= 1);
			assert.equal(await errorCode(response), "startup_failed");
		}
		const line = await atoll.log("not today");
		assert.match(line.message, /startup_failed: Error: not today\n\s+at .*broken\.js:1/);
	});

	test("an endless loop gets 503 cpu_limit_exceeded, its neighbour answers, and the next request works", async () => {
		await atoll.deploy(
			"loop",
			`export default { fetch(r) { if (r.url.endsWith("/loop")) for (;;) {} return new Response("out"); } }`,
			{ limits: { cpuMs: 50 } },
		);
		const response = await atoll.fetch("loop", "/loop");
		assert.equal(response.status, 503);
		assert.equal(await errorCode(response), "cpu_limit_exceeded");
		assert.equal(await atoll.text("neighbour"), "fine");
		assert.equal(await atoll.text("loop"), "out");
		const record = await atoll.record("loop");
		assert.ok(record.cpuMs >= 40, `cpuMs is ${record.cpuMs}`);
	});

	for (const [what, source] of Object.entries({
		"microtasks without end": "async fetch() { for (;;) await null; }",
		"arrays in a hot loop": "fetch() { let x; for (;;) x = new Array(1000); }",
		"a regular expression that backtracks": `fetch() { /^(a+)+$/.test("a".repeat(40) + "!"); return new Response(""); }`,
		"CPU time over many turns":
			"async fetch() { for (;;) { for (let i = 0; i < 2e6; i++); await new Promise((r) => setTimeout(r)); } }",
		"a loop in waitUntil": `fetch(r, e, ctx) { ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 5)); for (;;); })()); return new Response("early"); }`,
	})) {
		test(`${what} ends with the CPU limit`, async () => {
			await atoll.deploy("spin", `export default { ${source} }`, { limits: { cpuMs: 40 } });
			const nth = atoll.records.filter((record) => record.function === "spin").length;
			await atoll.text("spin");
			assert.equal((await atoll.record("spin", nth)).outcome, "cpu_limit_exceeded");
			assert.equal(await atoll.text("neighbour"), "fine");
		});
	}

	test("a leak gets 503 memory_limit_exceeded, its neighbour answers, and the next request works", async () => {
		await atoll.deploy(
			"leak",
			`const kept = []; export default { fetch(r) { if (r.url.endsWith("/leak")) for (;;) kept.push(new Array(100).fill({})); return new Response("dry"); } }`,
			{
				limits: { memoryMb: 16, cpuMs: 20_000 },
			},
		);
		const response = await atoll.fetch("leak", "/leak");
		assert.equal(response.status, 503);
		assert.equal(await errorCode(response), "memory_limit_exceeded");
		assert.equal(await atoll.text("neighbour"), "fine");
		assert.equal(await atoll.text("leak"), "dry");
	});

	test("a top level that never ends gets startup_cpu_limit_exceeded", async () => {
		const deployed = await atoll.deploy("slowstart", `for (;;) {}\nexport default { fetch: () => new Response("") };`, {
			limits: { startupCpuMs: 50 },
		});
		assert.match(deployed.startFailure ?? "", /50 ms/);
		const response = await atoll.fetch("slowstart");
		assert.equal(response.status, 503);
		assert.equal(await errorCode(response), "startup_cpu_limit_exceeded");
	});

	test("an error of 30 MB costs no more than a start, or a line of the log", async () => {
		const thrown = `new Error("a".repeat(3e7))`;
		const deployed = await atoll.deploy("shouts", `throw ${thrown};`, { limits: { startupCpuMs: 2000 } });
		assert.match(deployed.startFailure ?? "", /aaaa/);
		assert.ok((deployed.startFailure ?? "").length < 10_000);
		const before = atoll.runtime.stats().restarts;
		assert.equal(await errorCode(await atoll.fetch("shouts")), "startup_failed");
		await atoll.deploy(
			"strays",
			`export default { fetch() { Promise.reject(${thrown}); return new Response("ok"); } };`,
		);
		assert.equal(await atoll.text("strays"), "ok");
		assert.ok((await atoll.log("aaaa")).message.length < 50_000);
		assert.equal(atoll.runtime.stats().restarts, before);
	});

	test("a function that never answers gets 504 wall_time_exceeded", async () => {
		await atoll.deploy("mute", "export default { fetch: () => new Promise(() => {}) }", { limits: { wallMs: 60 } });
		const response = await atoll.fetch("mute");
		assert.equal(response.status, 504);
		assert.equal(await errorCode(response), "wall_time_exceeded");
		assert.equal((await atoll.record("mute")).outcome, "wall_time_exceeded");
	});

	test("a response stream that fails half-way breaks off: it never looks whole", async () => {
		await atoll.deploy(
			"half",
			`export default { fetch: () => new Response(new ReadableStream({
			n: 0,
			pull(c) { if (this.n++ < 2) c.enqueue(new TextEncoder().encode("part ")); else c.error(new Error("torn")); },
		})) }`,
		);
		const response = await atoll.fetch("half");
		assert.equal(response.status, 200);
		await assert.rejects(response.text());
		await atoll.log("torn");
		assert.equal((await atoll.record("half")).outcome, "exception");
	});

	test("a stream of something else than bytes breaks off and says why in the log", async () => {
		await atoll.deploy(
			"strings",
			`export default { fetch: () => new Response(new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } })) }`,
		);
		await assert.rejects((await atoll.fetch("strings")).text());
		await atoll.log("Uint8Array");
	});

	test("errors that fight back are described without harm", async () => {
		const cases = [
			"Promise.reject()",
			"Promise.reject(Symbol('s'))",
			"Promise.reject({ get message() { throw 1 }, get stack() { throw 2 }, toString() { throw 3 } })",
			"Promise.reject(new Proxy({}, { get() { throw 4 }, getPrototypeOf() { throw 5 } }))",
			"(() => { const e = new Error('circle'); e.cause = e; throw e; })()",
			"Promise.reject(Object.assign(new Error('x'), { stack: { toString() { throw 6 } } }))",
		];
		await atoll.deploy(
			"hostile",
			`const cases = [${cases.map((code) => `() => ${code}`)}]; export default { fetch: (r) => cases[new URL(r.url).searchParams.get("n")]() }`,
		);
		for (let n = 0; n < cases.length; n++)
			assert.equal(await errorCode(await atoll.fetch("hostile", `/?n=${n}`)), "exception", cases[n]);
	});

	test("what nobody caught is logged with its function and version", async () => {
		await atoll.deploy(
			"uncaught",
			`export default { fetch() { setTimeout(() => { throw new Error("in a timer") }); Promise.reject(new Error("left alone")); return new Promise((r) => setTimeout(() => r(new Response("ok")), 5)); } }`,
		);
		assert.equal(await atoll.text("uncaught"), "ok");
		const timer = await atoll.log("in a timer");
		assert.match(timer.message, /uncaught\.js:1/);
		assert.equal((await atoll.log("left alone")).function, "uncaught");
	});
});
