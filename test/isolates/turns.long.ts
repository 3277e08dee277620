import assert from "node:assert/strict";
import { before, test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("turns", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	test("timers fire in order, can be cleared, and repeat", async () => {
		await atoll.deploy(
			"timers",
			`export default { async fetch() {
			const seen = [];
			setTimeout(() => seen.push("late"), 30);
			setTimeout((a, b) => seen.push(a + b), 5, "ear", "ly");
			clearTimeout(setTimeout(() => seen.push("never"), 1));
			await new Promise((done) => { let n = 0; const id = setInterval(() => { seen.push("tick"); if (++n === 3) { clearInterval(id); done(); } }, 8); });
			await new Promise((r) => setTimeout(r, 40));
			return Response.json(seen);
		} }`,
		);
		const seen = (await (await atoll.fetch("timers")).json()) as string[];
		assert.equal(seen[0], "early");
		assert.equal(seen.filter((one) => one === "tick").length, 3);
		assert.ok(seen.includes("late") && !seen.includes("never"));
	});

	test("a timer from the top level runs in a later request's turn", async () => {
		await atoll.deploy(
			"global",
			`let ran = false; setTimeout(() => { ran = true; }, 1);
			export default { async fetch() { await new Promise((r) => setTimeout(r, 5)); return new Response(String(ran)); } }`,
		);
		await atoll.text("global");
		assert.equal(await atoll.text("global"), "true");
	});

	test("a top level may await WebCrypto, one operation after the other", async () => {
		await atoll.deploy(
			"awaits",
			`const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(1));
			console.log("halfway");
			const key = await crypto.subtle.importKey("raw", digest, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
			export default { async fetch() { return new Response((await crypto.subtle.sign("HMAC", key, digest)).byteLength + key.type); } }`,
		);
		const answers = await Promise.all([1, 2, 3].map(() => atoll.text("awaits")));
		assert.deepEqual(answers, ["32secret", "32secret", "32secret"]);
		assert.equal(atoll.records.filter((record) => record.function === "awaits" && record.cold).length, 1);
		await atoll.log("halfway");
	});

	test("a top level that fails after it has awaited fails its start", async () => {
		await assert.rejects(
			atoll.deploy(
				"awaits-fails",
				`await crypto.subtle.digest("SHA-256", new Uint8Array(1)); throw new RangeError("too late"); export default {};`,
			),
			/RangeError: too late/,
		);
		await atoll.deploy(
			"awaits-long",
			`for (;;) await crypto.subtle.digest("SHA-256", new Uint8Array(1)); export default { fetch() {} };`,
			{ limits: { startupCpuMs: 50 } },
		);
		assert.equal(await errorCode(await atoll.fetch("awaits-long")), "startup_cpu_limit_exceeded");
	});

	test("an operation that the top level does not wait for is answered in a request's turn", async () => {
		await atoll.deploy(
			"begins",
			`const digest = crypto.subtle.digest("SHA-256", new Uint8Array(1)).then((d) => crypto.subtle.digest("SHA-256", d));
			export default { async fetch() { return new Response(String((await digest).byteLength)); } }`,
		);
		assert.equal(await atoll.text("begins"), "32");
		assert.equal(await atoll.text("begins"), "32");
	});

	test("what WebCrypto takes is the request's CPU time", async () => {
		await atoll.deploy(
			"derives",
			`export default { async fetch(request) {
				const iterations = Number(new URL(request.url).searchParams.get("n"));
				const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
				const bits = crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(8), iterations }, key, 256);
				return new Response(request.url.includes("wait") ? String((await bits).byteLength) : "gone");
			} }`,
			{ limits: { cpuMs: 1000 } },
		);
		assert.equal(await atoll.text("derives", "/wait?n=400000"), "32");
		assert.equal(await atoll.text("derives", "/?n=400000"), "gone");
		for (const nth of [0, 1]) {
			const { cpuMs } = await atoll.record("derives", nth);
			assert.ok(cpuMs > 20, `${cpuMs} ms for 400,000 rounds of SHA-256`);
		}
		assert.equal(await errorCode(await atoll.fetch("derives", "/wait?n=2000000000")), "cpu_limit_exceeded");
	});

	test("requests interleave in one isolate", async () => {
		await atoll.deploy(
			"gate",
			`let open; const gate = new Promise((r) => { open = r; }); let waiting = 0;
			export default { async fetch(r) {
				if (r.url.endsWith("/open")) { open(); return new Response("opened for " + waiting); }
				waiting++; const until = setInterval(() => {}, 1000);
				while (waiting < 3) await new Promise((r) => setTimeout(r, 2));
				clearInterval(until);
				return new Response("through");
			} }`,
		);
		assert.deepEqual(await Promise.all([1, 2, 3].map(() => atoll.text("gate"))), ["through", "through", "through"]);
		assert.equal(await atoll.text("gate", "/open"), "opened for 3");
		assert.equal(atoll.records.filter((record) => record.function === "gate" && record.cold).length, 1);
	});

	test("a body that a request has left behind is sent in no other request's name", async () => {
		await atoll.deploy(
			"leaves",
			`let writer;
			export default { async fetch(request) {
				if (new URL(request.url).pathname === "/sink") return new Response("sunk");
				if (writer === undefined) {
					const { readable, writable } = new TransformStream();
					writer = writable.getWriter();
					fetch("http://leaves.test/sink", { method: "POST", body: readable, duplex: "half" }).catch(() => undefined);
					return new Response("left");
				}
				await writer.write(new Uint8Array(10));
				return new Response("written");
			} };`,
		);
		const answers: string[] = [];
		for (let i = 0; i < 4; i++) answers.push(await atoll.text("leaves"));
		assert.deepEqual(answers, ["left", "written", "written", "written"]);
	});

	test("what a function does as the body of its answer to HEAD is cancelled still belongs to the request", async () => {
		await atoll.deploy(
			"headed",
			`export default { fetch(request, env, ctx) {
			return new Response(new ReadableStream({ cancel() {
				ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log("tidied up"); done(); }, 1)));
			} }));
		} }`,
		);
		assert.equal((await atoll.fetch("headed", "/", { method: "HEAD" })).status, 200);
		await atoll.log("tidied up");
		assert.equal((await atoll.record("headed")).outcome, "ok");
	});

	test("what has left with a response is not to be had from its stream any more", async () => {
		await atoll.deploy(
			"sent",
			`export default { fetch(request, env, ctx) {
			const response = new Response("sent");
			const { body } = response;
			ctx.waitUntil((async () => {
				await new Promise((done) => setTimeout(done, 1));
				const read = await body.getReader().read().catch((error) => error.name);
				console.log(response.bodyUsed, read, await response.text().catch((error) => error.name));
			})());
			return response;
		} }`,
		);
		assert.equal(await atoll.text("sent"), "sent");
		await atoll.log("true TypeError TypeError");
	});

	test("waitUntil goes on after the response, and the record waits for it", async () => {
		await atoll.deploy(
			"later",
			`export default { fetch(r, env, ctx) {
			ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log("afterwards"); done(); }, 20)));
			ctx.waitUntil(Promise.reject(new Error("lost work")));
			return new Response("now");
		} }`,
		);
		assert.equal(await atoll.text("later"), "now");
		assert.equal(
			atoll.records.some((record) => record.function === "later"),
			false,
		);
		await atoll.log("afterwards");
		await atoll.log("lost work");
		assert.ok((await atoll.record("later")).wallMs >= 19);
	});

	test("a streamed request body comes in as it is sent, and a streamed response goes out as it is made", async () => {
		await atoll.deploy(
			"upper",
			`export default { fetch: (r) => new Response(r.body.pipeThrough(new TransformStream({
			transform(chunk, c) { c.enqueue(chunk.map((b) => (b >= 97 && b <= 122 ? b - 32 : b))); },
		}))) }`,
		);
		const up = new TransformStream<Uint8Array, Uint8Array>();
		const writer = up.writable.getWriter();
		const encoder = new TextEncoder();
		const first = writer.write(encoder.encode("ping "));
		const response = await atoll.fetch("upper", "/", {
			method: "POST",
			body: up.readable,
			duplex: "half",
		} as RequestInit);
		await first;
		const reader = response.body!.getReader();
		const decoder = new TextDecoder();
		assert.equal(decoder.decode((await reader.read()).value), "PING ");
		await writer.write(encoder.encode("pong"));
		assert.equal(decoder.decode((await reader.read()).value), "PONG");
		await writer.close();
		assert.equal((await reader.read()).done, true);
	});

	test("a client that goes away aborts request.signal and cancels the response's stream", async () => {
		await atoll.deploy(
			"leaving",
			`export default { fetch(r) {
			r.signal.addEventListener("abort", () => console.log("aborted: " + r.signal.reason.name));
			return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("first")); }, cancel() { console.log("cancelled"); } }));
		} }`,
		);
		const response = await atoll.fetch("leaving");
		const reader = response.body!.getReader();
		await reader.read();
		await reader.cancel();
		await atoll.log("aborted: AbortError");
		await atoll.log("cancelled");
		assert.equal((await atoll.record("leaving")).outcome, "client_gone");
	});

	test("a body made from a string stays one through being wrapped in another Response", async () => {
		await atoll.deploy(
			"wrap",
			`export default { fetch() {
			const a = new Response("plain"); const b = new Response(a.body, { headers: a.headers }); const c = new Response(b.body, b);
			return c;
		} }`,
		);
		const response = await atoll.fetch("wrap");
		assert.equal(await response.text(), "plain");
		assert.equal(response.headers.get("content-type"), "text/plain;charset=UTF-8");
	});

	test("console lines carry function, version and request id, and are formatted as Node's", async () => {
		const { version } = await atoll.deploy(
			"talk",
			`export default { fetch() {
			console.log("%s has %d items", "cart", 2, { a: [1, "two", new Map([["k", null]])], u: undefined });
			console.error(new TypeError("shown"));
			console.debug("quiet"); console.warn("loud"); console.info([1, 2, 3]);
			return new Response("");
		} }`,
		);
		await atoll.fetch("talk");
		const line = await atoll.log("cart has");
		assert.equal(line.message, "cart has 2 items { a: [ 1, 'two', Map(1) { 'k' => null } ], u: undefined }");
		assert.deepEqual([line.level, line.function, line.version], ["log", "talk", version]);
		assert.equal(line.requestId, (await atoll.record("talk")).requestId);
		assert.match((await atoll.log("shown")).message, /TypeError: shown\n\s+at Object\.fetch \(.*talk\.js:3:18\)/);
		assert.equal((await atoll.log("quiet")).level, "debug");
		assert.equal((await atoll.log("loud")).level, "warn");
		assert.equal((await atoll.log("[ 1, 2, 3 ]")).level, "info");
	});

	test("what a request may log is bounded", async () => {
		await atoll.deploy(
			"flood",
			`export default { fetch() { for (let i = 0; i < 2000; i++) console.log("x".repeat(100)); return new Response("done"); } }`,
			{ limits: { logBytes: 10_000 } },
		);
		assert.equal(await atoll.text("flood"), "done");
		await atoll.log("more than 10000 bytes");
		const lines = atoll.logs.filter((line) => line.function === "flood");
		assert.ok(lines.length < 120, `${lines.length} lines`);
		await atoll.deploy(
			"empties",
			`export default { fetch() { for (let i = 0; i < 2000; i++) console.log(""); return new Response("done"); } }`,
			{ limits: { logBytes: 10_000 } },
		);
		assert.equal(await atoll.text("empties"), "done");
		await atoll.record("empties");
		const empties = atoll.logs.filter((line) => line.function === "empties");
		assert.ok(empties.length < 120, `${empties.length} empty lines`);
	});

	test("so is what is logged outside of requests, which is what the top level's operations do", async () => {
		await atoll.deploy(
			"strays",
			`const flood = (async () => { for (let i = 0; i < 50; i++) { await crypto.subtle.digest("SHA-256", new Uint8Array(1)); console.log("y".repeat(1000)); } })();
			export default { async fetch() { await flood; return new Response("done"); } }`,
			{ limits: { logBytes: 10_000 } },
		);
		assert.equal(await atoll.text("strays"), "done");
		await atoll.log("more than 10000 bytes a second were logged outside of requests");
		const lines = atoll.logs.filter((line) => line.function === "strays");
		assert.ok(lines.length < 30, `${lines.length} lines`);
		assert.equal(lines[0].requestId, "");
	});

	test("functions share nothing, not even a global", async () => {
		for (const name of ["one", "two"])
			await atoll.deploy(
				name,
				`globalThis.seen = (globalThis.seen ?? []).concat("${name}"); export default { fetch: () => Response.json(globalThis.seen) }`,
			);
		assert.equal(await atoll.text("one"), '["one"]');
		assert.equal(await atoll.text("two"), '["two"]');
	});

	test("env reaches the handler, and its function alone", async () => {
		await atoll.deploy("keeper", "export default { fetch: (r, env) => Response.json(env) }", {
			env: { SECRET: "s3cret", deep: { n: [1] } },
		});
		assert.deepEqual(JSON.parse(await atoll.text("keeper")), { SECRET: "s3cret", deep: { n: [1] } });
	});
});

