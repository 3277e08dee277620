import fc from "fast-check";
import { CommandKind } from "../../src/link/commands.ts";
import { EventKind } from "../../src/link/events.ts";
import { Kind, STREAM_CHUNK } from "../../src/link/messages.ts";
import { FAILURES } from "../../src/link/protocol.ts";
import { headLines, lineOf } from "./heads.ts";
import type { Field, HostileFrame } from "./hostile-frame.ts";

/** Drawn by each field of a kind. */
type Fields = fc.Arbitrary<Field>[];

/** Of the first, but for one in twenty of the second: the edge hears no more of a sandbox after a frame that is none. */
function nearlyAlways<T, U>(common: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
	return fc.oneof({ weight: 19, arbitrary: common }, { weight: 1, arbitrary: rare });
}

const numbers = fc.constantFrom(0, 1, 2, 3, 100, 2 ** 16, 2 ** 31, 2 ** 32 - 1).map((u32) => ({ u32 }));
const ops = (own: number) =>
	nearlyAlways(fc.constant<Field>({ u32: own }), fc.oneof(fc.constant<Field>({ u32: 1 }), numbers));
const own = (name: "version" | "attempt") => nearlyAlways(fc.constant<Field>({ u32: name }), numbers);
const flags = fc.constantFrom(0, 1, 2, 3, 255).map((u8) => ({ u8 }));
const amounts = nearlyAlways(
	fc.constantFrom(0, 1, 1000, 0.5),
	fc.constantFrom("NaN", "Infinity", -1, 1e300, 2 ** 53, "-0"),
).map((f64) => ({ f64 }));
const sizes = nearlyAlways(
	fc.constantFrom(0, 1, 100, 5000, STREAM_CHUNK),
	fc.constantFrom(STREAM_CHUNK + 1, 300_000, 2 ** 21),
);
const bytes = sizes.map((size) => ({ bytes: size }));
const text = (usual: fc.Arbitrary<string>): fc.Arbitrary<Field> =>
	fc.record({
		text: nearlyAlways(usual, fc.constantFrom("", "\n", "\0", "{}", "0", "\u20ac", "\ud800", "x".repeat(200_000))),
		lengthOff: nearlyAlways(fc.constant(0), fc.constantFrom(-1, 1, 2 ** 24, 2 ** 31)),
	});
const words = text(fc.constantFrom("", "why", "at x (a.js:1:1)"));

/** Which data follows a text. */
const NONE: fc.Arbitrary<Field> = fc.constant({ u8: 0 });
const BYTES: fc.Arbitrary<Field> = fc.constant({ u8: 1 });
const NUMBER: fc.Arbitrary<Field> = fc.constant({ u8: 2 });

const NAMES: Fields = [own("version"), own("attempt")];
const REPORT: Fields = [fc.constantFrom(0, 1).map((u8) => ({ u8 })), amounts, amounts];
/** With how long the start of the isolate took. */
const COLD_REPORT: Fields = [fc.constantFrom(2, 3).map((u8) => ({ u8 })), amounts, amounts, amounts];
const message = (op: number, ...content: Fields): Fields => [...NAMES, ops(op), ...content];

const subrequests = fc
	.record({
		method: fc.constantFrom("GET", "POST", "CONNECT", "B AD", ""),
		body: fc.constantFrom("none", "whole", "stream", "other"),
		redirect: fc.constantFrom("follow", "error", "manual", "other"),
		url: fc.constantFrom(
			"http://127.0.0.1:1/",
			"http://neighbour0.test/",
			"http://[::1]/",
			"ftp://a/",
			"",
			"//",
			"http://a:9e9/",
		),
		headers: fc.array(fc.constantFrom("host", "a", "content-length", "x\r\ny", ""), { maxLength: 4 }),
	})
	.map(({ method, body, redirect, url, headers }) => lineOf(["0", body, method, redirect, url, ...headers]));
const lines = fc.constantFrom("log a line", "error \0", "log ", "other a line", "log", `log ${"x".repeat(70_000)}`);
const exceptions = fc.constantFrom(
	"exception 4 oopsError: oops",
	"invalid_response 0 ",
	"no_handler 0 ",
	"exception 9999 x",
	"exception -1 x",
	"other 0 ",
);
const verdicts = fc.constantFrom("", "0 noRetry -", "1 ack -\n2 retry 30", "2 ack -\n1 ack -", "1 ack", "9 toString 0");
const closes = fc.constantFrom("1000 bye", "1005 ", "1006 ", "4999 ", "0 ", "1000", `1000 ${"\u20ac".repeat(123)}`);

