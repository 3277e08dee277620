import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAnswer, encodeReusable } from "../../src/link/calls.ts";
import { machineMs } from "../../src/link/machine-clock.ts";
import { Kind } from "../../src/link/messages.ts";
import { hostOf, IMAGE } from "../support/isolate-host.ts";

const READS = `__atoll_exports({ default: { async fetch(request, { KV }) {
	const values = [];
	for (let i = 0; i < 12; i++) values.push(await KV.get("key"));
	return new Response(values.join());
} } });`;
/** As \`bindings/kv/\` has it. */
const CALL = '1\nnone\n{"op":"get","keys":["key"]}';
const answerOf = (value: string) =>
	encodeReusable(encodeAnswer({ body: "whole", text: `[{"size":1,"metadata":null}]` }), value);
const FOREVER = machineMs() + 1e9;

/** A function that reads one key twelve times a request, of which ten may ask the edge: what it says, in words. */
async function reader() {
	const said: string[] = [];
	const { host, start } = await hostOf(
		{
			message: (_version, _attempt, { kind, text, data }) => {
				if (kind === Kind.call) said.push("call");
				else if (kind === Kind.reused) said.push(text === CALL ? "reused" : `reused ${text}`);
				else said.push(Buffer.from(data as Uint8Array).toString());
			},
		},
		{ image: { ...IMAGE, code: Buffer.from(READS), bindings: '[["KV","kv"]]', subrequests: 10 } },
	);
	let attempts = 0;
	/** What a request says in its first turn. */
	const ask = () => {
		said.length = 0;
		start(++attempts);
		host.run();
		return [...said];
	};
	return { host, said, ask, last: () => attempts };
}

test("a call whose answer its sandbox has goes on in the same turn, as often as a request may call", async () => {
	const { host, said, ask, last } = await reader();
	assert.deepEqual(ask(), ["call"]);
	host.reuse(1, CALL, answerOf("a"), FOREVER);
	// What is more than that is the edge's to refuse.
	assert.deepEqual(ask(), [...Array(10).fill("reused"), "call"]);
	const refuse = (op: number) =>
		host.message(
			Kind.answer,
			last(),
			op,
			encodeAnswer({ body: "whole", text: `[{"size":1,"metadata":null}]` }),
			Buffer.from("b"),
		);
	refuse(11);
	host.run();
	refuse(12);
	host.run();
	assert.equal(said.at(-1), `${"a,".repeat(10)}b,b`);
});

test("it is asked for again once it was changed, or its time is over, however late that is read", async () => {
	const { host, ask } = await reader();
	host.reuse(1, CALL, answerOf("a"), FOREVER);
	assert.equal(ask()[0], "reused");
	host.reuse(1, CALL, answerOf("b"), FOREVER);
	host.forget(1, CALL);
	assert.deepEqual(ask(), ["call"]);
	host.reuse(1, CALL, answerOf("a"), machineMs());
	assert.deepEqual(ask(), ["call"]);
});

test("what was lent for another version or another call is nothing to it", async () => {
	const { host, ask } = await reader();
	host.reuse(2, CALL, answerOf("a"), FOREVER);
	host.reuse(1, CALL.replace('key"', 'other"'), answerOf("a"), FOREVER);
	assert.deepEqual(ask(), ["call"]);
});

test("of what is lent the oldest makes room", async () => {
	const { host, ask } = await reader();
	host.reuse(1, CALL, answerOf("a"), FOREVER);
	for (let i = 0; i < 300; i++) host.reuse(2, String(i), "x".repeat(16 * 1024), FOREVER);
	assert.deepEqual(ask(), ["call"]);
});
