import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Collector } from "../support/otlp/collector.ts";
import { startPlatform } from "../support/platform.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const collector = await Collector.start();
process.env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE = "delta";
const file = join(temporaryFolder(), "atoll.server.jsonc");
writeFileSync(file, JSON.stringify({ otlp: { endpoint: collector.url, traces: false, intervalMs: 1000 } }));
const platform = await startPlatform("--config", file);
after(() => collector.stop());
await platform.deploy("hello", 'export default { fetch: () => new Response("hello") };');

const pointsOf = (metric: string, attributes: Record<string, string> = {}) =>
	collector.allPoints.filter(
		(one) =>
			one.metric === metric && Object.entries(attributes).every(([name, value]) => one.attributes[name] === value),
	);
const took = () => pointsOf("faas.invoke_duration", { "faas.name": "hello", "faas.trigger": "http" });
const counted = () => took().reduce((all, { count }) => all + count, 0);

let asked = 0;

test("who wants it is told what was counted since the last export, and each of it once", async () => {
	for (const all of [10, 15]) {
		while (asked < all) {
			await platform.get("hello.localhost");
			asked++;
		}
		await until(() => counted() >= asked);
		assert.equal(counted(), asked);
	}
	const points = took();
	assert.ok(points.length >= 2);
	for (const { temporality, count, buckets } of points) {
		assert.equal(temporality, "DELTA");
		assert.equal(
			buckets.reduce((all, one) => all + one, 0),
			count,
		);
	}
	// Each begins where the one before has ended.
	const starts = points.map(({ start }) => start);
	assert.deepEqual([...starts].sort(), starts);
	assert.equal(new Set(starts).size, starts.length);
	const sum = (metric: string) => pointsOf(metric, { "faas.name": "hello" }).reduce((all, { value }) => all + value, 0);
	assert.equal(sum("faas.invocations"), asked);
	assert.ok(pointsOf("atoll.edges").every(({ kind, value }) => kind === "gauge" && value <= 1));
	assert.deepEqual(collector.problems, []);
});
