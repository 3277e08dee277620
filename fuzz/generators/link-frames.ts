import fc from "fast-check";
import { FrameKind } from "../../src/link/frames.ts";
import { hostileHeads } from "./heads.ts";

/** By which numbers the edge knows the request whose sandbox was taken over. */
export interface OwnNumbers {
	attempt: number;
	version: number;
}

/** A frame as somebody writes it who does not keep to the protocol. */
export interface HostileFrame {
	to: "edge" | "sandbox";
	kind: number;
	attempt: number | "own";
	op: number;
	version: number | "own";
	dataType: number;
	text: string;
	/** How many bytes of data follow, or a number. */
	data: number;
	/** How much more than they are the frame and its text say they are. */
	lengthOff: number;
	textLengthOff: number;
	times: number;
}

const HEAD = 22;

/** A frame's bytes, in the format that `src/link/frames.ts` describes. */
export function renderFrame(frame: HostileFrame, own: OwnNumbers): Buffer {
	const text = Buffer.from(frame.text);
	const data = frame.dataType === 2 ? Buffer.alloc(8) : Buffer.alloc(frame.dataType === 0 ? 0 : frame.data, "d");
	if (frame.dataType === 2) data.writeDoubleLE(frame.data);
	const head = Buffer.alloc(HEAD);
	head.writeUInt32LE((HEAD - 4 + text.length + data.length + frame.lengthOff) >>> 0, 0);
	head[4] = frame.kind;
	head.writeUInt32LE(frame.attempt === "own" ? own.attempt : frame.attempt, 5);
	head.writeUInt32LE(frame.op, 9);
	head.writeUInt32LE(frame.version === "own" ? own.version : frame.version, 13);
	head[17] = frame.dataType;
	head.writeUInt32LE((text.length + frame.textLengthOff) >>> 0, 18);
	return Buffer.concat([head, text, data]);
}

/** Mostly `common`, now and then something else. */
function mostly<T, U>(common: T, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
	return fc.oneof({ weight: 6, arbitrary: fc.constant(common) }, { weight: 1, arbitrary: rare });
}

const numbers = fc.constantFrom(0, 1, 2, 3, 100, 2 ** 16, 2 ** 31, 2 ** 32 - 1);
const ops = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1, 2) }, { weight: 1, arbitrary: numbers });
const sizes = fc.constantFrom(0, 1, 100, 5000, 64 * 1024, 300 * 1024, 2 ** 21);
const doubles = fc.constantFrom(0, 1, -1, 1e9, 1e300, Number.NaN, Infinity, 0.5);

const failures = fc
	.record({
		failure: fc.oneof(
			fc.record({
				code: fc.constantFrom(
					"too_heavy",
					"isolate_lost",
					"cpu_limit_exceeded",
					"startup_failed",
					"exception",
					"no",
					"toString",
				),
				message: fc.oneof(fc.string(), fc.constant(5), fc.constant(null)),
				stack: fc.oneof(fc.constantFrom("", "at x (a.js:1:1)"), fc.constant(null)),
			}),
			fc.constant(null),
		),
		report: fc.oneof(
			fc.record({ cpuUs: doubles, memoryBytes: doubles, light: fc.boolean(), cold: fc.boolean(), startUs: doubles }),
			fc.constant(undefined),
		),
	})
	.map((value) => JSON.stringify(value));

const subrequests = fc
	.record({
		method: fc.constantFrom("GET", "POST", "CONNECT", "B AD", ""),
		url: fc.constantFrom(
			"http://127.0.0.1:1/",
			"http://neighbour0.test/",
			"http://[::1]/",
			"ftp://a/",
			"",
			"//",
			"http://a:99999/",
		),
		headers: fc.array(fc.oneof(fc.constantFrom("host", "a", "content-length", "x\r\ny"), fc.constant(1)), {
			maxLength: 4,
		}),
		body: fc.constantFrom("none", "whole", "stream", "other"),
		redirect: fc.constantFrom("follow", "error", "manual", "other"),
	})
	.map((value) => JSON.stringify(value));

