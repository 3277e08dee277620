import assert from "node:assert/strict";
import { test } from "node:test";
import { Kind } from "../../src/link/messages.ts";
import type { SandboxCommands, TenantNumber, VersionNumber } from "../../src/link/protocol.ts";
import type { Attempt, AttemptListener } from "../../src/pool/attempt.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { Sandbox } from "../../src/pool/sandbox.ts";
import { Scaling } from "../../src/pool/scaling.ts";
import { noCalls } from "../support/calls.ts";

const REPORT = { cpuUs: 10_000, memoryBytes: 0, light: false, cold: false, startUs: 0 };

/** A version whose requests take 10 ms, so that a third one that waits is a queue. */
class Version implements RunnableVersion {
	readonly limits = { cpuMs: 100, startupCpuMs: 100 };
	readonly withdrawn = false;
	readonly demand: { calm: number; breach(): void };
	mayBorrow = true;
	provisioned = 0;
	maxInstances = Number.POSITIVE_INFINITY;
	readonly number: VersionNumber;
	readonly tenantNumber: TenantNumber;
	constructor(number: VersionNumber, tenantNumber = -number, calm = 2) {
		this.number = number;
		this.tenantNumber = tenantNumber;
		this.demand = {
			calm,
			breach: () => {
				this.mayBorrow = false;
			},
		};
	}
	image(): Promise<never> {
		return new Promise(() => undefined);
	}
}

class Member {
	readonly sandbox = new Sandbox();
	started = true;
	ended = false;
	stuckBy: TenantNumber | null = null;
	readonly unloaded: VersionNumber[] = [];
	constructor(scaling: Scaling) {
		const ignored = () => undefined;
		const unload = (version: VersionNumber) => this.unloaded.push(version);
		const commands = { expect: ignored, keep: ignored, load: ignored, request: ignored, message: ignored, unload };
		this.sandbox.commands = commands as unknown as SandboxCommands;
		this.sandbox.onQueue = (version) => scaling.queued(version, this.sandbox);
	}
}

/** Sandboxes that are lent, and requests that stay where they are until they are `finished`. */
class Lent {
	readonly scaling: Scaling;
	readonly members: Member[];
	readonly running: { attempt: Attempt; member: Member }[] = [];

	constructor(size: number) {
		this.scaling = new Scaling(size, () => this.members);
		this.members = Array.from({ length: size }, () => new Member(this.scaling));
	}

	/** Has so many requests come to a version that is at home in a place, or in a sandbox which is none of these. */
	ask(version: Version, home: number | Sandbox, count: number): void {
		for (let i = 0; i < count; i++) {
			const at = typeof home === "number" ? this.members[home].sandbox : home;
			const sandbox = this.scaling.idle ? at : this.scaling.sandbox(version, at);
			const listener: Partial<AttemptListener> = {
				version,
				onDone: () => undefined,
				onLog: () => undefined,
				onLost: () => this.ask(version, home, 1),
				mayRunAgain: () => true,
				onMoved: () => this.ask(version, home, 1),
			};
			const attempt = sandbox.attempt(listener as AttemptListener, noCalls());
			const member = this.members.find((one) => one.sandbox === sandbox);
			if (member !== undefined) this.running.push({ attempt, member });
		}
	}

	waiting(version: Version): number[] {
		return this.members.map(({ sandbox }) => sandbox.waiting(version.number));
	}

	/** In how many places a version has requests. */
	places(version: Version): number {
		return this.waiting(version).filter((count) => count > 0).length;
	}

	finish(): void {
		for (const { attempt, member } of this.running.splice(0))
			member.sandbox.done(attempt.version.number, attempt.id, REPORT);
	}
}

test("what queues at its home goes to all sandboxes, each time to where the fewest wait", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	lent.ask(busy, 0, 2);
	assert.deepEqual(lent.waiting(busy), [2, 0, 0, 0]);
	lent.ask(busy, 0, 62);
	assert.deepEqual(lent.waiting(busy), [16, 16, 16, 16]);
});

test("its home is first where as many wait in all of them", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	lent.ask(busy, 2, 64);
	lent.finish();
	lent.ask(busy, 2, 1);
	assert.deepEqual(lent.waiting(busy), [0, 0, 1, 0]);
});

