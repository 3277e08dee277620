import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, Gate } from "../../src/limits/admission.ts";

/** Requests that ask to pass gates, and what has become of each. */
class Requests {
	readonly begun: string[] = [];
	readonly refused: string[] = [];

	ask(name: string, ...gates: Gate[]): Admission {
		const admission = new Admission(
			gates,
			() => this.begun.push(name),
			() => this.refused.push(name),
		);
		admission.ask();
		return admission;
	}
}

const gate = (concurrentRequests: number, queuedRequests: number) => new Gate({ concurrentRequests, queuedRequests });

test("so many are through, so many wait in the order in which they came, and the rest are refused", () => {
	const requests = new Requests();
	const one = gate(1, 2);
	const [first, second] = ["a", "b", "c", "d"].map((name) => requests.ask(name, one));
	assert.deepEqual([requests.begun, requests.refused], [["a"], ["d"]]);
	first.end();
	assert.deepEqual(requests.begun, ["a", "b"]);
	second.end();
	assert.deepEqual(requests.begun, ["a", "b", "c"]);
});

test("who no longer waits gets no place, and takes none", () => {
	const requests = new Requests();
	const one = gate(1, 1);
	const first = requests.ask("a", one);
	requests.ask("b", one).end();
	first.end();
	requests.ask("c", one);
	assert.deepEqual([requests.begun, requests.refused], [["a", "c"], []]);
});

test("the second gate is asked once the first has let one through, and both get their places back", () => {
	const requests = new Requests();
	const [own, shared] = [gate(1, 1), gate(1, 0)];
	const other = requests.ask("another function's", shared);
	requests.ask("a", own, shared).end();
	assert.deepEqual(requests.refused, ["a"]);
	other.end();
	const b = requests.ask("b", own, shared);
	b.end();
	requests.ask("c", own, shared);
	assert.deepEqual(requests.begun, ["another function's", "b", "c"]);
});

test("a wider gate lets in those who wait, and a narrower one nobody until there is room", () => {
	const requests = new Requests();
	const one = gate(1, 10);
	const admissions = ["a", "b", "c", "d", "e"].map((name) => requests.ask(name, one));
	one.resize({ concurrentRequests: 3, queuedRequests: 10 });
	assert.deepEqual(requests.begun, ["a", "b", "c"]);
	one.resize({ concurrentRequests: 1, queuedRequests: 0 });
	for (const admission of admissions.slice(0, 2)) admission.end();
	assert.deepEqual(requests.begun, ["a", "b", "c"]);
	requests.ask("f", one);
	admissions[2].end();
	admissions[3].end();
	assert.deepEqual([requests.begun, requests.refused], [["a", "b", "c", "d", "e"], ["f"]]);
});
