import assert from "node:assert/strict";
import { test } from "node:test";
import { receiverSchema } from "../../src/config/alert-receivers.ts";
import type { Alert } from "../../src/control/alerts/alert.ts";
import type { Write } from "../../src/control/alerts/alert-database.ts";
import { Groups } from "../../src/control/alerts/groups.ts";
import type { Receiver } from "../../src/control/alerts/receivers/receiver.ts";
import type { Silence } from "../../src/control/alerts/silence.ts";
import { MadeClock } from "./clock.ts";

const S = 1000;

function alertOf(name: string, state: Alert["state"], clock: MadeClock, labels: Record<string, string> = {}): Alert {
	return {
		...{ id: `error-rate/acme/${name}`, rule: "error-rate", origin: "default", tenant: "acme", function: name, state },
		...{ since: 0, boot: "", startsAt: 1, endsAt: state === "resolved" ? clock.wall() : null, value: 10 },
		...{ threshold: "> 5", severity: "critical", annotations: {} },
		labels: { alertname: "error-rate", tenant: "acme", function: name, severity: "critical", ...labels },
	};
}

/** A receiver, what it is told, and what is kept of that as a file has it. */
class Told {
	readonly clock = new MadeClock();
	readonly kept = new Map<string, never>();
	readonly receiver: Receiver;
	#groups = new Groups(this.clock, "http://here/", this.kept);

	constructor(given: object = {}) {
		const settings = receiverSchema.parse({ kind: "slack", groupWait: "30s", groupInterval: "5m", ...given });
		const address = () => ({ url: "http://there/", secret: null });
		this.receiver = { ...settings, key: "acme/hook", owner: "acme", name: "hook", isConfigured: false, address };
	}

	/** What it is told after so long: each notification's status, with whom it is about. */
	async after(ms: number, alerts: Alert[], silences: Silence[] = []): Promise<string[]> {
		this.clock.now += ms;
		const { notifications, writes } = await this.#groups.plan(this.receiver, alerts, silences);
		for (const { key, value } of writes as (Write & { value: never })[])
			if (value === null) this.kept.delete(key);
			else this.kept.set(key, JSON.parse(JSON.stringify(value)) as never);
		return notifications.map(
			({ status, alerts: told }) =>
				`${status} ${told.map(({ id, status: own }) => `${id.split("/")[2]}:${own}`).join(" ")}`,
		);
	}

	/** Another process takes what was kept. */
	restart(): void {
		this.#groups = new Groups(this.clock, "http://here/", this.kept);
	}
}

const silenceOf = (clock: MadeClock, ms: number, ...matchers: string[]): Silence => ({
	...{ id: "1", owner: "acme", matchers, from: clock.wall(), until: clock.wall() + ms },
});

test("a group waits for further alerts, is told once, and again when it changes or time has passed", async () => {
	const told = new Told();
	const [a, b] = [alertOf("a", "firing", told.clock), alertOf("b", "firing", told.clock)];
	assert.deepEqual(await told.after(0, [a]), []);
	assert.deepEqual(await told.after(29 * S, [a, b]), []);
	assert.deepEqual(await told.after(1 * S, [a, b]), ["firing a:firing b:firing"]);
	assert.deepEqual(await told.after(200 * S, [a, b]), []);
	const over = alertOf("b", "resolved", told.clock);
	assert.deepEqual(await told.after(10 * S, [a, over]), []);
	assert.deepEqual(await told.after(90 * S, [a, over]), ["firing a:firing b:resolved"]);
	assert.deepEqual(await told.after(301 * S, [a, over]), []);
	assert.deepEqual(await told.after(4 * 3600 * S, [a, over]), ["firing a:firing"]);
	const both = [alertOf("a", "resolved", told.clock), over];
	assert.deepEqual(await told.after(301 * S, both), ["resolved a:resolved"]);
	assert.deepEqual(await told.after(9 * 3600 * S, both), []);
	assert.equal(told.kept.size, 0);
});

test("alerts are told by groups, whose labels are the same", async () => {
	const told = new Told({ groupBy: ["team"], groupWait: "0s" });
	const alerts = ["x", "y", "x"].map((team, i) => alertOf(`f${i}`, "firing", told.clock, { team }));
	assert.deepEqual(await told.after(0, alerts), ["firing f0:firing f2:firing", "firing f1:firing"]);
});

test("what is over before anybody was told is told to nobody", async () => {
	const told = new Told();
	assert.deepEqual(await told.after(0, [alertOf("a", "firing", told.clock)]), []);
	assert.deepEqual(await told.after(60 * S, [alertOf("a", "resolved", told.clock)]), []);
	assert.deepEqual(await told.after(60 * S, [alertOf("a", "pending", told.clock)]), []);
	assert.equal(told.kept.size, 0);
});

