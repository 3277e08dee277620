import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { LogIntake } from "../../src/control/observe/log-intake.ts";
import { LogStream } from "../../src/edge/log-stream.ts";
import { takeBatches } from "../../src/feed/batches.ts";
import { Observer } from "../../src/observe/observer.ts";
import { type InvocationRecord, newRecord } from "../../src/observe/record.ts";
import { type Told, toldIn } from "../support/log-batches.ts";
import { until } from "../support/until.ts";

const folder = await mkdtemp(join(tmpdir(), "atoll-stream-"));
after(() => rm(folder, { recursive: true }));
let sockets = 0;
/** Halves of surrogate pairs among them. */
const LETTER = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

/** Control's end: what it has kept. */
class Kept {
	readonly told: Told[] = [];
	readonly batches: number[] = [];
	/** Until then it keeps nothing. */
	hold: Promise<void> = Promise.resolve();
	#intake: LogIntake | null = null;

	async open(path: string): Promise<void> {
		this.#intake = new LogIntake(async (batch) => {
			this.batches.push(batch.length);
			await this.hold;
			this.take(batch);
		});
		await this.#intake.listen(path);
	}

	take(batch: Buffer): void {
		this.told.push(...toldIn(batch));
	}

	async close(): Promise<void> {
		await this.#intake?.close(0);
	}

	records(tenant: string): number {
		return this.told.filter(({ record }) => record?.tenant === tenant).length;
	}

	lines(tenant: string): number {
		return this.told.filter(({ line }) => line?.tenant === tenant).length;
	}

	lost(tenant: string): number {
		return this.told.reduce((sum, one) => (one.tenant === tenant ? sum + (one.lost ?? 0) : sum), 0);
	}
}

async function start({ open = true } = {}) {
	const path = join(folder, `${++sockets}.sock`);
	const control = new Kept();
	if (open) await control.open(path);
	const observer = new Observer(null);
	const stream = new LogStream(path, observer as never);
	const record = (tenant: string, fields: Partial<InvocationRecord> = {}) =>
		observer.record({ ...newRecord("id", "http", "http"), tenant, function: "f", ...fields }, null);
	const line = (tenant: string, message: string) =>
		observer.log({
			...{ time: new Date().toISOString(), level: "log", tenant, function: "f", version: "v", requestId: "id" },
			message,
		});
	return {
		path,
		control,
		stream,
		record,
		line,
		async [Symbol.asyncDispose]() {
			await stream.close();
			await control.close();
		},
	};
}

test("records and lines come whole, and together", async () => {
	await using edge = await start();
	const { control, record, line } = edge;
	for (let i = 0; i < 1000; i++) {
		line("a", `line ${i}`);
		record("a", { requestId: String(i), url: 'http://a.test/"?\u0000', exceeded: { cpuMs: 1 } });
	}
	await until(() => control.records("a") === 1000 && control.lines("a") === 1000);
	const [first] = control.told.flatMap(({ record: one }) => one ?? []);
	assert.deepEqual(
		{ ...first, time: "" },
		{
			...{ ...newRecord("0", "http", "http"), time: "", tenant: "a", function: "f" },
			...{ url: 'http://a.test/"?\u0000', exceeded: { cpuMs: 1 } },
		},
	);
	assert.ok(control.batches.length < 20, "a request costs no batch of its own");
	assert.deepEqual(
		control.told.flatMap(({ line: one }) => one?.message ?? []),
		Array.from({ length: 1000 }, (_, i) => `line ${i}`),
	);
});

test("whatever is logged comes as it was, cut where it is long", async () => {
	await using edge = await start();
	const { control, line } = edge;
	const messages = fc.sample(fc.string({ unit: LETTER, maxLength: 200 }), 300);
	messages.push("\u001b[31mred\u001b[0m", "\ud800", "\n".repeat(100), "x".repeat(2 ** 20), "\u0000".repeat(2 ** 20));
	for (const message of messages) line("a", message);
	await until(() => control.lines("a") === messages.length);
	const told = control.told.flatMap(({ line: one }) => (one === undefined ? [] : one.message));
	assert.deepEqual(told.slice(0, -2), messages.slice(0, -2));
	for (const one of told.slice(-2)) assert.match(one.slice(-40), /… and 1015808 letters more$/);
});

test("a flood of one tenant's lines is in the way of no other's, and of no record", async () => {
	await using edge = await start();
	const { control, record, line, stream } = edge;
	const { promise: held, resolve: release } = Promise.withResolvers<void>();
	control.hold = held;
	record("other");
	await until(() => control.batches.length === 1);
	for (let i = 0; i < 20_000; i++) {
		line("loud", "x".repeat(1000));
		if (i % 100 === 0) line("other", "said");
		if (i % 20 === 0) record(i % 40 === 0 ? "other" : "loud");
	}
	assert.ok(stream.waiting < 14 * 2 ** 20, String(stream.waiting));
	release();
	await until(() => control.records("other") === 501 && control.lines("other") === 200);
	await until(() => control.records("loud") === 500 && control.lines("loud") + control.lost("loud") === 20_000);
	assert.ok(control.lost("loud") > 10_000);
	assert.equal(control.lost("other"), 0);
});

test("what comes while control is gone waits, and beyond the bound it is counted", async () => {
	await using edge = await start({ open: false });
	const { path, control, record, stream } = edge;
	for (let i = 0; i < 30_000; i++) record("a", { url: `http://a.test/${"x".repeat(200)}` });
	assert.ok(stream.waiting < 7 * 2 ** 20);
	await control.open(path);
	await until(() => control.records("a") + control.lost("a") === 30_000);
	assert.ok(control.records("a") > 8000);
});

test("a batch at which control ends is sent once more, and then given up", async () => {
	await using edge = await start({ open: false });
	const { path, record } = edge;
	const kept = new Kept();
	let ended = 0;
	const control = createServer((socket) => {
		socket.on("error", () => undefined);
		takeBatches(socket, async (batch) => {
			if (batch.includes("/deadly")) {
				ended++;
				socket.destroy();
			} else kept.take(batch);
		});
	});
	await new Promise<void>((resolve) => control.listen(path, resolve));
	record("a", { url: "http://a.test/deadly" });
	await until(() => ended === 1);
	record("a", { url: "http://a.test/kept" });
	await until(() => kept.records("a") === 1 && kept.lost("a") === 1);
	assert.equal(ended, 2);
	await edge.stream.close();
	await new Promise((resolve) => control.close(resolve));
});
