import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import ivm from "isolated-vm";
import { externalCopy } from "../../src/isolates/external-copy.ts";
import { FunctionIsolate } from "../../src/isolates/isolate.ts";
import { parkIsolate } from "../../src/isolates/parked.ts";
import { Kind } from "../../src/link/messages.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import { IMAGE, REQUEST } from "../support/isolate-host.ts";
import { sandboxSettings } from "../support/sandbox.ts";

setFlagsFromString("--expose-gc");

async function parked() {
	const one = parkIsolate(
		new ivm.Isolate({ snapshot: externalCopy((await sandboxSettings()).snapshot), memoryLimit: 128 }),
	);
	after(() => {
		if (!one.isolate.isDisposed) one.isolate.dispose();
	});
	return one;
}

test("a function has no collector", async () => {
	const { context } = await parked();
	assert.equal(context.evalSync("typeof gc"), "undefined");
	assert.equal(context.evalSync("globalThis.gc === undefined"), true);
});

test("a turn that is told to collects what is young before anything else", async () => {
	const { isolate, context, turn } = await parked();
	const used = () => isolate.getHeapStatisticsSync().used_heap_size;
	const freed = (collects: boolean) => {
		context.evalSync("for (let i = 0; i < 2000; i++) new Array(8)");
		const before = used();
		turn.applySync(undefined, [Kind.answer, 1, 0, "", undefined, collects]);
		return before - used();
	};
	freed(true);
	// Now and then V8 has collected by itself, before there was anything to be told.
	assert.ok(Array.from({ length: 5 }, () => freed(true)).some((bytes) => bytes > 100_000));
	assert.ok(freed(false) < 10_000);
});

test("an isolate collects with the seventeenth request, and not with its answers", async () => {
	const one = await parked();
	const collected: boolean[] = [];
	const { turn } = one;
	one.turn = {
		applySync(receiver: undefined, args: Parameters<typeof turn.applySync>[1], options: ivm.RunOptions) {
			collected.push(args?.[5] as boolean);
			return turn.applySync(receiver, args, options);
		},
	} as unknown as typeof turn;
	const listener = {
		budget: () => 1e9,
		onOperation: () => undefined,
		onAnswer: () => undefined,
		reusable: () => undefined,
	};
	const isolate = new FunctionIsolate({ parked: one, version: 1, image: IMAGE, listener });
	after(() => isolate.dispose());
	const run = (kind: Kind, attempt: number, text: string) => {
		isolate.attempts.add(attempt);
		assert.equal(isolate.turn(kind, attempt, 0, text, undefined, 10_000), "completed");
		isolate.takeOutbox();
	};
	for (let i = 1; i <= 20; i++) run(Kind.answer, i, "");
	for (let i = 1; i <= 17; i++) run(Kind.request, i, encodeRequestHead(REQUEST));
	assert.deepEqual(collected.slice(0, 36), new Array(36).fill(false));
	assert.equal(collected[36], true);
});
