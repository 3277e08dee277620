import assert from "node:assert/strict";
import { test } from "node:test";
import { Kind } from "../../src/link/messages.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import { hostOf, IMAGE, REQUEST } from "../support/isolate-host.ts";

test("what comes late for an attempt that is over does not reach the next one of its number", async () => {
	const told: string[] = [];
	const { promise: over, resolve } = Promise.withResolvers<void>();
	const { host, start } = await hostOf({
		message: (_version, _attempt, { kind }) => told.push(kind === Kind.response ? "response" : `message ${kind}`),
		done: (_version, attempt) => {
			told.push("done");
			// The edge uses the number again at once, while a word for the first attempt still waits.
			if (told.length === 2) start(attempt);
			else resolve();
		},
	});
	start(1);
	host.message(Kind.drop, 1, 0, "", undefined);
	await over;
	assert.deepEqual(told, ["response", "done", "response", "done"]);
});

test("no turn runs as long as the edge has much to read of those before", async () => {
	const done: number[] = [];
	const resume: (() => void)[] = [];
	const { promise: over, resolve } = Promise.withResolvers<void>();
	const { host, start } = await hostOf({
		message: () => undefined,
		done: (_version, attempt) => {
			done.push(attempt);
			if (attempt === 2) resolve();
		},
		clogged: (whenRead) => done.length === 1 && resume.push(whenRead) > 0,
	});
	start(1);
	host.run();
	start(2);
	host.run();
	host.run();
	assert.deepEqual(done, [1]);
	resume[0]();
	await over;
	assert.deepEqual(done, [1, 2]);
});

test("what a turn says leaves in slices, and whoever else has something to say waits for one", async () => {
	const said: [version: number, bytes: number][] = [];
	const { promise: over, resolve } = Promise.withResolvers<void>();
	const code = `const body = "x".repeat(250_000);
		__atoll_exports({ default: { fetch() { for (let i = 0; i < 40; i++) fetch("http://a.test/", { method: "POST", body }); return new Response("said"); } } });`;
	const { host, start } = await hostOf(
		{
			message: (version, _attempt, { data }) => said.push([version, data instanceof Uint8Array ? data.byteLength : 0]),
			done: (version) => version === 1 && resolve(),
		},
		{ image: { ...IMAGE, code: Buffer.from(code) } },
	);
	host.load(2, IMAGE);
	start(1);
	host.request({ attempt: 2, version: 2, cpuMs: 10_000, cutMs: 0, head: encodeRequestHead(REQUEST), body: undefined });
	await over;
	const sizes = said.filter(([version]) => version === 1).map(([, bytes]) => bytes);
	assert.deepEqual(sizes, [...new Array(40).fill(250_000), 4], "all of it, in order");
	const before = said.slice(
		0,
		said.findIndex(([version]) => version === 2),
	);
	assert.ok(before.reduce((sum, [, bytes]) => sum + bytes, 0) < 2 * 2 ** 20);
});

test("a turn that is cut while it waits for a core has not used its time, and is told apart from one that has", async ({
	mock,
}) => {
	let failed: (code: string) => void = () => undefined;
	const code = Buffer.from("__atoll_exports({ default: { fetch() { for (;;); } } });");
	const { start } = await hostOf(
		{ failed: (_version, _attempt, { code }) => failed(code) },
		{ image: { ...IMAGE, code }, cpuMs: 100 },
	);
	const end = (attempt: number) =>
		new Promise((resolve) => {
			failed = resolve;
			start(attempt);
		});
	const clock = mock.method(process, "threadCpuUsage", () => ({ user: 0, system: 0 }));
	assert.equal(await end(1), "starved");
	let user = 0;
	clock.mock.mockImplementation(() => {
		user += 1e9;
		return { user, system: 0 };
	});
	assert.equal(await end(2), "cpu_limit_exceeded");
});
