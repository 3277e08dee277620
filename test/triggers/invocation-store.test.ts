import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import type { Leased } from "../../src/bindings/queue/calls.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { DataProcess } from "../../src/stores/data-process.ts";
import type { InvocationState, LeasedInvocation, TakeIn } from "../../src/triggers/invocation-calls.ts";
import { temporaryFolder } from "../support/runtime.ts";

const launcher = new Launcher();
const data = new DataProcess(launcher, temporaryFolder());
after(async () => {
	await data.close();
	launcher.close();
});

const tenant = "one";
const of = { tenant, function: "f" };
const mostBytes = 100_000;
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async function taken(): Promise<void> {
	const event = { type: "fetch", path: "/", contentType: "text/plain" } as const;
	const settings = { event, retries: 0, onSuccess: { queue: "told" }, onFailure: null };
	const one = { id: randomUUID(), function: "f", delayMs: 0, size: 0, ...settings };
	const said: TakeIn = { tenant, once: null, invocations: [one], messages: [], trace: TRACE, mostBytes };
	await data.ask(tenant, { store: "invocations", operation: "take", said });
}

/** Has one of those that were taken in come to an answer. Gives how much of that is kept. */
async function performed(answer: Buffer): Promise<number> {
	const lease = randomUUID();
	const leasing = { store: "invocations", operation: "lease", said: { ...of, lease, leaseMs: 60_000 } };
	const { message, id } = (await data.ask(tenant, leasing)).said as LeasedInvocation;
	const came = { outcome: "ok", again: true, delayMs: 0, status: 200, error: "" };
	const said = { ...of, lease, message, ...came, mostBytes };
	await data.ask(tenant, { store: "invocations", operation: "finish", said, bytes: answer });
	const { said: state, bytes } = await data.ask(tenant, {
		store: "invocations",
		operation: "get",
		said: { ...of, id },
	});
	assert.equal((state as InvocationState).state, "succeeded");
	return bytes.byteLength;
}

test("answers of invocations are kept and told as long as their tenant has room for them, and are told of then", async () => {
	// A letter that has six in JSON.
	const answer = Buffer.alloc(10_000);
	for (let i = 0; i < 20; i++) await taken();
	const kept: number[] = [];
	for (let i = 0; i < 20; i++) kept.push(await performed(answer));
	assert.deepEqual([kept[0], kept[19]], [10_000, 0]);
	const queue = { tenant, queue: "told" };
	const { bytes } = (await data.ask(tenant, { store: "queue", operation: "count", said: queue })).said as {
		bytes: number;
	};
	assert.ok(bytes < mostBytes, `${bytes} bytes`);
	const leasing = { lease: randomUUID(), most: 100, waitMs: 0, leaseMs: 1000, maxRetries: 3, deadLetterQueue: "" };
	const leased = await data.ask(tenant, { store: "queue", operation: "lease", said: { ...queue, ...leasing } });
	assert.equal((leased.said as Leased).messages.length, 20);
});