/** What a sandbox says, how often each kind of it, and its fields. */
const SAID: [weight: number, kind: number, fields: Fields][] = [
	[5, Kind.response, message(0, NONE, text(headLines))],
	[3, Kind.response, message(0, BYTES, text(headLines), bytes)],
	[4, Kind.body, message(0, bytes)],
	[2, Kind.end, message(0, NONE, text(fc.constantFrom("", "why")))],
	[2, Kind.credit, message(1, NUMBER, text(fc.constant("")), amounts)],
	[1, Kind.cancel, message(1, NONE, text(fc.constant("")))],
	[2, Kind.call, message(1, NONE, text(subrequests))],
	[1, Kind.call, message(1, BYTES, text(subrequests), bytes)],
	[2, Kind.log, message(0, NONE, text(lines))],
	[1, Kind.exceeded, message(0, NONE, text(fc.constantFrom("timers", "toString")))],
	[1, Kind.exception, message(0, NONE, text(exceptions))],
	[1, Kind.verdicts, message(0, NONE, text(verdicts))],
	[2, Kind.socket, message(1, NONE, text(fc.constantFrom("", "a message", "\0")))],
	[1, Kind.socket, message(1, BYTES, text(fc.constant("")), bytes)],
	[1, Kind.socketClose, message(1, NONE, text(closes))],
	[1, Kind.done, [...NAMES, ...REPORT]],
	[1, Kind.done, [...NAMES, ...COLD_REPORT]],
	[1, EventKind.failed, [...NAMES, ...REPORT, fc.nat(FAILURES.length).map((u8) => ({ u8 })), words, words]],
	[1, EventKind.want, [own("version")]],
	[1, EventKind.stats, [amounts, amounts, amounts, amounts, amounts]],
	[1, EventKind.ready, []],
	[1, Kind.request, [own("attempt"), own("version"), numbers, flags, words]],
	[1, Kind.drop, message(0, NONE, words)],
	[1, Kind.setTimer, message(1, NUMBER, words, amounts)],
	[1, 0, message(0, NONE, words)],
	[1, 255, [bytes]],
];

/** What the edge may come to say, and what it never does. */
const MESSAGE: Fields = [own("attempt"), ops(0)];
const HEARD: [kind: number, fields: Fields][] = [
	[Kind.body, [...MESSAGE, bytes]],
	[Kind.end, [...MESSAGE, NONE, words]],
	[Kind.credit, [...MESSAGE, NUMBER, text(fc.constant("")), amounts]],
	[Kind.abort, [...MESSAGE, NONE, text(fc.constant(""))]],
	[Kind.drop, [...MESSAGE, NONE, text(fc.constant(""))]],
	[Kind.answer, [own("attempt"), ops(1), NONE, words]],
	[Kind.socket, [own("attempt"), ops(1), NONE, words]],
	[Kind.socketClose, [own("attempt"), ops(1), NONE, text(closes)]],
	[CommandKind.settings, [words, bytes]],
	[CommandKind.load, [own("version"), words, amounts, bytes]],
	[CommandKind.unload, [own("version")]],
	[CommandKind.expect, [own("version")]],
	[CommandKind.preload, [own("attempt"), own("version")]],
	[Kind.response, [...NAMES, ops(0), NONE, words]],
	[255, [...MESSAGE, NONE, words]],
];

const others: fc.Arbitrary<Field> = fc.oneof(flags, numbers, amounts, words, bytes);

/** Mostly a frame as it is, now and then one that lacks a field, or has one too many, or another in its place. */
function changed(drawn: fc.Arbitrary<Field[]>): fc.Arbitrary<Field[]> {
	const change = fc.record({
		at: fc.nat(8),
		remove: fc.constantFrom(0, 1),
		insert: fc.array(others, { maxLength: 1 }),
	});
	return nearlyAlways(
		drawn,
		fc.tuple(drawn, change).map(([fields, { at, remove, insert }]) => fields.toSpliced(at, remove, ...insert)),
	);
}

const frameOf = (to: HostileFrame["to"], kind: number, fields: Fields): fc.Arbitrary<HostileFrame> =>
	fc.record({
		to: fc.constant(to),
		kind: fc.constant(kind),
		fields: changed(fc.tuple(...fields)),
		lengthOff: nearlyAlways(fc.constant(0), fc.constantFrom(-1, 1, -30, 2 ** 24, -(2 ** 31))),
		times: nearlyAlways(fc.constant(1), fc.constantFrom(2, 3, 50)),
	});

const fromSandbox = fc.oneof(
	...SAID.map(([weight, kind, fields]) => ({ weight, arbitrary: frameOf("edge", kind, fields) })),
);
const toSandbox = fc.oneof(...HEARD.map(([kind, fields]) => frameOf("sandbox", kind, fields)));

/** Frames in both directions, most of them from a sandbox that was taken over. */
export const linkFrames: fc.Arbitrary<HostileFrame[]> = fc.array(
	fc.oneof({ weight: 4, arbitrary: fromSandbox }, { weight: 1, arbitrary: toSandbox }),
	{ minLength: 1, maxLength: 12 },
);
