import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { checked, parseBody, parseJson } from "../../src/control/json.ts";

const refused = (text: string, why: RegExp) => assert.throws(() => parseBody(text), { code: "invalid", message: why });

test("what would hold the thread is refused before it is parsed", () => {
	refused("[".repeat(1_000_000), /nested more than 64 deep/);
	refused(`${'{"a":'.repeat(65)}1${"}".repeat(65)}`, /nested more than 64 deep/);
	refused(`[${"1,".repeat(250_001)}1]`, /more than 250000 values/);
	refused(`{${'"a":1,'.repeat(250_001)}"a":1}`, /more than 250000 values/);
});

test("brackets, commas and quotes in strings count for nothing", () => {
	const text = String.raw`[[[{{{,,,\"[[[\\`.repeat(50_000);
	assert.deepEqual(parseBody(`["${text}",{"a":[]}]`), JSON.parse(`["${text}",{"a":[]}]`));
	const siblings = `[${"[],".repeat(1000)}[]]`;
	assert.deepEqual(parseBody(siblings), JSON.parse(siblings));
	const deep = `${"[".repeat(64)}1${"]".repeat(64)}`;
	assert.deepEqual(parseBody(deep), JSON.parse(deep));
	for (const broken of ['"', '"\\', '["a', "]]]]", ""]) refused(broken, /no JSON/);
});

test("a value that is kept as it is may be a long list", () => {
	assert.equal((parseJson(`[${"1,".repeat(300_000)}1]`, "the value") as number[]).length, 300_001);
});

test("what is said of many wrong names is cut", () => {
	const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`name${i}`, 1]));
	assert.throws(
		() => checked(z.strictObject({}), wide),
		(error: Error) => error.message.length < 1100,
	);
});
