import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as round } from "node:timers/promises";
import { Meter } from "../../src/edge/meter.ts";
import { Lines } from "../../src/feed/lines.ts";
import type { ToMeter, ToMetering } from "../../src/feed/usage.ts";
import { newRecord } from "../../src/observe/record.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** A meter, and what it tells: how many requests of its one function at each time. */
async function metered(inFlight: () => number) {
	const path = join(temporaryFolder(), "metering.sock");
	const told: number[] = [];
	const server = createServer((socket: Socket) => {
		new Lines<ToMetering, ToMeter>(socket, (said) => {
			if (said.kind === "used") told.push(said.values[0][1]);
		});
	}).listen(path);
	after(() => server.close());
	await once(server, "listening");
	const meter = new Meter({ path, held: () => [], onRefused: () => undefined, inFlight });
	await once(server, "connection");
	const known = { tenant: "acme", function: "shop", attempts: 1 };
	/** Counts so many, each in a round of its own. */
	const count = async (times: number) => {
		for (let i = 0; i < times; i++) {
			meter.count({ ...newRecord("id", "http", "http"), ...known, time: "2026-12-01T00:00:00.000Z" }, 0);
			await round();
		}
	};
	await count(1);
	await until(() => told.length > 0);
	return { meter, told, count };
}

test("each invocation is told at once where no other is under way", async () => {
	const { meter, told, count } = await metered(() => 1);
	await count(20);
	await until(() => told.at(-1) === 21);
	assert.equal(told.length, 21);
	await meter.close();
});

test("under load as many are told together as are under way, and the last of them soon after", async () => {
	const { meter, told, count } = await metered(() => 50);
	await count(199);
	await until(() => told.at(-1) === 200);
	assert.ok(told.length < 100, `${told.length} messages`);
	await count(3);
	await until(() => told.at(-1) === 203);
	await meter.close();
});