test("a silence keeps alerts back, until it is over; and that a known one has ended is told", async () => {
	const told = new Told({ groupWait: "0s" });
	const [a, b] = [alertOf("a", "firing", told.clock), alertOf("b", "firing", told.clock)];
	assert.deepEqual(await told.after(0, [a]), ["firing a:firing"]);
	const silences = [silenceOf(told.clock, 3600 * S, "tenant=acme", "function!=c*")];
	assert.deepEqual(await told.after(301 * S, [a, b], silences), []);
	assert.deepEqual(await told.after(301 * S, [a, b, alertOf("c", "firing", told.clock)], silences), [
		"firing c:firing",
	]);
	// Silenced, and known: it is not told anew, but of its end.
	assert.deepEqual(await told.after(301 * S, [alertOf("a", "resolved", told.clock), b], silences), [
		"resolved a:resolved",
	]);
	assert.deepEqual(await told.after(3600 * S, [b], silences), ["firing b:firing"]);
});

test("another process tells nothing anew, and what was due is told then", async () => {
	const told = new Told();
	const [a, b] = [alertOf("a", "firing", told.clock), alertOf("b", "firing", told.clock)];
	await told.after(0, [a]);
	assert.deepEqual(await told.after(30 * S, [a]), ["firing a:firing"]);
	told.restart();
	assert.deepEqual(await told.after(10 * S, [a]), []);
	await told.after(0, [a, b]);
	told.restart();
	assert.deepEqual(await told.after(289 * S, [a, b]), []);
	assert.deepEqual(await told.after(1 * S, [a, b]), ["firing a:firing b:firing"]);
	// After another start of the machine its clock begins anew.
	told.clock.boot = "second";
	told.clock.now = 5 * S;
	told.restart();
	assert.deepEqual(await told.after(10 * S, [a, b]), []);
	assert.deepEqual(await told.after(4 * 3600 * S, [a, b]), ["firing a:firing b:firing"]);
});

test("an Alertmanager is told at once, of all together, again every minute, and of what is over", async () => {
	const told = new Told({ kind: "alertmanager", groupBy: ["function"] });
	const many = Array.from({ length: 120 }, (_, i) => alertOf(`f${i}`, "firing", told.clock));
	assert.equal((await told.after(0, many)).length, 3);
	assert.deepEqual(await told.after(59 * S, many), []);
	assert.equal((await told.after(1 * S, many)).length, 3);
	const over = many.map((one) => ({ ...one, state: "resolved" as const }));
	assert.match((await told.after(1 * S, over))[0], /^resolved f0:resolved/);
	assert.deepEqual(await told.after(60 * S, over), []);
});

test("who does not want to hear that something is over is not told, and hears of it when it fires anew", async () => {
	const told = new Told({ groupWait: "0s", sendResolved: false });
	const a = alertOf("a", "firing", told.clock);
	assert.deepEqual(await told.after(0, [a]), ["firing a:firing"]);
	assert.deepEqual(await told.after(400 * S, [alertOf("a", "resolved", told.clock)]), []);
	assert.deepEqual(await told.after(400 * S, [{ ...a, startsAt: 2 }]), ["firing a:firing"]);
});

test("only what a receiver's matchers say is told to it", async () => {
	const told = new Told({ groupWait: "0s", matchers: ["severity=critical", "function=shop-*", "function!=*-test"] });
	const names = ["shop-a", "shop-b-test", "blog"];
	const alerts = names.map((name) => alertOf(name, "firing", told.clock));
	assert.deepEqual(await told.after(0, alerts), ["firing shop-a:firing"]);
	assert.deepEqual(
		await told.after(
			400 * S,
			alerts.map((one) => ({ ...one, labels: { ...one.labels, severity: "info" } })),
		),
		[],
	);
});

test("a receiver has so many groups, and what would begin another is told together", async () => {
	const told = new Told({ groupWait: "0s", groupBy: ["function"] });
	const many = Array.from({ length: 130 }, (_, i) => alertOf(`f${i}`, "firing", told.clock));
	const notifications = await told.after(0, many);
	assert.equal(notifications.length, 101);
	assert.equal(notifications[100].split(" ").length, 31);
	assert.deepEqual(await told.after(301 * S, many), []);
});

test("what was told with all others is told to be over, also once there is room for a group of its own", async () => {
	const told = new Told({ groupWait: "0s", groupBy: ["function"] });
	const many = Array.from({ length: 101 }, (_, i) => alertOf(`f${i}`, "firing", told.clock));
	assert.equal((await told.after(0, many)).length, 101);
	const ended = (...ends: number[]) =>
		many.map((one, i) => (ends.includes(i) ? alertOf(`f${i}`, "resolved", told.clock) : one));
	assert.equal((await told.after(301 * S, ended(0, 1, 2))).length, 3);
	assert.deepEqual(await told.after(301 * S, ended(0, 1, 2)), []);
	assert.deepEqual(await told.after(301 * S, ended(0, 1, 2, 100)), ["resolved f100:resolved"]);
});
