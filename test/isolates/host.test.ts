import assert from "node:assert/strict";
import { after, test } from "node:test";
import { IsolateHost } from "../../src/isolates/host.ts";
import { Kind } from "../../src/link/messages.ts";
import { sandboxSettings } from "../support/sandbox.ts";

test("what comes late for an attempt that is over does not reach the next one of its number", async () => {
	const settings = await sandboxSettings();
	const told: string[] = [];
	const { promise: over, resolve } = Promise.withResolvers<void>();
	const head = JSON.stringify({
		type: "http",
		method: "GET",
		url: "http://a.test/",
		headers: [],
		body: "none",
		client: null,
	});
	const host = new IsolateHost(settings, {
		want: () => undefined,
		message: (_version, _attempt, { kind }) => told.push(kind === Kind.response ? "response" : `message ${kind}`),
		done: (_version, attempt) => {
			told.push("done");
			// The edge uses the number again at once, while a word for the first attempt still waits.
			if (told.length === 2) start(attempt);
			else resolve();
		},
		failed: (_version, _attempt, { message }) => assert.fail(message),
		stats: () => undefined,
		flush: () => undefined,
	});
	const start = (attempt: number) =>
		host.request({ attempt, version: 1, cpuMs: 100, light: false, head, body: undefined });
	after(() => host.close());
	host.load(1, {
		filename: "a.js",
		code: Buffer.from(`__atoll_exports({ default: { fetch: () => new Response("a") } });`),
		codeCache: new Uint8Array(0),
		tenant: 1,
		env: "{}",
		bindings: "[]",
		memoryMb: 128,
		timers: 10,
		logBytes: 1000,
		startupCpuMs: 1000,
	});
	start(1);
	host.message(Kind.drop, 1, 0, "", undefined);
	await over;
	assert.deepEqual(told, ["response", "done", "response", "done"]);
});
