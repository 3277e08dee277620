import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, Gate } from "../../src/limits/admission.ts";

const gate = (concurrentRequests: number, queuedRequests: number) => new Gate({ concurrentRequests, queuedRequests });

/** Requests that write down what becomes of them. */
class Requests {
	readonly told: string[] = [];

	ask(name: string, ...gates: Gate[]): Admission {
		const admission = new Admission(
			gates,
			() => this.told.push(`${name} begins`),
			() => this.told.push(`${name} is refused`),
		);
		admission.ask();
		return admission;
	}

	/** What was written since it was last asked. */
	get news(): string[] {
		return this.told.splice(0);
	}
}

test("so many are let through, so many more wait, and the rest are refused", () => {
	const requests = new Requests();
	const one = gate(2, 1);
	for (const name of ["a", "b", "c", "d"]) requests.ask(name, one);
	assert.deepEqual(requests.news, ["a begins", "b begins", "d is refused"]);
	assert.equal(one.open, false);
});

test("where nobody may wait a full gate refuses at once", () => {
	const requests = new Requests();
	const one = gate(1, 0);
	const a = requests.ask("a", one);
	requests.ask("b", one).end();
	a.end();
	requests.ask("c", one);
	assert.deepEqual(requests.news, ["a begins", "b is refused", "c begins"]);
});

test("a place goes to whoever has waited longest, and not to one that has gone meanwhile", () => {
	const requests = new Requests();
	const one = gate(1, 3);
	const a = requests.ask("a", one);
	const b = requests.ask("b", one);
	const c = requests.ask("c", one);
	requests.ask("d", one);
	b.end();
	assert.deepEqual(requests.news, ["a begins"]);
	assert.equal(one.open, true, "the one that has gone has left its place in the queue");
	a.end();
	assert.deepEqual(requests.news, ["c begins"]);
	c.end();
	assert.deepEqual(requests.news, ["d begins"]);
});

test("who is refused at the second gate, or waits there, holds a place of the first until its end", () => {
	const requests = new Requests();
	const functions = gate(2, 2);
	const tenant = gate(1, 0);
	const a = requests.ask("a", functions, tenant);
	const b = requests.ask("b", functions, tenant);
	assert.deepEqual(requests.news, ["a begins", "b is refused"]);
	requests.ask("c", functions, tenant);
	assert.deepEqual(requests.news, [], "it waits at the first gate, behind the two");
	a.end();
	assert.deepEqual(requests.news, ["c begins"], "the tenant's place was given back before the function's");
	b.end();
	requests.ask("d", functions, tenant);
	assert.deepEqual(requests.news, ["d is refused"]);
});

test("whoever is let in at the first gate may find the second full", () => {
	const requests = new Requests();
	const functions = gate(1, 1);
	const tenant = gate(1, 0);
	const other = requests.ask("other", tenant);
	const a = requests.ask("a", functions, tenant);
	assert.deepEqual(requests.news, ["other begins", "a is refused"]);
	requests.ask("b", functions, tenant);
	a.end();
	assert.deepEqual(requests.news, ["b is refused"]);
	other.end();
	assert.deepEqual(requests.news, [], "who was refused is not asked again");
});

test("an end counts once, and leaves both gates as they were", () => {
	const requests = new Requests();
	const gates = [gate(1, 0), gate(1, 0)];
	for (const name of ["a", "b", "c"]) {
		const admission = requests.ask(name, ...gates);
		admission.end();
		admission.end();
	}
	assert.deepEqual(requests.news, ["a begins", "b begins", "c begins"]);
	requests.ask("d", ...gates);
	requests.ask("e", ...gates);
	assert.deepEqual(requests.news, ["d begins", "e is refused"]);
});

test("a wider gate lets in those who wait, and a narrower one nobody until there is room", () => {
	const requests = new Requests();
	const one = gate(1, 10);
	const admissions = ["a", "b", "c", "d", "e"].map((name) => requests.ask(name, one));
	assert.deepEqual(requests.news, ["a begins"]);
	one.resize({ concurrentRequests: 3, queuedRequests: 10 });
	assert.deepEqual(requests.news, ["b begins", "c begins"]);
	one.resize({ concurrentRequests: 1, queuedRequests: 0 });
	for (const admission of admissions.slice(0, 2)) admission.end();
	assert.deepEqual(requests.news, []);
	requests.ask("f", one);
	admissions[2].end();
	admissions[3].end();
	assert.deepEqual(requests.news, ["f is refused", "d begins", "e begins"]);
});

test("one that another inside waits for does not wait, takes what room there is for waiting, and keeps others out", () => {
	const requests = new Requests();
	const one = gate(1, 2);
	const inner = (name: string) => {
		const told = (what: string) => () => requests.told.push(`${name} ${what}`);
		const admission = new Admission([one], told("begins"), told("is refused"), true);
		admission.ask();
		return admission;
	};
	const a = requests.ask("a", one);
	requests.ask("b", one);
	requests.ask("c", one);
	const [d, e, f] = ["d", "e", "f"].map(inner);
	assert.deepEqual(requests.news, ["a begins", "d begins", "e begins", "f is refused"]);
	for (const admission of [d, e, f]) admission.end();
	assert.deepEqual(requests.news, []);
	a.end();
	assert.deepEqual(requests.news, ["b begins"]);
});
