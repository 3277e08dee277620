import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Outbox } from "../../src/isolates/outbox.ts";
import { BODY_FIELDS, EventReader, EventWriter } from "../../src/link/events.ts";
import { FrameReader } from "../../src/link/frame-reader.ts";
import { FrameWriter } from "../../src/link/frame-writer.ts";
import { Kind, STREAM_CHUNK, STREAM_WINDOW } from "../../src/link/messages.ts";
import type { Outgoing } from "../../src/link/outgoing.ts";
import { isWellFormed } from "../../src/link/outgoing.ts";
import type { SandboxEvents } from "../../src/link/protocol.ts";
import { SendWindows } from "../../src/link/send-windows.ts";

let seed = 7;
const random = (below: number) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
};
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)];

/** What the prelude sends. */
const SENT: [kind: Kind, op: number, text: string, data: unknown][] = [
	[Kind.response, 0, "200\nwhole\n0\nOK\na\nb", "text"],
	[Kind.response, 0, "101\nnone\n3\n", undefined],
	[Kind.call, 1, "0\nstream\nGET\nfollow\nhttp://a.test/\nx-a\nü\ud800", undefined],
	[Kind.call, 2 ** 32 - 1, "12\nwhole\nanything", new Uint8Array(70_000)],
	[Kind.body, 0, "", new Uint8Array(3)],
	[Kind.end, 1, "\ud83d", undefined],
	[Kind.credit, 0, "", 7],
	[Kind.cancel, 3, "", undefined],
	[Kind.handOn, 0, "", 5],
	[Kind.log, 0, "warn \n", undefined],
	[Kind.exception, 0, "exception 4 oopsError: oops\ud83d", undefined],
	[Kind.exceeded, 0, "timers", undefined],
	[Kind.socket, 1, "", new Uint8Array(0)],
	[Kind.socket, 1, "\0", undefined],
	[Kind.socketClose, 1, "1000 bye", undefined],
];

/** A text that is nearly the given one. */
function spoiled(text: string): string {
	const at = random(text.length + 1);
	const inserted = `${text.slice(0, at)}${oneOf(["\n", "\r", "X", "9", "\0", "\ud800", " "])}${text.slice(at)}`;
	return oneOf([text.slice(0, at), inserted, "", "x".repeat(200)]);
}

const KINDS = [-1, 1.5, NaN, "8", undefined, {}];
const NUMBERS = [0, 1, 2 ** 32 - 1, 2 ** 32, -1, 0.5, NaN, "1", null, undefined, {}, []];
const DATA = [undefined, "text", 0, -1, NaN, Infinity, 2 ** 60, new Uint8Array(3), new Uint8Array(70_000), null, {}];

/** What the prelude sends, or nearly. */
function message(): [kind: unknown, attempt: unknown, op: unknown, text: string, data: unknown, last: unknown] {
	const [kind, op, text, data] = oneOf(SENT);
	const whole = () => random(5) > 0;
	return [
		whole() ? kind : random(2) === 0 ? random(256) : oneOf(KINDS),
		whole() ? 0 : oneOf(NUMBERS),
		whole() ? op : oneOf(NUMBERS),
		whole() ? text : spoiled(text),
		whole() ? data : oneOf(DATA),
		whole() ? random(2) === 0 : oneOf(DATA),
	];
}

test("what leaves an isolate is dropped with its turn, or is such that the edge takes it", () => {
	let taken = 0;
	for (let round = 0; round < 5000; round++) {
		const outbox = new Outbox(1e9, 1e9, new Set([0]));
		outbox.begin();
		const put = message();
		outbox.put(...put);
		const messages = outbox.take();
		assert.equal(messages.length, outbox.forged ? 0 : put[5] ? 2 : 1);
		const [left] = messages;
		if (left === undefined || [Kind.setTimer, Kind.clearTimer, Kind.done].includes(left.kind as 14)) continue;
		taken++;
		if (typeof left.data === "string") left.data = Buffer.from(left.data);
		const pipe = new PassThrough({ highWaterMark: 1e9 });
		const writer = new FrameWriter(pipe);
		new EventWriter(writer).message(1, 2, left as Outgoing);
		writer.flush();
		const heard: Outgoing[] = [];
		const sink = { message: (_v: number, _a: number, one: Outgoing) => heard.push(one) } as unknown as SandboxEvents;
		const events = new EventReader(sink, () => undefined);
		const reader = new FrameReader({ maxBytes: 1e6, bodyFields: BODY_FIELDS }, (frame) => events.read(frame));
		for (let part = pipe.read() as Buffer | null; part !== null; part = pipe.read() as Buffer | null) reader.read(part);
		assert.equal(heard[0]?.kind, left.kind);
	}
	assert.ok(taken > 1000, `${taken}`);
});

