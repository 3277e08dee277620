import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BODY_FIELDS as COMMAND_BODY, CommandWriter, readCommand, readSettings } from "../../src/link/commands.ts";
import { BODY_FIELDS as EVENT_BODY, EventReader, EventWriter } from "../../src/link/events.ts";
import type { Frame } from "../../src/link/frame.ts";
import { FrameReader } from "../../src/link/frame-reader.ts";
import { FrameWriter } from "../../src/link/frame-writer.ts";
import { encodeResponseHead } from "../../src/link/heads.ts";
import { Kind } from "../../src/link/messages.ts";
import { FAILURES, type SandboxCommands, type SandboxEvents } from "../../src/link/protocol.ts";
import { until } from "../support/until.ts";

let seed = 1;
const random = (below: number) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
};
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)];
const u32 = () => random(2 ** 32);
const text = () => oneOf(["", "plain", "ümläut 😀", "x".repeat(random(3000)), '{"a":1}', "a\nb\0c"]);
const bytes = () => Buffer.alloc(oneOf([0, random(500), 20_000 + random(40_000)]), random(256));
const amount = () => oneOf([0, 1.5, 4_294_967_296, 86_400_000 * 1000, Number.MAX_SAFE_INTEGER]);

/** A call of a method of one side of the link. */
type Call = [method: string, ...args: unknown[]];

/** An object whose methods note what they are called with. */
function recorder<T>(calls: Call[]): T {
	return new Proxy(
		{},
		{
			get:
				(_, method) =>
				(...args: unknown[]) =>
					calls.push([String(method), ...args]),
		},
	) as T;
}

function say(to: object, [method, ...args]: Call): void {
	(to as Record<string, (...args: unknown[]) => void>)[method](...args);
}

/** The bytes that calls put on the link, through a writer. */
function written(make: (writer: FrameWriter) => object, calls: Call[]): Buffer {
	const pipe = new PassThrough({ highWaterMark: 1e9 });
	const writer = new FrameWriter(pipe);
	const to = make(writer);
	for (const call of calls) say(to, call);
	writer.flush();
	const parts: Buffer[] = [];
	for (let part = pipe.read() as Buffer | null; part !== null; part = pipe.read() as Buffer | null) parts.push(part);
	return Buffer.concat(parts);
}

/** Hands bytes to a reader, cut anywhere. */
function readCut(all: Buffer, bodyFields: number, onFrame: (frame: Frame) => void): void {
	const reader = new FrameReader({ maxBytes: 1e6, bodyFields }, onFrame);
	for (let at = 0; at < all.length; ) {
		const size = random(3) === 0 ? 1 + random(30) : 1 + random(40_000);
		reader.read(Buffer.from(all.subarray(at, at + size)));
		at += size;
	}
}

function randomCommand(): Call {
	const image = {
		...{ filename: "a.js", code: bytes(), codeCache: bytes(), tenant: -1, env: text() },
		...{ memoryMb: 128, timers: 10, logBytes: 1000, subrequests: 10, startupCpuMs: 1000 },
	};
	const start = { attempt: u32(), version: u32(), cpuMs: u32(), cutMs: [0, 10, 60][random(3)], head: text() };
	return oneOf<Call>([
		["expect", u32()],
		["unload", u32()],
		["keep", u32(), random(2) === 0],
		["preload", u32(), u32(), u32()],
		["reuse", u32(), text(), text(), amount()],
		["forget", u32(), text()],
		["load", u32(), image],
		["request", { ...start, body: oneOf([undefined, bytes()]) }],
		["message", oneOf([Kind.answer, Kind.socket]), u32(), u32(), text(), oneOf([undefined, bytes()])],
		["message", Kind.credit, u32(), u32(), "", amount()],
		["message", oneOf([Kind.abort, Kind.drop]), u32(), 0, "", undefined],
	]);
}