const nonsense = fc.oneof(
	fc.constantFrom(
		"",
		"{",
		"null",
		"[]",
		"{}",
		"0",
		'"text"',
		"[1000]",
		'[1000,"bye"]',
		'{"headers":null}',
		"[".repeat(20_000),
	),
	fc.json({ maxDepth: 2 }),
);

/** What a sandbox says, and how often each kind of it. */
const SAID: [weight: number, kind: number, text: fc.Arbitrary<string>][] = [
	[5, FrameKind.response, hostileHeads.map((head) => JSON.stringify(head))],
	[3, FrameKind.body, fc.constant("")],
	[2, FrameKind.end, fc.constantFrom("", "why")],
	[2, FrameKind.credit, fc.constant("")],
	[1, FrameKind.cancel, fc.constant("")],
	[2, FrameKind.fetch, subrequests],
	[2, FrameKind.log, fc.oneof(nonsense, fc.constant('{"level":"log","message":"a line"}'))],
	[1, FrameKind.exceeded, fc.constantFrom("timers", "toString", "")],
	[1, FrameKind.exception, nonsense],
	[2, FrameKind.socket, fc.constantFrom("", "a message", "\u0000")],
	[
		1,
		FrameKind.socketClose,
		fc.constantFrom('[1000,"bye"]', '[1006,""]', "[0]", "{}", "", `[1000,"${"x".repeat(200)}"]`),
	],
	[1, FrameKind.done, fc.constant("")],
	[1, FrameKind.doneHeavy, fc.constant("")],
	[1, FrameKind.failed, failures],
	[1, FrameKind.want, fc.constant("")],
	[1, FrameKind.stats, fc.oneof(nonsense, fc.constant('{"isolates":1e308,"bytes":"x"}'))],
	[1, FrameKind.ready, fc.constant("")],
	[1, 255, nonsense],
];

/** What the edge may come to say about a request, in an order of chance. */
const HEARD = [FrameKind.body, FrameKind.end, FrameKind.credit, FrameKind.abort, FrameKind.drop, FrameKind.socket];

const fromSandbox: fc.Arbitrary<HostileFrame> = fc
	.oneof(...SAID.map(([weight, kind, text]) => ({ weight, arbitrary: fc.tuple(fc.constant(kind), text) })))
	.chain(([kind, text]) =>
		fc.record({
			to: fc.constant("edge" as const),
			kind: fc.constant(kind),
			attempt: mostly("own" as const, numbers),
			op: ops,
			version: mostly("own" as const, numbers),
			dataType:
				kind === FrameKind.credit
					? mostly(2, fc.constantFrom(0, 1))
					: mostly(kind === FrameKind.body ? 1 : 0, fc.constantFrom(0, 1, 2, 3)),
			text: fc.oneof({ weight: 8, arbitrary: fc.constant(text) }, { weight: 1, arbitrary: nonsense }),
			data: kind === FrameKind.credit ? doubles : sizes,
			lengthOff: mostly(0, fc.constantFrom(-1, 1, -30, 2 ** 24, -(2 ** 31))),
			textLengthOff: mostly(0, fc.constantFrom(-1, 1, 2 ** 24, 2 ** 31)),
			times: mostly(1, fc.constantFrom(2, 3, 50)),
		}),
	);

const toSandbox: fc.Arbitrary<HostileFrame> = fc.record({
	to: fc.constant("sandbox" as const),
	kind: fc.constantFrom(...HEARD),
	attempt: mostly("own" as const, numbers),
	op: ops,
	version: fc.constant(0),
	dataType: fc.constantFrom(0, 1, 2),
	text: fc.constantFrom("", "a text"),
	data: fc.constantFrom(0, 1, 1000),
	lengthOff: fc.constant(0),
	textLengthOff: fc.constant(0),
	times: fc.constantFrom(1, 2, 3),
});

/** Frames in both directions, most of them from a sandbox that was taken over. */
export const linkFrames: fc.Arbitrary<HostileFrame[]> = fc.array(
	fc.oneof({ weight: 4, arbitrary: fromSandbox }, { weight: 1, arbitrary: toSandbox }),
	{ minLength: 1, maxLength: 12 },
);