test("a message that the prelude never sends takes all that its turn has said with it, and no other's", () => {
	const outbox = new Outbox(1e9, 1e9, new Set([1]));
	outbox.begin();
	outbox.put(Kind.log, 1, 0, "log a", undefined, false);
	outbox.put(Kind.log, 1, 0, "", undefined, false);
	outbox.put(Kind.log, 1, 0, "log b", undefined, false);
	assert.ok(outbox.forged);
	assert.deepEqual(outbox.take(), []);
	outbox.begin();
	outbox.put(Kind.log, 1, 0, "log c", undefined, false);
	assert.ok(!outbox.forged);
	assert.deepEqual(
		outbox.take().map((message) => message.text),
		["log c"],
	);
});

test("that a call was answered here is said by the sandbox, and by no isolate", () => {
	const outbox = new Outbox(1e9, 1e9, new Set([1]));
	outbox.begin();
	outbox.addReused(1, 2, "1\nnone\nkey");
	assert.deepEqual(outbox.take(), [{ kind: Kind.reused, attempt: 1, op: 2, text: "1\nnone\nkey", data: undefined }]);
	outbox.put(Kind.reused, 1, 2, "1\nnone\nkey", undefined, false);
	assert.ok(outbox.forged);
	outbox.addReused(1, 3, "1\nnone\nkey");
	assert.deepEqual(outbox.take(), []);
});

test("a piece of a body without a byte is never sent: it would take no room in its window", () => {
	assert.ok(isWellFormed({ kind: Kind.body, op: 1, text: "", data: new Uint8Array(1) }));
	assert.ok(!isWellFormed({ kind: Kind.body, op: 1, text: "", data: new Uint8Array(0) }));
});

test("a body comes no faster than it was asked for, whatever is said of it", () => {
	const windows = new SendWindows();
	const say = (kind: Kind, op: number, text: string, bytes = 0) =>
		windows.admits({ kind, op, text, data: new Uint8Array(bytes) });
	assert.ok(!say(Kind.body, 0, "", 1), "not begun");
	assert.ok(say(Kind.response, 0, "200\nwhole\n0\n"));
	assert.ok(!say(Kind.body, 0, "", 1), "it came whole");
	assert.ok(say(Kind.response, 0, "200\nstream\n0\n"));
	assert.ok(!say(Kind.response, 0, "200\nstream\n0\n"), "it has begun");
	for (let sent = 0; sent < STREAM_WINDOW; sent += STREAM_CHUNK) assert.ok(say(Kind.body, 0, "", STREAM_CHUNK));
	assert.ok(!say(Kind.body, 0, "", STREAM_CHUNK));
	windows.credit(0, STREAM_CHUNK);
	windows.credit(3, STREAM_WINDOW);
	assert.ok(say(Kind.body, 0, "", STREAM_CHUNK));
	assert.ok(!say(Kind.body, 0, "", STREAM_CHUNK));
	assert.ok(say(Kind.call, 3, "0\nstream\nPOST\nfollow\nhttp://a.test/"));
	assert.ok(say(Kind.body, 3, "", STREAM_CHUNK));
	assert.ok(say(Kind.end, 3, ""));
	assert.ok(!say(Kind.body, 3, "", 1), "it has ended");
});

test("timers leave in the order in which they are due, but for those that something stands between", () => {
	const outbox = new Outbox(1e6, 1e6, new Set([1]));
	outbox.begin();
	for (const [i, delay] of [5, 2, 0, 2].entries()) outbox.put(Kind.setTimer, 1, i + 1, "", delay, false);
	outbox.put(Kind.clearTimer, 1, 7, "", undefined, false);
	for (const delay of [9, 1]) outbox.put(Kind.setTimer, 1, 100 + delay, "", delay, false);
	assert.deepEqual(
		outbox.take().map(({ data }) => data),
		[0, 2, 2, 5, undefined, 1, 9],
	);
});