function randomEvent(): Call {
	const cold = random(2) === 0;
	const report = {
		...{ light: random(2) === 0, cold, cpuUs: amount(), memoryBytes: amount(), startUs: cold ? amount() : 0 },
	};
	const stats = { isolates: amount(), bytes: amount(), hits: amount(), coldStarts: amount(), evictions: amount() };
	const headers = oneOf([[], ["a", "1"], ["set-cookie", "ä=1", "set-cookie", "b=2"]]);
	const head = encodeResponseHead(200 + random(300), "whole", 0, "", headers);
	return oneOf<Call>([
		["want", u32()],
		["done", u32(), u32(), report],
		["failed", u32(), u32(), { code: oneOf(FAILURES), message: text(), stack: text() }, report],
		["stats", stats],
		["message", u32(), u32(), { kind: Kind.response, op: 0, text: head, data: oneOf([undefined, bytes()]) }],
		["message", u32(), u32(), { kind: Kind.log, op: 0, text: `warn ${text()}`, data: undefined }],
		["message", u32(), u32(), { kind: Kind.credit, op: u32(), text: "", data: random(2 ** 31) }],
		["message", u32(), u32(), { kind: Kind.socket, op: 1 + random(99), text: text(), data: undefined }],
		["message", u32(), u32(), { kind: Kind.end, op: u32(), text: text(), data: undefined }],
		["message", u32(), u32(), { kind: Kind.reused, op: 1 + u32(), text: `7\nnone\n${text()}`, data: undefined }],
	]);
}

test("commands come out as they went in, however the bytes are cut", () => {
	for (let round = 0; round < 50; round++) {
		const calls = Array.from({ length: 1 + random(20) }, randomCommand);
		const read: Call[] = [];
		const commands = recorder<SandboxCommands>(read);
		const all = written((writer) => new CommandWriter(writer), calls);
		readCut(all, COMMAND_BODY, (frame) => readCommand(frame, commands));
		assert.deepEqual(read, calls);
	}
});

test("events come out as they went in, also CPU times of hours", () => {
	for (let round = 0; round < 50; round++) {
		const calls = Array.from({ length: 1 + random(20) }, randomEvent);
		const read: Call[] = [];
		const events = new EventReader(recorder<SandboxEvents>(read), () => assert.fail("nothing is ready"));
		const all = written((writer) => new EventWriter(writer), calls);
		readCut(all, EVENT_BODY, (frame) => events.read(frame));
		assert.deepEqual(read, calls);
	}
});

test("the first frame holds the settings, and a sandbox says that it is ready", () => {
	const settings = { snapshot: bytes(), maxIsolates: 1, maxBytes: 2, maxProcessBytes: 3, parked: 4, memoryMb: 5 };
	const all = written((writer) => new CommandWriter(writer), [["settings", { ...settings, frozenClocks: true }]]);
	const read: unknown[] = [];
	readCut(all, COMMAND_BODY, (frame) => read.push(readSettings(frame)));
	assert.deepEqual(read, [{ ...settings, frozenClocks: true }]);
	let ready = 0;
	const events = new EventReader(recorder<SandboxEvents>([]), () => ready++);
	readCut(
		written((writer) => new EventWriter(writer), [["ready"]]),
		EVENT_BODY,
		(frame) => events.read(frame),
	);
	assert.equal(ready, 1);
});

test("a piece of a body is handed on as it comes", () => {
	for (let round = 0; round < 50; round++) {
		const calls = Array.from({ length: 5 }, (_, i): Call[] => [
			["message", 2, i, { kind: Kind.body, op: 1, text: "", data: Buffer.alloc(1 + random(65_536), i) }],
			randomEvent(),
		]).flat();
		const read: Call[] = [];
		const events = new EventReader(recorder<SandboxEvents>(read), () => undefined);
		const all = written((writer) => new EventWriter(writer), calls);
		readCut(all, EVENT_BODY, (frame) => events.read(frame));
		// Put together again, the pieces are what was sent; all the rest is as it was.
		const whole: Call[] = [];
		for (const call of read) {
			const [before, now] = [whole.at(-1), call].map((one) => one?.[3] as { kind?: number; data: Buffer } | undefined);
			if (now?.kind === Kind.body && before?.kind === Kind.body && whole.at(-1)?.[2] === call[2])
				before.data = Buffer.concat([before.data, now.data]);
			else whole.push(call);
		}
		assert.deepEqual(whole, calls);
	}
});

/** What a frame's bytes become at the hands of a process that is no longer honest. */
function spoiled(all: Buffer): Buffer {
	const copy = Buffer.from(all);
	for (let i = random(4); i >= 0; i--) copy[random(copy.length)] = random(2) === 0 ? random(256) : random(4);
	return random(3) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}

