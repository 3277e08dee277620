import assert from "node:assert/strict";
import { readFileSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createRuntime } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

// There before any process is started, so that it would be in their environment.
process.env.ATOLL_TEST_SECRET = "do not leak";
const atoll = new TestRuntime({ sandboxes: 2, egress: { allow: ["127.0.0.1"] } });

test("a sandbox has an empty environment and Node's permission model, and holds no socket but the link", async () => {
	await until(() => atoll.runtime.sandboxPids().length === 3); // Two in the normal lane, and the spare.
	const pids = atoll.runtime.sandboxPids();
	for (const pid of pids) {
		const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
		assert.doesNotMatch(environment, /do not leak/);
		// bubblewrap says where it starts it.
		assert.match(environment, /^(PWD=\/\0)?$/);
		const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
		assert.ok(args.includes("--permission"));
		assert.ok(!args.some((arg) => /^--allow-(net|child-process|worker|fs-write|wasi)/.test(arg)));
		const descriptors = await readdir(`/proc/${pid}/fd`);
		const sockets = descriptors
			.map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
			.filter((target) => target.startsWith("socket:"));
		assert.ok(sockets.length <= 2, `sockets: ${sockets}`);
	}
});

test("the operating system's layers that the runtime says are on are on", async () => {
	const { containment } = atoll.runtime;
	const own = readlinkSync("/proc/self/ns/net");
	await until(() => atoll.runtime.sandboxPids().length === 3); // Two in the normal lane, and the spare.
	const pids = atoll.runtime.sandboxPids();
	for (const pid of pids) {
		const status = readFileSync(`/proc/${pid}/status`, "utf8");
		assert.equal(/^NoNewPrivs:\s+1$/m.test(status), containment?.noNewPrivileges);
		if (containment?.noNewPrivileges)
			for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
				assert.match(status, new RegExp(`^${set}:\\s+0+$`, "m"));
		assert.equal(readlinkSync(`/proc/${pid}/ns/net`) !== own, containment?.networkNamespace);
		if (containment?.networkNamespace)
			assert.equal(readFileSync(`/proc/${pid}/net/route`, "utf8").trim().split("\n").length, 1, "there is no way out");
	}
});

test("two sandboxes share the functions, each with its home", async () => {
	assert.equal(atoll.runtime.stats().sandboxes, 2);
	const names = Array.from({ length: 24 }, (_, i) => `home${i}`);
	await Promise.all(
		names.map((name) => atoll.deploy(name, `let n = 0; export default { fetch: () => new Response(String(++n)) }`)),
	);
	const round = async () => (await Promise.all(names.map((name) => atoll.text(name)))).map(Number);
	let before = await round();
	let rounds = 0;
	// On a slow machine a start can keep others waiting, which then move.
	await until(async () => {
		const counts = await round();
		rounds = counts.every((count, i) => count === before[i] + 1) ? rounds + 1 : 0;
		before = counts;
		return rounds === 3;
	});
});

test("sandboxes that are killed under load are replaced at once: what may run again does, and nothing hangs", async () => {
	await atoll.deploy(
		"steady",
		`export default { async fetch(r) { await new Promise((ok) => setTimeout(ok, 10)); return new Response("ok"); } }`,
	);
	let answered = 0;
	const statuses = new Map<number, number>();
	let stop = false;
	const client = async () => {
		while (!stop) {
			const response = await atoll.fetch("steady");
			const text = await response.text();
			if (response.status === 200) assert.equal(text, "ok");
			else assert.match(text, /sandbox_lost/);
			statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
			answered++;
		}
	};
	const clients = Array.from({ length: 8 }, client);
	await until(() => answered >= 200 && atoll.runtime.stats().inFlight >= 4);
	// All of them: which one the function is on depends on how fast its first requests were.
	const victims = atoll.runtime.sandboxPids();
	for (const pid of victims) process.kill(pid, "SIGKILL");
	const enough = answered + 400;
	await until(() => answered >= enough);
	stop = true;
	await Promise.all(clients);
	assert.ok(atoll.runtime.stats().restarts >= 2, `${atoll.runtime.stats().restarts} restarts`);
	// Only the turn that ran when its sandbox died cannot be told from one that killed it.
	assert.ok((statuses.get(503) ?? 0) <= victims.length, JSON.stringify([...statuses]));
	assert.deepEqual(
		[...statuses.keys()].filter((status) => status !== 200 && status !== 503),
		[],
	);
	assert.ok(
		atoll.records.some((record) => record.function === "steady" && record.attempts > 1),
		"no request was run again",
	);
});