inBothIsolations("handlers", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	before(() => undefined);

	const forms: Record<string, [source: string, extension?: string]> = {
		"export default { fetch }": [
			`export default { fetch: (r, env, ctx) => new Response("form " + typeof ctx.waitUntil) }`,
		],
		"a class instance with fetch": [
			"class App { async fetch() { return new Response(this.text); } text = 'form function'; } export default new App();",
		],
		"export default function": [`export default async (request) => new Response("form function")`],
		"addEventListener('fetch')": [
			`addEventListener("fetch", (event) => event.respondWith(Promise.resolve(new Response("form " + typeof event.waitUntil))));`,
		],
		"Deno.serve(handler)": [`Deno.serve(() => new Response("form function"));`],
		"Deno.serve(options, handler)": [`Deno.serve({ port: 3000 }, (req) => new Response("form function"));`],
		"a Hono app": [
			`import { Hono } from "hono"; const app = new Hono(); app.get("/", (c) => c.text("form function")); export default app;`,
		],
		CommonJS: [`module.exports = { fetch: () => new Response("form function") };`],
		"TypeScript with JSX": [
			`/** @jsxImportSource hono/jsx */\nconst Form = ({ of }: { of: string }) => <>form {of}</>;\nexport default { fetch: () => new Response(String(<Form of="function" />)) };`,
			"tsx",
		],
	};
	for (const [form, [source, extension]] of Object.entries(forms)) {
		test(form, async () => {
			const { symlink } = await import("node:fs/promises");
			await symlink(`${process.cwd()}/node_modules`, `${atoll.folder}/node_modules`).catch(() => undefined);
			await atoll.deploy("form", source, {}, extension);
			assert.equal(await atoll.text("form"), "form function");
		});
	}
});