test("as many requests that take little stay in one home, and so do those of one that may not borrow", () => {
	const lent = new Lent(4);
	const light = new Version(1, -1, 400);
	const suspect = new Version(2);
	suspect.mayBorrow = false;
	lent.ask(light, 0, 64);
	lent.ask(suspect, 1, 64);
	assert.deepEqual(lent.waiting(light), [64, 0, 0, 0]);
	assert.deepEqual(lent.waiting(suspect), [0, 64, 0, 0]);
	assert.equal(lent.scaling.idle, true);
});

test("a request that was answered in part, or waits for the outside, does not queue", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	for (let i = 0; i < 64; i++) {
		lent.ask(busy, 0, 1);
		const { attempt, member } = lent.running[i];
		member.sandbox.message(1, attempt.id, { kind: Kind.log, op: 0, text: "", data: undefined });
	}
	assert.equal(lent.members[0].sandbox.load, 64);
	assert.deepEqual(lent.waiting(busy), [0, 0, 0, 0]);
	assert.equal(lent.scaling.idle, true);
});

test("one that loses its good name while it is spread goes home", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	lent.ask(busy, 0, 64);
	busy.mayBorrow = false;
	lent.ask(busy, 0, 10);
	assert.deepEqual(lent.waiting(busy), [26, 16, 16, 16]);
	assert.equal(lent.scaling.idle, true);
	lent.finish();
	assert.deepEqual(
		lent.members.map(({ unloaded }) => unloaded),
		[[], [1], [1], [1]],
	);
});

test("when it is calm it goes home, and what it had elsewhere is unloaded", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	lent.ask(busy, 0, 64);
	lent.finish();
	lent.scaling.tend();
	assert.equal(lent.scaling.idle, false, "it was busy a moment ago");
	lent.ask(busy, 0, 5);
	lent.finish();
	lent.scaling.tend();
	assert.deepEqual(lent.members.map(({ unloaded }) => unloaded.length).toSorted(), [0, 0, 0, 1]);
	lent.ask(busy, 0, 6);
	assert.equal(lent.places(busy), 3, "five or six that wait are work for three");
	lent.finish();
	lent.scaling.tend();
	lent.ask(busy, 0, 2);
	lent.finish();
	lent.scaling.tend();
	assert.equal(lent.scaling.idle, true);
	assert.deepEqual(
		lent.members.map(({ unloaded }) => unloaded),
		[[], [1], [1], [1]],
	);
});

test("tenants that want more share the places, and no place is lent to two", () => {
	const lent = new Lent(6);
	const [one, two, three] = [new Version(1), new Version(2), new Version(3)];
	const elsewhere = lent.members.map(() => new Member(lent.scaling).sandbox);
	lent.ask(one, elsewhere[1], 100);
	assert.equal(lent.places(one), 5, "with its home that is as many as there are");
	lent.finish();
	lent.ask(two, elsewhere[2], 100);
	lent.ask(one, elsewhere[1], 100);
	assert.equal(lent.places(one), 2);
	assert.equal(lent.places(two), 2);
	const both = lent.waiting(one).map((count, at) => count > 0 && lent.waiting(two)[at] > 0);
	assert.equal(both.includes(true), false);
	lent.finish();
	lent.ask(three, elsewhere[3], 100);
	for (const version of [one, two]) lent.ask(version, elsewhere[version.number], 100);
	for (const version of [one, two, three]) assert.equal(lent.places(version), 1, "a third of six, its home among them");
	lent.finish();
	lent.scaling.end(three.number);
	lent.scaling.end(two.number);
	lent.ask(one, elsewhere[1], 100);
	assert.equal(lent.places(one), 5, "and it may have them again");
});

test("where more tenants want more than there are sandboxes each stays in its home", () => {
	const lent = new Lent(2);
	const all = [new Version(1), new Version(2), new Version(3)];
	for (const version of all) lent.ask(version, 0, 20);
	lent.finish();
	for (const version of all) lent.ask(version, 0, 20);
	for (const version of all) assert.deepEqual(lent.waiting(version), [20, 0]);
});

test("the functions of one tenant have the same places in common", () => {
	const lent = new Lent(4);
	const elsewhere = new Member(lent.scaling).sandbox;
	const other = new Version(9);
	lent.ask(other, elsewhere, 20);
	const functions = Array.from({ length: 10 }, (_, i) => new Version(i + 10, 7));
	for (const version of functions) lent.ask(version, elsewhere, 50);
	const places = new Set(functions.map((version) => lent.waiting(version).findIndex((count) => count > 0)));
	assert.equal(places.size, 1);
	for (const version of functions) assert.equal(lent.places(version), 1);
});

