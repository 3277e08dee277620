import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pino from "pino";
import { type InvocationRecord, newRecord } from "../../src/observe/record.ts";
import { recordLine } from "../../src/observe/record-line.ts";

/** What pino writes of a record. */
function byPino(record: InvocationRecord): string {
	let line = "";
	const destination = {
		write(text: string) {
			line = text;
		},
	};
	pino({ base: null, timestamp: () => "" }, destination).info(record, "request");
	return line;
}

test("a record is written as pino writes it, to the letter", () => {
	const record = newRecord("7e45d648", "http", "http");
	Object.assign(record, { tenant: "default", function: "shop", url: "http://a.test/x?y=1", wallMs: 1.25, cold: true });
	assert.equal(recordLine(record), byPino(record));
	record.exceeded = { cpuMs: 2 };
	assert.equal(recordLine(record), byPino(record));
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
