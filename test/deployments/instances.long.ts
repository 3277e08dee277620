import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DesiredFunction } from "../../src/feed/messages.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { roundsFor, WORK } from "../support/work.ts";

/** More than a light turn may take, and less than a brief request. */
const BUSY = `${WORK} export default { fetch() { work(${roundsFor(8)}); return new Response("busy"); } };`;

const atoll = new TestRuntime({ sandboxes: 3, limits: { cpuMs: 100 } });

/** Builds a function. Gives what has it served as an edge is told. */
async function built(name: string, source: string) {
	const runtime = await atoll.ready();
	const { version } = await runtime.build(runtime.upload({ name, source }));
	const [{ start }] = (await runtime.release({ shares: [{ version, percent: 100 }] })).shares;
	assert.ok("key" in version.source);
	const { id, limits, source: of } = version;
	return (instances: Pick<DesiredFunction, "provisioned" | "maxInstances">) =>
		runtime.desired.apply(
			[
				{
					...{
						tenant: "default",
						name,
						hostnames: [`${name}.test`],
						sticky: null,
						previews: {},
						triggers: { crons: [], queues: [], storage: [] },
						...instances,
					},
					shares: [{ version: id, percent: 100 }],
					versions: [{ id, artifact: of.key, limits, variables: {}, bindings: {}, site: null, flags: [], start }],
				},
			],
			[],
		);
}

/** So many requests at a time, until something has come about; fails where one is not answered as it should be. */
async function load(name: string, done: () => boolean): Promise<void> {
	const worker = async () => {
		while (!done()) assert.equal(await atoll.text(name), "busy");
	};
	await Promise.all(Array.from({ length: 32 }, worker));
}

const lent = () => atoll.runtime.stats().lent;

test("a function that is provisioned has its isolates before its first request, and none while it is paused", async () => {
	const serve = await built("ready", BUSY);
	await serve({ provisioned: 2, maxInstances: null });
	// The spare has one, too.
	await until(() => atoll.runtime.stats().isolates === 3);
	assert.equal(await atoll.text("ready"), "busy");
	assert.equal((await atoll.record("ready")).cold, false);
	await serve({ provisioned: 0, maxInstances: 0 });
	await until(() => atoll.runtime.stats().isolates === 0);
});

test("a function that may have one instance is lent no sandbox, and one that may have two is lent one", async () => {
	const serve = await built("busy", BUSY);
	await serve({ provisioned: 0, maxInstances: 1 });
	for (let i = 0; i < 40; i++) await atoll.text("busy");
	let answered = 0;
	await load("busy", () => lent() > 0 || answered++ > 300);
	assert.equal(lent(), 0);
	await serve({ provisioned: 0, maxInstances: 2 });
	await load("busy", () => lent() > 0);
	answered = 0;
	await load("busy", () => lent() > 1 || answered++ > 300);
	assert.ok(lent() <= 1);
	await serve({ provisioned: 0, maxInstances: 0 });
	assert.equal((await atoll.fetch("busy")).headers.get("x-atoll-error"), "paused");
});

test("of a release that splits over many versions the two with the most traffic are provisioned", async () => {
	const runtime = await atoll.ready();
	const percents = [10, 50, 10, 30];
	const shares = await Promise.all(
		percents.map(async (percent, i) => {
			const source = `export default { fetch: () => new Response("${i}") };`;
			const { version } = await runtime.build(runtime.upload({ name: "many", source }));
			return { version, percent };
		}),
	);
	const versions = (await runtime.release({ shares })).shares.map(({ version, start }) => {
		const { id, limits, source } = version;
		assert.ok("key" in source);
		return { id, artifact: source.key, limits, variables: {}, bindings: {}, site: null, flags: [], start };
	});
	const before = atoll.runtime.stats().isolates;
	await runtime.desired.apply(
		[
			{
				...{ tenant: "default", name: "many", hostnames: ["many.test"], sticky: null, previews: {} },
				triggers: { crons: [], queues: [], storage: [] },
				...{ provisioned: 1, maxInstances: null, versions },
				shares: versions.map(({ id }, i) => ({ version: id, percent: percents[i] })),
			},
		],
		[],
	);
	// The spare has them, too.
	await until(() => atoll.runtime.stats().isolates === before + 4);
	await sleep(1000);
	assert.equal(atoll.runtime.stats().isolates, before + 4);
});
