import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pino from "pino";
import { Observer } from "../../src/observe/observer.ts";
import { type InvocationRecord, type LogLine, newRecord } from "../../src/observe/record.ts";
import { functionLine, recordLine } from "../../src/observe/record-line.ts";

const LINE = { tenant: "default", function: "shop", version: "1f", requestId: "7e", time: "2026-11-30T10:00:00.000Z" };

/** Halves of surrogate pairs among them. */
const LETTER = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
let written = "";
const destination = {
	write(text: string) {
		written = text;
	},
};
const observer = new Observer(pino({ base: null, timestamp: () => "" }, destination));

/** What pino writes of a record or a line. */
function byPino(told: InvocationRecord | LogLine): string {
	if ("message" in told) observer.log(told);
	else observer.record(told, null);
	return written;
}

test("a record is written as pino writes it, to the letter", () => {
	const record = newRecord("7e45d648", "http", "http");
	Object.assign(record, { tenant: "default", function: "shop", url: "http://a.test/x?y=1", wallMs: 1.25, cold: true });
	assert.equal(recordLine(record), byPino(record));
	const limited = { ...record, exceeded: { cpuMs: 2 } };
	assert.equal(recordLine(limited), byPino(limited));
});

test("what a function wrote is written as pino writes it, whatever it is", () => {
	fc.assert(
		fc.property(fc.string({ unit: LETTER }), fc.constantFrom("info", "log", "warn", "error"), (message, level) => {
			const line = { ...LINE, level, message } as LogLine;
			assert.equal(functionLine(line), byPino(line));
			assert.deepEqual(JSON.parse(functionLine(line)).msg, message);
		}),
	);
});

test("whatever comes from outside, it is one line of JSON that says the same", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (method, url) => {
			const record = { ...newRecord("1", "http", "http"), method, url, hostname: url, event: method };
			const line = recordLine(record);
			assert.equal(line.indexOf("\n"), line.length - 1);
			const { level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
			assert.deepEqual([level, msg], [30, "request"]);
			assert.deepEqual(rest, record);
		}),
	);
});
