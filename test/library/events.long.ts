import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type QueueEvent, type QueueMessage, type ScheduledEvent, UsageError } from "../../src/index.ts";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

const HOURLY: ScheduledEvent = { type: "scheduled", cron: "0 * * * *", scheduledTime: 1_700_000_000_000 };

function text(id: string, body = id): QueueMessage {
	return { id, timestamp: 1_700_000_000_000, attempts: 1, contentType: "text", body };
}

function batch(...messages: QueueMessage[]): QueueEvent {
	return { type: "queue", queue: "jobs", messages };
}

inBothIsolations("events", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const dispatch = (name: string, ...messages: QueueMessage[]) => atoll.runtime.dispatch({ name }, batch(...messages));

	before(async () => {
		await atoll.deploy(
			"consumer",
			`const acts = {
				nothing() {},
				ack: (message) => message.ack(),
				retry: (message) => message.retry(),
				later: (message) => message.retry({ delaySeconds: 30 }),
				ackAll: (_, batch) => batch.ackAll(),
				retryAll: (_, batch) => batch.retryAll({ delaySeconds: 60 }),
				both(message) { message.ack(); message.retry(); },
				throws() { throw new RangeError("failed"); },
				early: (message) => message.retry({ delaySeconds: -1 }),
				waits: (message, _, ctx) => ctx.waitUntil(new Promise((done) => setTimeout(() => { message.retry(); done(); }, 1))),
			};
			export default { async queue(batch, env, ctx) {
				for (const message of batch.messages) await acts[message.body](message, batch, ctx);
			} };`,
		);
	});

	test("a scheduled event reaches its handler with what it says, and leaves a record", async () => {
		const { handlers } = await atoll.deploy(
			"clock",
			`export default { async scheduled(controller, env, ctx) {
				const { type, cron, scheduledTime } = controller;
				ctx.waitUntil(Promise.resolve().then(() => console.log("due", type, cron, scheduledTime, env.MARK)));
			} }`,
			{ env: { MARK: "marked" } },
		);
		assert.deepEqual(handlers, ["scheduled"]);
		const { outcome, error, result, record } = await atoll.runtime.dispatch({ name: "clock" }, HOURLY);
		assert.deepEqual([outcome, error, result], ["ok", null, { retry: false }]);
		await atoll.log("due scheduled 0 * * * * 1700000000000 marked");
		const { event, trigger, status, method, attempts } = await atoll.record("clock");
		assert.deepEqual([event, trigger, status, method, attempts], ["scheduled", "dispatch", 0, "", 1]);
		assert.equal(
			record,
			atoll.records.find((one) => one.function === "clock"),
		);
	});

	test("one that fails may be dispatched again, unless its handler says otherwise", async () => {
		await atoll.deploy(
			"fails",
			`export default { scheduled(c) { if (c.cron === "never") c.noRetry(); throw new Error("x"); } }`,
		);
		const { outcome, error, result } = await atoll.runtime.dispatch({ name: "fails" }, HOURLY);
		assert.deepEqual([outcome, error, result], ["exception", "x", { retry: true }]);
		const never = await atoll.runtime.dispatch({ name: "fails" }, { ...HOURLY, cron: "never" });
		assert.deepEqual([never.outcome, never.result], ["exception", { retry: false }]);
	});

	test("messages come as they were sent: JSON, text and bytes", async () => {
		await atoll.deploy(
			"reader",
			`export default { queue({ queue, messages }) {
				for (const { id, timestamp, attempts, body } of messages) console.log(queue, id, timestamp.toISOString(), attempts,
					body instanceof ArrayBuffer ? "bytes " + [...new Uint8Array(body)] : JSON.stringify(body));
				console.log(Array.isArray(messages), messages.length);
			} }`,
		);
		const rest = { timestamp: 0, attempts: 3 };
		const sent: QueueMessage[] = [
			{ id: "a", ...rest, contentType: "json", body: { deep: [1, null, "\u2028"] } },
			{ id: "b", ...rest, contentType: "bytes", body: new Uint8Array([1, 2]) },
			{ id: "c", ...rest, contentType: "text", body: "\ud800 text" },
			{ id: "d", ...rest, contentType: "bytes", body: new Uint8Array([3, 4, 5]) },
		];
		assert.deepEqual((await dispatch("reader", ...sent)).result.acknowledged, ["a", "b", "c", "d"]);
		for (const line of [
			`a 1970-01-01T00:00:00.000Z 3 {"deep":[1,null,"\u2028"]}`,
			"b 1970-01-01T00:00:00.000Z 3 bytes 1,2",
		])
			await atoll.log(`jobs ${line}`);
		await atoll.log(`"\\ud800 text"`);
		await atoll.log("bytes 3,4,5");
		await atoll.log("true 4");
	});

	test("what was said of a message counts before what was said of all, and the first thing before the next", async () => {
		const { result } = await dispatch("consumer", text("1", "later"), text("2", "both"), text("3", "nothing"));
		const later = { id: "1", delaySeconds: 30 };
		assert.deepEqual(result, { acknowledged: ["2", "3"], retried: [later] });
		const all = await dispatch(
			"consumer",
			text("1", "ack"),
			text("2", "retry"),
			text("3", "retryAll"),
			text("4", "ackAll"),
		);
		assert.deepEqual(all.result.acknowledged, ["1"]);
		assert.deepEqual(all.result.retried, [
			{ id: "2", delaySeconds: null },
			{ id: "3", delaySeconds: 60 },
			{ id: "4", delaySeconds: 60 },
		]);
	});

	test("a handler that throws has delivered only what it acknowledged before", async () => {
		const { outcome, result } = await dispatch("consumer", text("1", "ack"), text("2", "throws"), text("3", "ack"));
		assert.equal(outcome, "exception");
		assert.deepEqual(result.acknowledged, ["1"]);
		assert.deepEqual(
			result.retried.map(({ id }) => id),
			["2", "3"],
		);
		const early = await dispatch("consumer", text("1", "early"));
		assert.match(early.error ?? "", /retry: delaySeconds must be a whole number from 0 to 43200/);
	});

	test("what is said after the handler has returned counts for nothing", async () => {
		const { outcome, result } = await dispatch("consumer", text("1", "waits"));
		assert.deepEqual([outcome, result.acknowledged], ["ok", ["1"]]);
	});

	test("limits hold as for requests, and all of a batch is to be retried then", async () => {
		await atoll.deploy("busy", "export default { queue() { for (;;); } }", { limits: { cpuMs: 50 } });
		const busy = await dispatch("busy", text("1"));
		assert.equal(busy.outcome, "cpu_limit_exceeded");
		assert.deepEqual(busy.result, { acknowledged: [], retried: [{ id: "1", delaySeconds: null }] });
		assert.deepEqual(busy.record.exceeded, { cpuMs: 1 });
		await atoll.deploy("hangs", `export default { queue: () => new Promise(() => setTimeout(() => {}, 1e6)) }`, {
			limits: { wallMs: 100 },
		});
		const hangs = await dispatch("hangs", text("1"));
		assert.equal(hangs.outcome, "wall_time_exceeded");
		assert.match(hangs.error ?? "", /did not finish its handler for 100 ms/);
	});

	test("a function answers only the events that it has a handler for", async () => {
		const { handlers } = await atoll.deploy("serves", `export default { fetch: () => new Response("served") }`);
		assert.deepEqual(handlers, ["fetch"]);
		const { outcome, error, result } = await dispatch("serves", text("1"));
		assert.deepEqual([outcome, error], ["no_handler", "the function has no queue handler"]);
		assert.deepEqual(result.retried, [{ id: "1", delaySeconds: null }]);
		const response = await atoll.fetch("consumer");
		assert.equal(response.status, 501);
		assert.equal(await errorCode(response), "no_handler");
		assert.equal(await atoll.text("serves"), "served");
	});

	test("to look for handlers is part of the start, and has its limit", async () => {
		const source = `export default { fetch: () => new Response("served"), get scheduled() { for (;;); } }`;
		const { handlers, startFailure } = await atoll.deploy("slow-to-tell", source, { limits: { startupCpuMs: 50 } });
		assert.deepEqual(handlers, []);
		assert.match(startFailure ?? "", /ran for more than 50 ms/);
		const { outcome } = await atoll.runtime.dispatch({ name: "slow-to-tell" }, HOURLY);
		assert.equal(outcome, "startup_cpu_limit_exceeded");
	});

	test("a class has handlers like any object", async () => {
		const { handlers } = await atoll.deploy(
			"entry",
			`export default class { constructor(ctx, env) { this.env = env; }
				fetch() { return new Response("from " + this.env.MARK); }
				async scheduled({ cron }) { console.log("class", cron, this.env.MARK); } }`,
			{ env: { MARK: "mark" } },
		);
		assert.deepEqual(handlers, ["fetch", "scheduled"]);
		assert.equal((await atoll.runtime.dispatch({ name: "entry" }, HOURLY)).outcome, "ok");
		await atoll.log("class 0 * * * * mark");
		assert.equal(await atoll.text("entry"), "from mark");
	});

	test("listeners take events as handlers do, in the syntax of service workers", async () => {
		const { handlers } = await atoll.deploy(
			"listens",
			`addEventListener("fetch", (event) => event.respondWith(new Response("trusted " + event.isTrusted)));
			addEventListener("scheduled", (event) => {
				const { type, cron, scheduledTime, isTrusted } = event;
				event.waitUntil((async () => {
					await scheduler.wait(1);
					console.log("heard", type, cron, scheduledTime, isTrusted, event instanceof Event);
				})());
			});
			addEventListener("queue", (event) => event.waitUntil((async () => {
				for (const message of event.messages) {
					await scheduler.wait(1);
					if (message.body === "retry") message.retry({ delaySeconds: 7 });
				}
			})()));`,
		);
		assert.deepEqual(handlers, ["fetch", "scheduled", "queue"]);
		assert.equal(await atoll.text("listens"), "trusted true");
		const { outcome, result } = await atoll.runtime.dispatch({ name: "listens" }, HOURLY);
		assert.deepEqual([outcome, result], ["ok", { retry: false }]);
		await atoll.log("heard scheduled 0 * * * * 1700000000000 true true");
		const queued = await dispatch("listens", text("1", "retry"), text("2"));
		assert.deepEqual(queued.result, { acknowledged: ["2"], retried: [{ id: "1", delaySeconds: 7 }] });
	});

	test("what a listener throws, or a promise of its waitUntil() is rejected with, is the event's failure", async () => {
		const { handlers } = await atoll.deploy(
			"listens-badly",
			`addEventListener("scheduled", (event) => {
				if (event.cron === "never") event.noRetry();
				event.waitUntil(scheduler.wait(20).then(() => console.log("the other listener has ended")));
				if (event.cron === "never") throw new RangeError("thrown");
			});
			addEventListener("scheduled", { handleEvent(event) {
				event.waitUntil(scheduler.wait(1).then(() => Promise.reject(new RangeError(event.cron === "never" ? "second" : "rejected"))));
				setTimeout(() => { try { event.waitUntil(null); } catch (error) { console.log(error.message); } }, 30);
				event.waitUntil(new Promise((done) => setTimeout(() => event.waitUntil(scheduler.wait(15).then(done)), 10)));
			} });`,
		);
		assert.deepEqual(handlers, ["scheduled"]);
		const rejected = await atoll.runtime.dispatch({ name: "listens-badly" }, HOURLY);
		assert.deepEqual([rejected.outcome, rejected.error, rejected.result], ["exception", "rejected", { retry: true }]);
		await atoll.log("the other listener has ended");
		const never = await atoll.runtime.dispatch({ name: "listens-badly" }, { ...HOURLY, cron: "never" });
		assert.deepEqual([never.outcome, never.error, never.result], ["exception", "thrown", { retry: false }]);
		await atoll.log("RangeError: second");
	});

	test("a handler of the default export counts before listeners, which are there for what it does not handle", async () => {
		const { handlers } = await atoll.deploy(
			"both",
			`addEventListener("scheduled", () => { throw new Error("listened"); });
			addEventListener("queue", (event) => console.log("listened for", event.queue));
			export default { scheduled() { console.log("handled"); } }`,
		);
		assert.deepEqual(handlers, ["scheduled", "queue"]);
		assert.equal((await atoll.runtime.dispatch({ name: "both" }, HOURLY)).outcome, "ok");
		await atoll.log("handled");
		assert.deepEqual((await dispatch("both", text("1"))).result.acknowledged, ["1"]);
		await atoll.log("listened for jobs");
	});

	test("a listener that never settles what it has begun ends with its limit, and reaches no other event", async () => {
		await atoll.deploy(
			"listens-on",
			`let kept;
			addEventListener("scheduled", (event) => {
				if (event.cron === "late") {
					try { kept.waitUntil(Promise.reject(new Error("not mine"))); } catch (error) { console.log("too late:", error.message); }
					return;
				}
				kept = event;
				if (event.cron === "hangs") event.waitUntil(new Promise(() => setTimeout(() => {}, 1e6)));
			});`,
			{ limits: { wallMs: 2_000 } },
		);
		const on = (cron: string) => atoll.runtime.dispatch({ name: "listens-on" }, { ...HOURLY, cron });
		assert.equal((await on("hangs")).outcome, "wall_time_exceeded");
		assert.equal((await on("ends")).outcome, "ok");
		assert.equal((await on("late")).outcome, "ok");
		await atoll.log("too late: waitUntil() is not available after the event has been handled");
	});

	test("an event that makes no sense, or is for no function, is refused", async () => {
		const refused = (event: unknown, message: RegExp, name = "consumer") =>
			assert.rejects(atoll.runtime.dispatch({ name }, event as ScheduledEvent), (error: Error) => {
				assert.ok(error instanceof UsageError);
				assert.match(error.message, message);
				return true;
			});
		await refused(HOURLY, /no function nobody/, "nobody");
		await refused({ ...HOURLY, type: "toString" }, /dispatch: type/);
		await refused({ ...HOURLY, scheduledTime: "now" }, /dispatch: scheduledTime/);
		await refused({ ...HOURLY, more: 1 }, /more/);
		await refused(batch(), /dispatch: messages/);
		await refused(batch(text("1"), text("1")), /two messages have the same id/);
		await refused(batch({ ...text("1"), contentType: "bytes" } as QueueMessage), /dispatch: messages.0.body/);
		await refused(batch(text("1", "x".repeat(2 ** 20))), /dispatch: the event has more than 1048576 bytes/);
	});

	test("what a handler makes of JavaScript itself changes nothing of what is told of the next event", async () => {
		await atoll.deploy(
			"patches",
			`export default { queue(batch) {
				for (const message of batch.messages) {
					const { body } = message;
					if (body === "prototypes") {
						for (const key of ["part", "method", "delaySeconds", "then", "toJSON", "0", "1"])
							Object.defineProperty(Object.prototype, key, { get: () => "1 ack -", set() {}, configurable: true });
						String.prototype.toString = Array.prototype.join = Number.prototype.toString = () => "1 ack -";
					}
					if (body === "list") { batch.messages.length = 0; batch.messages = "none"; message.ack = () => {}; }
					if (body === "retry") message.retry({ delaySeconds: { valueOf: () => 5 } });
				}
			} }`,
		);
		for (const first of ["prototypes", "list", "nothing"]) {
			const { outcome, result } = await dispatch("patches", text("1", "retry"), text("2", first));
			assert.equal(outcome, "ok");
			assert.deepEqual(result, { acknowledged: ["2"], retried: [{ id: "1", delaySeconds: 5 }] });
		}
	});
});
