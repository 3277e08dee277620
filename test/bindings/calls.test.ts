import assert from "node:assert/strict";
import { test } from "node:test";
import type { Content } from "../../src/bindings/binding.ts";
import { decodeReusable } from "../../src/link/calls.ts";
import { machineMs } from "../../src/link/machine-clock.ts";
import { Kind } from "../../src/link/messages.ts";
import { noCalls, replyOf } from "../support/calls.ts";
import { until } from "../support/until.ts";

const LIMITS = { subrequests: 10, concurrentSubrequests: 10, subrequestMs: 60_000, subrequestBodyBytes: 1e9 };
const SIZE = 100_000;

/** Calls of a binding that answers with such a body, of a sandbox that reads nothing until it does. */
function calling(content: () => Content) {
	const perform = async () => ({ text: "", content: content() });
	const calls = noCalls(LIMITS, () => ({ prepare: () => ({ target: "", perform }) }));
	const sent: string[] = [];
	const waiting: (() => void)[] = [];
	const reply = replyOf({
		send: (kind: Kind) =>
			void sent.push(Object.keys(Kind).find((name) => Kind[name as keyof typeof Kind] === kind) ?? ""),
		clogged: (resume: () => void) => reads === false && waiting.push(resume) > 0,
	});
	let reads = false;
	const read = () => {
		reads = true;
		for (const resume of waiting) resume();
	};
	calls.call(1, "1\nnone\n", undefined, reply);
	return { calls, sent, waiting, read };
}

test("an answer waits, and is held, until its sandbox has read what came before", async () => {
	const { calls, sent, waiting, read } = calling(() => new Uint8Array(SIZE));
	await until(() => waiting.length > 0);
	assert.deepEqual(sent, []);
	assert.ok(calls.account.held >= SIZE);
	read();
	await until(() => calls.account.held === 0);
	assert.deepEqual(sent, ["answer"]);
});

test("what is known is answered at once, unless its sandbox has to read first, it is too large, or too many run", async () => {
	for (const [why, { clogged = false, size = 10, running = 0 }] of Object.entries({
		"nothing is in its way": {},
		"its sandbox has to read": { clogged: true },
		"it is too large": { size: 101 },
		"others run": { running: 2 },
	})) {
		const { promise: performed, resolve } = Promise.withResolvers<void>();
		const never = new Promise<never>(() => undefined);
		const perform = () => {
			resolve();
			return never;
		};
		const known = () => ({ text: "", content: new Uint8Array(size) });
		const limits = { ...LIMITS, concurrentSubrequests: 2, subrequestBodyBytes: 100 };
		const calls = noCalls(limits, (number) => ({
			prepare: () => (number === 1 ? { target: "", perform, known } : { target: "", perform: () => never }),
		}));
		const sent: Kind[] = [];
		const reply = replyOf({ send: (kind: Kind) => void sent.push(kind), clogged: () => clogged });
		for (let op = 0; op < running; op++) calls.call(op, "2\nnone\n", undefined, reply);
		assert.equal(calls.call(9, "1\nnone\n", undefined, reply), true);
		assert.deepEqual(sent, why === "nothing is in its way" ? [Kind.answer] : [], why);
		assert.equal(calls.count, running + 1);
		// One that has to wait for others is not begun before they are over.
		if (sent.length === 0 && running === 0) await performed;
		calls.close();
	}
});

test("one that nobody waits for any more is dropped, whether its sandbox reads or not", async () => {
	const { calls, sent, waiting } = calling(() => new Uint8Array(SIZE));
	await until(() => waiting.length > 0);
	calls.close();
	await until(() => calls.account.held === 0);
	assert.deepEqual(sent, []);
});

test("a streamed body waits between its pieces", async () => {
	const { calls, sent, waiting, read } = calling(async function* () {
		for (let i = 0; i < 3; i++) yield new Uint8Array(10);
	});
	await until(() => waiting.length > 0);
	assert.deepEqual(sent, ["answer", "body"]);
	read();
	await until(() => calls.account.held === 0);
	assert.deepEqual(sent, ["answer", "body", "body", "body", "end"]);
});

test("a body that comes when nobody waits for it any more is closed", async () => {
	const begun = Promise.withResolvers<void>();
	let isClosed = false;
	const calls = noCalls(LIMITS, () => ({
		prepare: () => ({
			target: "",
			perform: async () => {
				await begun.promise;
				return { text: "", content: body() };
			},
		}),
	}));
	async function* body() {
		try {
			for (;;) yield new Uint8Array(SIZE);
		} finally {
			isClosed = true;
		}
	}
	calls.call(1, "1\nnone\n", undefined, replyOf({}));
	calls.close();
	begun.resolve();
	await until(() => isClosed);
	assert.equal(calls.account.held, 0);
});

/** What is lent of an answer, and how often its binding was asked whether it may be. */
function lending(content: Uint8Array | null, forMs = 1000) {
	let asked = 0;
	const lent: [call: string, answer: string, untilMs: number][] = [];
	const known = () => ({
		...{ text: "[told]", content },
		lend: () => {
			asked++;
			return forMs;
		},
	});
	const perform = () => new Promise<never>(() => undefined);
	const calls = noCalls({ ...LIMITS, subrequestBodyBytes: 1e6 }, () => ({
		prepare: () => ({ target: "", perform, known }),
	}));
	calls.call(1, "1\nnone\nasked", undefined, replyOf({ lend: (...given) => lent.push(given) }));
	return { lent, asked: () => asked };
}

test("an answer that is known is lent to its sandbox, with what it is the answer to, where it is text or nothing", () => {
	const before = machineMs();
	const { lent } = lending(Buffer.from("value"));
	const [[call, answer, untilMs]] = lent;
	assert.equal(call, "1\nnone\nasked");
	assert.deepEqual(decodeReusable(answer), { answer: "whole\n[told]", content: "value" });
	assert.ok(untilMs >= before + 1000 && untilMs <= machineMs() + 1000);
	assert.deepEqual(decodeReusable(lending(null).lent[0][1]), { answer: "none\n[told]", content: "" });
	for (const content of [Buffer.from("ä"), Buffer.alloc(16 * 1024 + 1, "x")]) {
		const { lent, asked } = lending(content);
		assert.deepEqual([lent.length, asked()], [0, 0]);
	}
	assert.equal(lending(Buffer.from("value"), 0).lent.length, 0);
});

test("a call that its sandbox has answered counts, and is one whose answer can have been lent", () => {
	const known = () => null;
	const perform = () => new Promise<never>(() => undefined);
	const calls = noCalls({ subrequests: 2 }, (number) =>
		number === 3
			? null
			: {
					prepare: (argument) =>
						argument === "wrong" ? null : number === 1 ? { target: "", perform, known } : { target: "", perform },
				},
	);
	for (const call of ["2\nnone\n", "3\nnone\n", "1\nwhole\n", "1\nnone\nwrong", `1\nnone\n${"x".repeat(200_000)}`])
		assert.equal(calls.reused(call), false, call.slice(0, 20));
	assert.equal(calls.count, 0);
	assert.equal(calls.reused("1\nnone\n"), true);
	assert.equal(calls.reused("1\nnone\n"), true);
	assert.equal(calls.count, 2);
	assert.equal(calls.reused("1\nnone\n"), false, "no request makes more calls than it may");
});
