import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as round } from "node:timers/promises";
import { BodyReceiver, BodySender, type BodyTarget } from "../../src/bindings/body.ts";
import { Account } from "../../src/limits/account.ts";
import { FIRST_WINDOW, STREAM_CHUNK, STREAM_WINDOW } from "../../src/link/messages.ts";
import { until } from "../support/until.ts";

/** Notes how many bytes it was sent, and how that ended. */
class Noting implements BodyTarget {
	bytes = 0;
	ended: string | null = null;
	chunk(piece: Uint8Array): void {
		this.bytes += piece.byteLength;
	}
	end(failure: string): void {
		this.ended = failure;
	}
}

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
	for (let i = 0; i < count; i++) yield new Uint8Array(STREAM_CHUNK);
}

function begin() {
	const isolate = new Noting();
	const other = new Noting();
	const sender = new BodySender(Account.ofAll(1e9).for({ giveUp: () => undefined }), isolate);
	return { isolate, other, sender };
}

test("a body of which nothing was read goes to whoever it is handed on to, from its first byte", async () => {
	const { isolate, other, sender } = begin();
	const sent = sender.send(pieces(6)).then((isWhole) => isWhole && sender.end(""));
	await round();
	assert.ok(sender.mayBeHandedOn);
	sender.handOn(other);
	assert.equal(other.bytes, FIRST_WINDOW);
	await round();
	assert.equal(other.bytes, STREAM_WINDOW);
	sender.taken(STREAM_WINDOW);
	await sent;
	assert.deepEqual([isolate.bytes, isolate.ended], [FIRST_WINDOW, null]);
	assert.deepEqual([other.bytes, other.ended], [6 * STREAM_CHUNK, ""]);
});

test("one that the isolate has read from, was sent whole, or wants no longer is not handed on", async () => {
	const read = begin();
	void read.sender.send(pieces(6));
	await round();
	read.sender.credit(1);
	assert.equal(read.sender.mayBeHandedOn, false);
	const whole = begin();
	assert.equal(whole.sender.mayBeHandedOn, false, "not begun");
	assert.equal(await whole.sender.send(pieces(1)), true);
	assert.equal(whole.sender.mayBeHandedOn, false);
	const cancelled = begin();
	void cancelled.sender.send(pieces(6));
	await round();
	cancelled.sender.cancel();
	assert.equal(cancelled.sender.mayBeHandedOn, false);
	const twice = begin();
	void twice.sender.send(pieces(6));
	await round();
	twice.sender.handOn(twice.other);
	assert.equal(twice.sender.mayBeHandedOn, false);
});

test("whoever has what is then wanted no longer hears that it has not all of it", async () => {
	const { isolate, other, sender } = begin();
	const sent = sender.send(pieces(6));
	await round();
	sender.handOn(other);
	sender.cancel();
	sender.cancel();
	assert.equal(await sent, false);
	assert.match(String(other.ended), /wanted no longer/);
	assert.equal(isolate.ended, null);
});

test("an isolate has as much ahead as the window once it has begun to read", async () => {
	const { isolate, sender } = begin();
	const sent = sender.send(pieces(6)).then((isWhole) => isWhole && sender.end(""));
	await round();
	assert.equal(isolate.bytes, FIRST_WINDOW);
	sender.credit(STREAM_CHUNK);
	await round();
	assert.equal(isolate.bytes, STREAM_WINDOW + STREAM_CHUNK);
	sender.credit(STREAM_CHUNK);
	await sent;
	assert.deepEqual([isolate.bytes, isolate.ended], [6 * STREAM_CHUNK, ""]);
});

test("pieces of a byte each are kept together", async () => {
	const { isolate, other, sender } = begin();
	let seen = 0;
	other.chunk = (piece) => {
		seen++;
		other.bytes += piece.byteLength;
	};
	async function* bytes(): AsyncGenerator<Uint8Array> {
		for (let i = 0; i < 10_000; i++) yield Uint8Array.of(i % 256);
		await new Promise(() => undefined);
	}
	void sender.send(bytes());
	await until(() => isolate.bytes === 10_000);
	sender.handOn(other);
	assert.deepEqual([other.bytes, seen], [10_000, 3]);
});

test("what is dropped is no whole body for whoever still reads it, and wakes who waits for it", async () => {
	const account = Account.ofAll(1e9).for({ giveUp: () => undefined });
	const make = () =>
		new BodyReceiver(
			account,
			() => undefined,
			() => undefined,
		);
	const queued = make();
	queued.chunk(Uint8Array.of(1));
	queued.end("");
	queued.drop();
	await assert.rejects(queued[Symbol.asyncIterator]().next(), /nobody waits/);
	const waiting = make();
	const next = waiting[Symbol.asyncIterator]().next();
	await round();
	waiting.drop();
	await assert.rejects(next, /nobody waits/);
	const whole = make();
	whole.end("");
	whole.drop();
	assert.equal((await whole[Symbol.asyncIterator]().next()).done, true);
});

test("an isolate that asks for more of what was handed on has none come any faster", async () => {
	const { other, sender } = begin();
	void sender.send(pieces(100));
	await round();
	sender.handOn(other);
	for (let i = 0; i < 100; i++) sender.credit(STREAM_WINDOW);
	await round();
	assert.equal(other.bytes, STREAM_WINDOW);
});