test("what keeps others waiting where it was lent to loses all that it was lent, and is recalled from there", () => {
	const lent = new Lent(4);
	const elsewhere = new Member(lent.scaling).sandbox;
	const [bad, good] = [new Version(1), new Version(2)];
	lent.ask(bad, elsewhere, 64);
	assert.equal(lent.places(bad), 3);
	const stuck = lent.members[lent.waiting(bad).findIndex((count) => count > 0)];
	assert.equal(lent.scaling.breach(stuck.sandbox, good.tenantNumber), false, "it is not lent to that one");
	assert.equal(lent.scaling.breach(elsewhere, bad.tenantNumber), false, "nor is its home");
	assert.equal(lent.scaling.breach(stuck.sandbox, bad.tenantNumber), true);
	assert.equal(lent.scaling.idle, true);
	assert.deepEqual(
		lent.members.filter((member) => lent.waiting(bad)[lent.members.indexOf(member)] > 0),
		[stuck],
		"whose turn it is will be ended",
	);
	assert.equal(elsewhere.waiting(1), 48);
	lent.ask(bad, elsewhere, 20);
	assert.equal(elsewhere.waiting(1), 68);
});

test("a sandbox that is stuck, or not there, is passed by, and a successor is lent as what it succeeds was", () => {
	const lent = new Lent(4);
	const busy = new Version(1);
	lent.ask(busy, 0, 64);
	const [, lost, stuck] = lent.members;
	stuck.stuckBy = -9;
	const successor = new Member(lent.scaling);
	successor.started = false;
	lost.ended = true;
	lent.members[1] = successor;
	lost.sandbox.lost(0);
	assert.deepEqual(lent.waiting(busy), [24, 0, 16, 24]);
	successor.started = true;
	lent.ask(busy, 0, 24);
	assert.deepEqual(lent.waiting(busy), [24, 24, 16, 24]);
	stuck.stuckBy = null;
	lent.ask(busy, 0, 8);
	assert.deepEqual(lent.waiting(busy), [24, 24, 24, 24]);
});

test("one that is no longer served gives back what it is lent", () => {
	const lent = new Lent(4);
	const [old, other] = [new Version(1), new Version(2)];
	lent.ask(old, 0, 64);
	lent.scaling.end(1);
	assert.equal(lent.scaling.idle, true);
	lent.ask(other, 1, 64);
	assert.equal(lent.places(other), 4);
});

test("one sandbox is lent to nobody", () => {
	const lent = new Lent(1);
	lent.ask(new Version(1), 0, 100);
	assert.equal(lent.scaling.idle, true);
});

test("a version that is provisioned elsewhere uses that first, however many others want more, and keeps it when it is calm", () => {
	const lent = new Lent(2);
	const elsewhere = lent.members.map(() => new Member(lent.scaling).sandbox);
	// There are as many tenants that want more as there are sandboxes: none is lent any.
	const others = [new Version(2), new Version(3)];
	for (const other of others) lent.ask(other, elsewhere[0], 20);
	lent.finish();
	for (const other of others) lent.ask(other, elsewhere[0], 20);
	const one = new Version(1);
	one.provisioned = 2;
	lent.ask(one, 0, 20);
	assert.deepEqual(lent.waiting(one), [10, 10]);
	for (const other of others) assert.equal(lent.places(other), 0);
	lent.finish();
	lent.scaling.tend();
	lent.scaling.tend();
	assert.equal(lent.scaling.idle, true);
	for (const { unloaded } of lent.members) assert.equal(unloaded.includes(1), false);
});

test("what it is provisioned with elsewhere it loses with its good name", () => {
	const lent = new Lent(2);
	const bad = new Version(1);
	bad.provisioned = 2;
	lent.ask(bad, 0, 20);
	assert.equal(lent.scaling.breach(lent.members[1].sandbox, bad.tenantNumber), true);
	lent.finish();
	lent.ask(bad, 0, 20);
	assert.deepEqual(lent.waiting(bad), [20, 0]);
});

test("a version has no more instances than it may have, and gives back what it may no longer have", () => {
	const lent = new Lent(6);
	const one = new Version(1);
	one.maxInstances = 3;
	one.provisioned = 2;
	lent.ask(one, 0, 100);
	assert.equal(lent.places(one), 3);
	one.maxInstances = 2;
	lent.finish();
	lent.scaling.tend();
	lent.ask(one, 0, 100);
	assert.equal(lent.places(one), 2);
});