test("a POST that has had an effect is not run again: it gets sandbox_lost with retry-after", async () => {
	await atoll.deploy(
		"side",
		`export default { async fetch() { await fetch("http://steady.test/"); console.log("effect done"); await new Promise(() => {}); } }`,
	);
	const pending = atoll.fetch("side", "/", { method: "POST" });
	await atoll.log("effect done");
	for (const pid of atoll.runtime.sandboxPids()) process.kill(pid, "SIGKILL");
	const response = await pending;
	assert.equal(response.status, 503);
	assert.equal(response.headers.get("x-atoll-error"), "sandbox_lost");
	assert.equal(response.headers.get("retry-after"), "1");
});

test("so does an event, and one that has had none is run again, but not for ever", async () => {
	await atoll.deploy(
		"queue",
		`export default { async queue({ messages }) {
			messages[0].ack();
			if (messages[0].body === "effect") await fetch("http://steady.test/");
			console.log("has begun: " + messages[0].body);
			await new Promise(() => {});
		} }`,
	);
	const dispatch = (body: string) => {
		const message = { id: "1", timestamp: 0, attempts: 1, contentType: "text", body } as const;
		return atoll.runtime.dispatch({ name: "queue" }, { type: "queue", queue: "q", messages: [message] });
	};
	const begun = (body: string) => atoll.logs.filter(({ message }) => message === `has begun: ${body}`).length;
	for (const [body, attempts] of [
		["effect", 1],
		["none", 3],
	] as const) {
		const pending = dispatch(body);
		let over = false;
		void pending.then(() => {
			over = true;
		});
		for (let seen = 0; !over; ) {
			await until(() => over || (begun(body) > seen && atoll.runtime.sandboxPids().length >= 4));
			seen = begun(body);
			for (const pid of over ? [] : atoll.runtime.sandboxPids()) process.kill(pid, "SIGKILL");
		}
		const { outcome, result, record } = await pending;
		assert.equal(outcome, "sandbox_lost");
		assert.deepEqual(result, { acknowledged: [], retried: [{ id: "1", delaySeconds: null }] });
		// An attempt in a sandbox whose end nobody has noticed yet has begun nothing.
		assert.equal(body === "effect" ? begun(body) : record.attempts, attempts);
	}
});

test("a GET that has had one is run again", async () => {
	let asked = 0;
	const origin = createServer((_, res) => res.end(String(++asked)));
	await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
	after(() => origin.close());
	const { port } = origin.address() as AddressInfo;
	await atoll.deploy(
		"again",
		`export default { async fetch() {
			const n = await (await fetch("http://127.0.0.1:${port}/")).text();
			if (n === "1") { console.log("first effect done"); await new Promise(() => {}); }
			return new Response(n);
		} }`,
	);
	const pending = atoll.text("again");
	await atoll.log("first effect done");
	for (const pid of atoll.runtime.sandboxPids()) process.kill(pid, "SIGKILL");
	assert.equal(await pending, "2");
	assert.ok((await atoll.record("again")).attempts >= 2);
});

test("a small body that comes as a stream is sent again, from its start", async () => {
	await atoll.deploy(
		"reader",
		`export default { async fetch(r) { let text = ""; const decoder = new TextDecoder(); for await (const part of r.body) { text += decoder.decode(part); console.log("has " + text); } return new Response(text); } }`,
	);
	const body = new TransformStream<Uint8Array, Uint8Array>();
	const writer = body.writable.getWriter();
	const pending = atoll.text("reader", "/", { method: "POST", body: body.readable, duplex: "half" });
	await writer.write(Buffer.from("one "));
	await atoll.log("has one ");
	for (const pid of atoll.runtime.sandboxPids()) process.kill(pid, "SIGKILL");
	await writer.write(Buffer.from("two"));
	await writer.close();
	assert.equal(await pending, "one two");
	const { attempts, requestBytes } = await atoll.record("reader");
	assert.ok(attempts >= 2);
	assert.equal(requestBytes, 7);
});

test("a function that crashes its sandbox is not run a second time, and its neighbours do not notice", async () => {
	await atoll.deploy(
		"crash",
		`export default { fetch() { "ab".repeat(2 ** 27).split("a"); return new Response(""); } }`,
	);
	const before = atoll.runtime.stats().restarts;
	const crash = atoll.fetch("crash");
	const neighbours = Promise.all(Array.from({ length: 50 }, () => atoll.text("steady")));
	assert.equal((await crash).headers.get("x-atoll-error"), "sandbox_lost");
	assert.deepEqual(new Set(await neighbours), new Set(["ok"]));
	assert.equal(atoll.runtime.stats().restarts, before + 1);
	assert.equal((await atoll.record("crash")).attempts, 1);
});

test("closing leaves no process behind", async () => {
	const runtime = await createRuntime({ data: `${atoll.folder}/data` });
	await until(() => runtime.sandboxPids().length >= 2); // With the spare.
	const pids = runtime.sandboxPids();
	assert.ok(pids.length >= 2);
	await runtime.close();
	for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
	await assert.rejects(runtime.deploy({ name: "x", hostnames: ["x.test"], entry: "x.js" }), /the runtime is closed/);
});
