import assert from "node:assert/strict";
import { test } from "node:test";
import { Kind } from "../../src/link/messages.ts";
import { isWellFormed } from "../../src/link/outgoing.ts";
import { decodeVerdicts, encodeVerdict, MAX_DELAY, type Verdict } from "../../src/link/verdicts.ts";

const isSaid = (text: string) => isWellFormed({ kind: Kind.verdicts, op: 0, text, data: undefined });

test("verdicts come out as they went in, and may be none", () => {
	const verdicts: Verdict[] = [
		{ part: 0, method: "ackAll", delaySeconds: null },
		{ part: 1, method: "retry", delaySeconds: 0 },
		{ part: 99_999, method: "x".repeat(32), delaySeconds: MAX_DELAY },
	];
	assert.deepEqual(decodeVerdicts(verdicts.map(encodeVerdict).join("\n")), verdicts);
	assert.deepEqual(decodeVerdicts(""), []);
});

test("what the prelude never says of an event is told from what it says", () => {
	for (const text of ["", "0 noRetry -", "1 ack -\n2 retry 30"]) assert.equal(isSaid(text), true, JSON.stringify(text));
	const forged = ["\n", "0 noRetry", "0 noRetry -\n", "1 ack -\n1 retry -", "2 ack -\n1 ack -", "-1 ack -", "01 ack -"];
	forged.push(
		"1 ack 1.5",
		"1 ack -1",
		`1 ack ${MAX_DELAY + 1}`,
		"1 ack\u2028 -",
		"1 ack -\r\n2 ack -",
		"1 a b -",
		"1  -",
	);
	forged.push("100000 ack -", "1 ack - ", `1 ${"x".repeat(33)} -`, "1 ack 030");
	for (const text of forged) assert.equal(isSaid(text), false, JSON.stringify(text));
	const long = Array.from({ length: 10_000 }, (_, i) => `${i} ack -`).join("\n");
	assert.equal(isSaid(long), false);
	assert.equal(isWellFormed({ kind: Kind.verdicts, op: 1, text: "0 noRetry -", data: undefined }), false);
	assert.equal(isWellFormed({ kind: Kind.verdicts, op: 0, text: "", data: 1 }), false);
});
