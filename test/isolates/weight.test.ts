import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import ivm from "isolated-vm";
import { externalCopy } from "../../src/isolates/external-copy.ts";
import { parkIsolate } from "../../src/isolates/parked.ts";
import { CommandWriter } from "../../src/link/commands.ts";
import { EventWriter } from "../../src/link/events.ts";
import { FrameWriter } from "../../src/link/frame-writer.ts";
import { Kind } from "../../src/link/messages.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import type { Bytes } from "../../src/units.ts";
import { hostOf, REQUEST } from "../support/isolate-host.ts";
import { sandboxSettings } from "../support/sandbox.ts";

/**
 * What a request takes of the link, beside its head and its answer, and what its turn allocates. The figures are today's,
 * those of what is allocated a tenth higher: whoever lowers what a request takes lowers them.
 */
const REQUEST_FRAME: Bytes = 22;
const ANSWER_FRAMES: Bytes = 52;
const MOST_ALLOCATED: Record<string, { handler: string; bytes: Bytes }> = {
	"a new response": { handler: `() => new Response("x")`, bytes: 2200 },
	"headers of a response": {
		handler: `() => new Response("x", { headers: { "x-a": "1", "x-b": "2" } })`,
		bytes: 4000,
	},
	"a response made of another's body": {
		handler: `() => { const one = new Response("x"); return new Response(one.body, one); }`,
		bytes: 3300,
	},
};

/** A link that counts. */
function counting() {
	let bytes: Bytes = 0;
	const socket = new Writable({
		write(chunk: Buffer, _encoding, done) {
			bytes += chunk.length;
			done();
		},
	});
	return { writer: new FrameWriter(socket), bytes: () => bytes };
}

test("what a request takes of the link", async () => {
	const out = counting();
	const head = encodeRequestHead(REQUEST);
	const commands = new CommandWriter(out.writer);
	commands.request({ attempt: 1, version: 1, cpuMs: 50, cutMs: 10, head, body: undefined });
	out.writer.flush();
	assert.equal(out.bytes() - head.length, REQUEST_FRAME);

	const back = counting();
	const events = new EventWriter(back.writer);
	let answer = 0;
	const { promise, resolve } = Promise.withResolvers<void>();
	const { start } = await hostOf({
		message: (version, attempt, message) => {
			answer += message.text.length + (message.data as Uint8Array).length;
			events.message(version, attempt, message);
		},
		done: (version, attempt, report) => {
			events.done(version, attempt, { ...report, cold: false });
			resolve();
		},
	});
	start(1);
	await promise;
	back.writer.flush();
	assert.equal(back.bytes() - answer, ANSWER_FRAMES);
});

for (const [name, { handler, bytes }] of Object.entries(MOST_ALLOCATED))
	test(`what a turn allocates: ${name}`, async () => {
		const { isolate, context, begin, finish, turn } = parkIsolate(
			new ivm.Isolate({ snapshot: externalCopy((await sandboxSettings()).snapshot), memoryLimit: 128 }),
		);
		after(() => isolate.dispose());
		begin.applySync(undefined, ["{}", "[]", "", 10, false]);
		context.evalSync(`__atoll_exports({ default: { fetch: ${handler} } });`);
		finish.applySync(undefined, []);
		const head = encodeRequestHead(REQUEST);
		const run = (turns: number) => {
			for (let i = 0; i < turns; i++) turn.applySync(undefined, [Kind.request, 1, 0, head, undefined, false]);
		};
		run(200);
		const allocated: Bytes[] = [];
		for (let i = 0; i < 20; i++) {
			const before = isolate.getHeapStatisticsSync().used_heap_size;
			run(10);
			allocated.push((isolate.getHeapStatisticsSync().used_heap_size - before) / 10);
		}
		// Where V8 has collected in between it is less than nothing.
		const least = Math.min(...allocated.filter((one) => one > 0));
		assert.ok(least <= bytes, `${least} bytes a turn`);
	});
