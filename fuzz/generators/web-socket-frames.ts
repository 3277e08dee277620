import fc from "fast-check";
import { type Ending, endings, mostly } from "./wire.ts";

/** A frame as a client writes it: https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
export interface WrittenFrame {
	fin: boolean;
	rsv: number;
	opcode: number;
	masked: boolean;
	/** How its length is written: in 7, 16 or 64 bits, or as it should be. */
	lengthBits: 0 | 7 | 16 | 64;
	/** How long it says it is beyond what it is. */
	lengthOff: number;
	/** A few bytes that are repeated until there are so many. */
	filling: string;
	size: number;
	times: number;
}

/** What clients do with WebSockets: all of them the same at the same time. */
export interface SocketClient {
	connections: number;
	path: string;
	protocol: string;
	frames: WrittenFrame[];
	cuts: number[];
	reads: boolean;
	ending: Ending;
}

const MASK = Buffer.from([1, 2, 3, 4]);

export function renderFrames(frames: WrittenFrame[]): Buffer {
	return Buffer.concat(frames.flatMap((frame) => new Array<Buffer>(frame.times).fill(renderFrame(frame))));
}

function renderFrame({ fin, rsv, opcode, masked, lengthBits, lengthOff, filling, size }: WrittenFrame): Buffer {
	const payload = Buffer.alloc(size, filling === "" ? "\0" : Buffer.from(filling, "latin1"));
	const length = Math.max(0, size + lengthOff);
	const bits = lengthBits || (length < 126 ? 7 : length < 65_536 ? 16 : 64);
	const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
	head[1] = (masked ? 0x80 : 0) | (bits === 7 ? length & 0x7f : bits === 16 ? 126 : 127);
	if (bits === 16) head.writeUInt16BE(length & 0xffff, 2);
	if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2);
	if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= MASK[i & 3];
	return Buffer.concat([head, masked ? MASK : Buffer.alloc(0), payload]);
}

const opcodes = fc.oneof(
	{ weight: 4, arbitrary: fc.constantFrom(1, 2) },
	{ weight: 2, arbitrary: fc.constantFrom(0, 8, 9, 10) },
	{ weight: 1, arbitrary: fc.constantFrom(3, 7, 11, 15) },
);
const fillings = fc.constantFrom(
	"a",
	"\xe2\x82\xac",
	"\xff",
	"\x03\xe8",
	"\x03\xe8bye",
	"\x03\xee",
	"\x0f\xa1\xff",
	"",
);

/** Small ones by the thousand, or large ones. */
const amounts = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ size: fc.constantFrom(0, 1, 2, 5, 125), times: fc.constant(1) }) },
	{ weight: 1, arbitrary: fc.record({ size: fc.constantFrom(0, 1, 10), times: fc.constantFrom(10, 1000, 100_000) }) },
	{
		weight: 1,
		arbitrary: fc.record({
			size: fc.constantFrom(126, 65_535, 65_536, 500_000, 2_000_000),
			times: fc.constantFrom(1, 3, 8),
		}),
	},
);

const frame: fc.Arbitrary<WrittenFrame> = fc
	.tuple(
		fc.record({
			fin: mostly(fc.constant(true), fc.boolean()),
			rsv: mostly(fc.constant(0), fc.integer({ min: 0, max: 7 })),
			opcode: opcodes,
			masked: mostly(fc.constant(true), fc.boolean()),
			lengthBits: mostly(fc.constant(0 as const), fc.constantFrom(7 as const, 16 as const, 64 as const)),
			lengthOff: mostly(fc.constant(0), fc.constantFrom(-1, 1, 1000, 2 ** 31, 2 ** 52)),
			filling: fillings,
		}),
		amounts,
	)
	.map(([shape, amount]) => ({ ...shape, ...amount }));

const paths = fc.oneof(
	{ weight: 4, arbitrary: fc.constant("/socket/echo") },
	{
		weight: 1,
		arbitrary: fc.constantFrom("/socket/silent", "/socket/throw", "/socket/close/1000", "/socket/close/4999"),
	},
	{
		weight: 2,
		arbitrary: fc
			.tuple(fc.constantFrom(1, 20, 200), fc.constantFrom(0, 1, 1000, 65_536, 2 ** 20))
			.map(([count, size]) => `/socket/flood/${count}/${size}`),
	},
);

export const socketClients: fc.Arbitrary<SocketClient> = fc.record({
	connections: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(5, 20, 40) }),
	path: paths,
	protocol: mostly(fc.constant(""), fc.constantFrom("chat", "chat, other", "a b", ",")),
	frames: fc.array(frame, { maxLength: 6 }),
	cuts: mostly(fc.constant<number[]>([]), fc.array(fc.constantFrom(1, 2, 50, 10_000), { minLength: 1, maxLength: 4 })),
	reads: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
	ending: endings,
});
