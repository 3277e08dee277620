import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { receiverSchema } from "../../src/config/alert-receivers.ts";
import type { Write } from "../../src/control/alerts/alert-database.ts";
import { machineClock } from "../../src/control/alerts/clock.ts";
import { Deliveries, type Delivery } from "../../src/control/alerts/deliveries.ts";
import type { Notification } from "../../src/control/alerts/notification.ts";
import { alertmanager } from "../../src/control/alerts/receivers/alertmanager.ts";
import { Outgoing } from "../../src/control/alerts/receivers/outgoing.ts";
import type { Receiver } from "../../src/control/alerts/receivers/receiver.ts";
import { slack } from "../../src/control/alerts/receivers/slack.ts";
import { freePort, startHook } from "../support/alert-receivers.ts";
import { until } from "../support/until.ts";

let ids = 0;
function notificationOf(more: Partial<Notification> = {}): Notification {
	return {
		...{
			id: `msg_${++ids}`,
			created: Date.now() + ids,
			status: "firing",
			receiver: "hook",
			groupLabels: { alertname: "x" },
		},
		alerts: [
			{
				...{ id: "x/acme/shop", rule: "x", labels: { alertname: "x", tenant: "acme", function: "shop" } },
				...{
					annotations: {},
					value: 7,
					threshold: "> 5",
					severity: "warning",
					startsAt: 1,
					endsAt: null,
					status: "firing",
				},
			},
		],
		...{ omitted: 0, url: "http://here/", isRepeat: false, isTest: false },
		...more,
	};
}

/** Deliveries to receivers of one tenant by name and URL, with what is kept of them. */
function deliveriesTo(urls: Record<string, string>, kept = new Map<string, Delivery>(), allow = ["127.0.0.1"]) {
	const outgoing = new Outgoing(allow);
	const receivers = new Map<string, Receiver>();
	for (const [key, url] of Object.entries(urls)) {
		const [owner, name] = key.split("/");
		const settings = receiverSchema.parse({ kind: "slack" });
		receivers.set(key, { ...settings, key, owner, name, isConfigured: false, address: () => ({ url, secret: null }) });
	}
	const outcomes: string[] = [];
	const write = (writes: readonly Write[]) => {
		for (const { key, value } of writes)
			if (value === null) kept.delete(key);
			else kept.set(key, structuredClone(value) as Delivery);
	};
	const deliveries = new Deliveries(
		{
			...{ clock: machineClock(), outgoing, receiver: (key) => receivers.get(key), write },
			onOutcome: (outcome, { receiver }) => outcomes.push(`${receiver} ${outcome}`),
		},
		kept,
	);
	const add = (key: string, one = notificationOf()) => {
		write(deliveries.add(key, one));
		deliveries.run();
	};
	const close = async () => {
		deliveries.close();
		await outgoing.close();
	};
	after(close);
	return { deliveries, outcomes, kept, add, receivers, close };
}

test("a receiver that never answers keeps no other waiting, of its own tenant or of another", async () => {
	const silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
	await once(silent, "listening");
	after(() => silent.close());
	const dead = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
	const hook = await startHook();
	const well = `http://127.0.0.1:${hook.port}/`;
	const { add } = deliveriesTo({ "acme/dead": dead, "acme/well": well, "other/dead": dead, "other/well": well });
	for (const key of ["acme/dead", "other/dead"]) for (let i = 0; i < 5; i++) add(key);
	for (const key of ["acme/well", "other/well"]) for (let i = 0; i < 5; i++) add(key);
	await until(() => hook.got.length === 10);
});

test("what failed is tried again in order, also by the next process, and is told once it can be", async () => {
	const port = await freePort();
	const url = { "acme/hook": `http://127.0.0.1:${port}/` };
	const first = deliveriesTo(url);
	const all = [1, 2, 3].map((n) => notificationOf({ groupLabels: { n: String(n) } }));
	for (const one of all) first.add("acme/hook", one);
	await until(() => first.outcomes.filter((one) => one.endsWith("retried")).length >= 2);
	const [waiting] = first.deliveries.of("acme").slice(-1);
	assert.equal(waiting.state, "waiting");
	assert.ok(waiting.attempts >= 2);
	assert.match(waiting.error ?? "", /ECONNREFUSED/);
	await first.close();
	const hook = await startHook(port);
	const second = deliveriesTo(url, first.kept);
	second.deliveries.run();
	await until(() => hook.got.length === 3);
	assert.deepEqual(
		hook.got.map(({ body }) => /n=(\d)/.exec(body)?.[1]),
		["1", "2", "3"],
	);
	await until(() => second.deliveries.of("acme").every(({ state }) => state === "delivered"));
	assert.equal(second.kept.size, 3);
});