test("bytes that are no frames are refused, or give what is well formed and holds no more than was sent", () => {
	for (let round = 0; round < 3000; round++) {
		const random200 = () => Buffer.from(Array.from({ length: random(200) }, () => random(random(2) === 0 ? 256 : 4)));
		const one = written((writer) => new EventWriter(writer), [randomEvent()]);
		const all = random(3) === 0 || one.length > 10_000 ? random200() : spoiled(one);
		let held = 0;
		const sink = recorder<SandboxEvents>([]);
		sink.message = (_version, _attempt, { kind, text, data }) => {
			assert.ok(Object.values(Kind).includes(kind));
			held += Buffer.byteLength(text) / 3 + (typeof data === "object" ? data.length : 0);
		};
		const events = new EventReader(sink, () => undefined);
		const reader = new FrameReader({ maxBytes: 20_000, bodyFields: EVENT_BODY }, (frame) => events.read(frame));
		try {
			reader.read(all);
		} catch (error) {
			assert.equal((error as Error).name, "FrameError");
		}
		assert.ok(held <= all.length);
	}
});

test("a frame that makes no sense names the version whose it claims to be", () => {
	const forged: { kind: Kind; op: number; text: string; data: Uint8Array | number | undefined }[] = [
		{ kind: Kind.response, op: 0, text: "", data: undefined },
		{ kind: Kind.response, op: 0, text: "200\nwhole\n0\n\nname", data: undefined },
		{ kind: Kind.response, op: 1, text: "200\nnone\n0\n", data: undefined },
		{ kind: Kind.response, op: 0, text: "101\nnone\n0\n", data: undefined },
		{ kind: Kind.response, op: 0, text: "200\nnone\n7\n", data: undefined },
		{ kind: Kind.response, op: 0, text: "200\nnone\n0\n", data: 1 },
		{ kind: Kind.log, op: 0, text: "", data: undefined },
		{ kind: Kind.log, op: 0, text: "fatal x", data: undefined },
		{ kind: Kind.log, op: 0, text: `log ${"x".repeat(70_000)}`, data: undefined },
		{ kind: Kind.exception, op: 0, text: "exception 9 short", data: undefined },
		{ kind: Kind.socketClose, op: 1, text: "99999 x", data: undefined },
		{ kind: Kind.credit, op: 0, text: "", data: -1 },
		{ kind: Kind.credit, op: 0, text: "", data: NaN },
		{ kind: Kind.call, op: 0, text: "0\nnone\nGET\nfollow\nhttp://a/", data: undefined },
		{ kind: Kind.call, op: 1, text: "01\nnone\nGET\nfollow\nhttp://a/", data: undefined },
		{ kind: Kind.request, op: 0, text: "", data: undefined },
		{ kind: Kind.timer, op: 0, text: "", data: undefined },
		{ kind: 200 as Kind, op: 0, text: "", data: undefined },
	];
	for (const message of forged) {
		const events = new EventReader(recorder<SandboxEvents>([]), () => undefined);
		const all = written((writer) => new EventWriter(writer), [["message", 7, 9, message]]);
		assert.throws(
			() => readCut(all, EVENT_BODY, (frame) => events.read(frame)),
			{ name: "FrameError" },
			`kind ${message.kind}, text ${message.text}`,
		);
		assert.deepEqual([events.version, events.attempt], [7, 9]);
	}
});

test("whoever has written more than is read hears of it when it is, or when nobody will read it", async () => {
	for (const end of ["read", "gone"]) {
		const pipe = new PassThrough();
		const writer = new FrameWriter(pipe);
		const events = new EventWriter(writer);
		let told = false;
		const clogged = () =>
			events.clogged(() => {
				told = true;
			});
		assert.equal(clogged(), false);
		const data = new Uint8Array(200_000);
		for (let i = 0; i < 8; i++) events.message(1, 1, { kind: Kind.response, op: 0, text: "", data });
		assert.equal(clogged(), true);
		assert.equal(told, false);
		if (end === "gone") writer.close();
		else pipe.resume();
		await until(() => told);
		pipe.destroy();
		for (let i = 0; i < 8; i++) events.message(1, 1, { kind: Kind.response, op: 0, text: "", data });
		assert.equal(clogged(), false, "nobody is left to wait for");
	}
});
