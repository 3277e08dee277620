import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { type Frame, FrameReader, FrameWriter } from "../../src/link/frames.ts";
import { Kind } from "../../src/link/messages.ts";

let seed = 1;
const random = (below: number) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
};

async function written(frames: Frame[]): Promise<Buffer> {
	const pipe = new PassThrough({ highWaterMark: 1e9 });
	const writer = new FrameWriter(pipe);
	for (const { kind, attempt, op, version, text, data } of frames) writer.write(kind, attempt, op, version, text, data);
	writer.flush();
	const parts: Buffer[] = [];
	for (let part = pipe.read() as Buffer | null; part !== null; part = pipe.read() as Buffer | null) parts.push(part);
	return Buffer.concat(parts);
}

function randomFrame(): Frame {
	const texts = ["", "plain", "ümläut 😀", "x".repeat(random(3000)), '{"a":1}'];
	const data = [
		undefined,
		Math.PI,
		0,
		Buffer.alloc(0),
		Buffer.alloc(random(500), 7),
		Buffer.alloc(20_000 + random(60_000), 9),
	];
	return {
		// Any but a piece of a body, which need not come in one.
		kind: 5 + random(66),
		attempt: random(2 ** 32),
		op: random(2 ** 32),
		version: random(2 ** 32),
		text: texts[random(texts.length)],
		data: data[random(data.length)],
	};
}

test("frames come out as they went in, however the bytes are cut", async () => {
	for (let round = 0; round < 50; round++) {
		const frames = Array.from({ length: 1 + random(20) }, randomFrame);
		const bytes = await written(frames);
		const read: Frame[] = [];
		const reader = new FrameReader(1e6, (frame) => read.push(frame));
		for (let at = 0; at < bytes.length; ) {
			const size = random(3) === 0 ? 1 + random(8) : 1 + random(40_000);
			reader.read(Buffer.from(bytes.subarray(at, at + size)));
			at += size;
		}
		assert.deepEqual(read, frames);
	}
});

test("a piece of a body is handed on as it comes", async () => {
	for (let round = 0; round < 50; round++) {
		const frames = Array.from({ length: 5 }, (_, i): Frame[] => [
			{ kind: Kind.body, attempt: i, op: 1, version: 2, text: "", data: Buffer.alloc(1 + random(70_000), i) },
			{ ...randomFrame(), kind: Kind.log },
		]).flat();
		const bytes = await written(frames);
		const read: Frame[] = [];
		const reader = new FrameReader(1e6, (frame) => read.push(frame));
		for (let at = 0; at < bytes.length; ) {
			const size = random(3) === 0 ? 1 + random(30) : 1 + random(40_000);
			reader.read(Buffer.from(bytes.subarray(at, at + size)));
			at += size;
		}
		// Put together again, the pieces are what was sent; all the rest is as it was.
		const whole: Frame[] = [];
		for (const frame of read) {
			const last = whole.at(-1);
			if (frame.kind === Kind.body && last?.kind === Kind.body && last.attempt === frame.attempt)
				last.data = Buffer.concat([last.data as Buffer, frame.data as Buffer]);
			else whole.push({ ...frame });
		}
		assert.deepEqual(whole, frames);
	}
});

test("bytes that are no frames are refused, or give frames that hold no more than was sent", () => {
	for (let round = 0; round < 3000; round++) {
		const bytes = Buffer.from(Array.from({ length: random(200) }, () => (random(2) === 0 ? random(256) : random(4))));
		let held = 0;
		const reader = new FrameReader(10_000, ({ text, data }) => {
			held += Buffer.byteLength(text) / 3 + (typeof data === "object" ? data.length : 0);
		});
		try {
			reader.read(bytes);
		} catch (error) {
			assert.equal((error as Error).constructor.name, "FrameError");
		}
		assert.ok(held <= bytes.length);
	}
});