test("what a receiver refuses is given up at once, and what it cannot take now is tried again", async () => {
	const hook = await startHook(0, 404);
	const { add, outcomes, deliveries } = deliveriesTo({ "acme/hook": `http://127.0.0.1:${hook.port}/` });
	add("acme/hook");
	await until(() => outcomes.length === 1);
	assert.deepEqual(outcomes, ["acme/hook failed"]);
	assert.equal(deliveries.of("acme")[0].status, 404);
	hook.status = 503;
	add("acme/hook");
	await until(() => outcomes.length === 2);
	hook.status = 200;
	await until(() => outcomes.length === 3);
	assert.deepEqual(outcomes.slice(1), ["acme/hook retried", "acme/hook delivered"]);
});

test("so many wait, the oldest make room, and a repetition that waits is none", async () => {
	const { add, deliveries, kept, outcomes } = deliveriesTo({ "acme/hook": `http://127.0.0.1:${await freePort()}/` });
	for (let i = 0; i < 130; i++) add("acme/hook");
	const states = deliveries.of("acme").map(({ state }) => state);
	assert.equal(states.filter((state) => state === "waiting").length, 100);
	assert.equal(outcomes.filter((one) => one.endsWith("dropped")).length, 30);
	assert.equal(kept.size, 130);
	add("acme/hook", notificationOf({ isRepeat: true }));
	assert.equal(kept.size, 130);
	await until(() => outcomes.some((one) => one.endsWith("retried")));
});

test("one that fails for a while is told of, until it takes something", async () => {
	const port = await freePort();
	const { add, deliveries } = deliveriesTo({ "acme/hook": `http://127.0.0.1:${port}/` });
	add("acme/hook");
	await until(() => deliveries.failing().get("acme") === 1);
	await startHook(port);
	await until(() => deliveries.failing().size === 0);
});

test("no receiver of a tenant's is on a private network, by whatever name", async () => {
	const hook = await startHook();
	const urls = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "localhost."];
	const named = Object.fromEntries(urls.map((host, i) => [`acme/r${i}`, `http://${host}:${hook.port}/`]));
	const { deliveries, receivers } = deliveriesTo(named, new Map(), []);
	for (const receiver of receivers.values()) {
		const { status, error } = await deliveries.send(receiver, notificationOf());
		assert.equal(status, null);
		assert.match(
			error ?? "",
			/private network|not a public address|does not resolve|EAI_AGAIN/,
			receiver.address().url,
		);
	}
	assert.equal(hook.got.length, 0);
	// One of the server's settings may be anywhere.
	const [own] = receivers.values();
	assert.equal((await deliveries.send({ ...own, isConfigured: true }, notificationOf())).status, 200);
});

test("in a message for Slack names are text, and there are only so many lines", () => {
	const [alert] = notificationOf().alerts;
	const alerts = Array.from({ length: 50 }, () => ({
		...alert,
		annotations: { summary: `<!channel> & <http://evil|here>\n${"x".repeat(1000)}` },
	}));
	const { body } = slack(notificationOf({ alerts, omitted: 7 }), { url: "http://x/", secret: null }, 0);
	const { text } = JSON.parse(body) as { text: string };
	assert.doesNotMatch(text, /<!|<http:\/\/evil/);
	assert.match(text, /&lt;!channel&gt; &amp; &lt;http/);
	assert.match(text, /^\*\[FIRING: 57\]\*/);
	assert.match(text, /… and 37 more\n<http:\/\/here\/>$/);
	assert.ok(text.length < 20_000);
});

test("an Alertmanager takes an alert for over only well after it would have been told again", () => {
	const one = notificationOf();
	const { body, url, headers } = alertmanager(one, { url: "http://am/x/", secret: "abc" }, 1_000_000);
	assert.equal(url, "http://am/x/api/v2/alerts");
	assert.equal(headers.authorization, "Bearer abc");
	const [posted] = JSON.parse(body) as { endsAt: string; startsAt: string; generatorURL: string }[];
	assert.equal(Date.parse(posted.endsAt), 1_300_000);
	assert.equal(posted.generatorURL, "http://here/");
});
