import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Collector } from "../support/otlp/collector.ts";
import { startPlatform } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** A port that nobody listens at for now. */
const first = await Collector.start();
const { port, url } = first;
await first.stop();

process.env.OTEL_EXPORTER_OTLP_TIMEOUT = "1500";
const file = join(temporaryFolder(), "atoll.server.jsonc");
writeFileSync(file, JSON.stringify({ otlp: { endpoint: url, metrics: false }, traces: { sample: 1 } }));
const platform = await startPlatform("--config", file);

const CALLS = 100;
await platform.line.write("busy", {
	"index.js": `export default { async fetch(r, env) {
		const calls = Number(new URL(r.url).searchParams.get("calls") ?? 0);
		await Promise.all(Array.from({ length: calls }, () => env.STORE.get("k")));
		return new Response("done");
	} };`,
	"atoll.jsonc": JSON.stringify({
		bindings: { STORE: { type: "kv", id: "store" } },
		limits: { subrequests: 200 },
	}),
});
const { code, output } = await platform.atoll("deploy", join(platform.line.folder, "busy"), "--name", "busy");
assert.equal(code, 0, output);

/** What has become of spans so far, as Prometheus is told. */
async function counts(): Promise<Record<"exported" | "failed" | "dropped" | "all" | "control", number>> {
	const text = await (await fetch(`http://127.0.0.1:${platform.adminPort}/metrics`)).text();
	const of = (outcome: string) =>
		Number(
			new RegExp(`^atoll_export_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN,
		);
	const [exported, failed, dropped] = ["exported", "failed", "dropped"].map(of);
	const control = Number(/^atoll_control_process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
	return { exported, failed, dropped, all: exported + failed + dropped, control };
}

/** Has the function called so often, none of which fails. */
async function load(requests: number, calls = 0): Promise<void> {
	for (let sent = 0; sent < requests; ) {
		const some = Math.min(8, requests - sent);
		const answers = await Promise.all(
			Array.from({ length: some }, () => platform.get("busy.localhost", `/?calls=${calls}`)),
		);
		for (const { status, text } of answers) assert.deepEqual([status, text], [200, "done"]);
		sent += some;
	}
}

/** How many spans were made of requests and their calls; each start of an isolate is one more. */
let made = 0;
const linesWith = (text: string) => platform.log.match(new RegExp(`"function":"busy"[^\\n]*${text}`, "g"))?.length ?? 0;
const colds = () => linesWith('"cold":true');

/** Resolves once all of them are accounted for. A request that was tried again, which none is to be, made more of them. */
async function accountedFor(): Promise<void> {
	const most = () => made + colds() + linesWith('"attempts":[^1]') * 3 * (CALLS + 1);
	await until(async () => {
		const { all } = await counts();
		return all >= made + colds() && all <= most();
	}).catch(async () =>
		assert.fail(`${JSON.stringify(await counts())} of ${made} and ${colds()} cold, at most ${most()}`),
	);
}

test("where there is no collector, requests are answered, and spans count as failed", async () => {
	await load(10, 1);
	made += 20;
	await accountedFor();
	const { exported, failed } = await counts();
	assert.deepEqual([exported, failed], [0, made + colds()]);
	await platform.supervisor.until(/"msg":"export: .*ECONNREFUSED/);
});

let collector: Collector;
after(() => collector.stop());

test("once it is there, it gets what comes then", async () => {
	collector = await Collector.start(port);
	await load(1);
	made++;
	await until(() => collector.spans.length === 1);
	await accountedFor();
	assert.equal((await counts()).exported, 1);
});

test("one that asks to be asked again later is, and nothing is lost", async () => {
	const before = await counts();
	const { requests } = collector;
	collector.conduct = { status: 503, headers: { "retry-after": "1" } };
	await load(3);
	made += 3;
	await until(() => collector.requests > requests);
	collector.conduct = "takes";
	await accountedFor();
	const { exported, failed } = await counts();
	assert.deepEqual([exported - before.exported, failed - before.failed], [3, 0]);
	assert.equal(collector.spans.length, 4);
});

test("what it refuses counts as failed, and is not sent again", async () => {
	const before = await counts();
	const { requests } = collector;
	collector.conduct = { status: 400 };
	await load(3);
	made += 3;
	await accountedFor();
	collector.conduct = "takes";
	assert.equal((await counts()).failed - before.failed, 3);
	// Those that were told together came together, each once.
	assert.ok(collector.requests > requests && collector.requests - requests <= 3);
});

test("one that never answers has spans dropped, no request fails, and memory is bounded", async () => {
	const before = await counts();
	collector.conduct = "holds";
	await load(64, CALLS);
	made += 64 * (CALLS + 1);
	// More than are queued came within the time that one batch may take.
	await until(async () => (await counts()).dropped > before.dropped);
	const pid = pidBelow(platform.supervisor.child.pid as number, /export-main/);
	const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
	assert.ok(resident < 300e6, `${resident} bytes`);
	collector.conduct = "takes";
	collector.release();
	await accountedFor();
	const { control, exported } = await counts();
	await load(1);
	made++;
	await until(async () => (await counts()).exported > exported);
	assert.ok(control < before.control + 150e6, `${before.control} and ${control} bytes`);
});

test("the process that exports is started again where it is lost, and what it had counts as failed", async () => {
	const pid = pidBelow(platform.supervisor.child.pid as number, /export-main/);
	collector.conduct = "holds";
	const { requests } = collector;
	await load(2);
	made += 2;
	await until(() => collector.requests > requests);
	process.kill(pid, "SIGKILL");
	await platform.supervisor.until(/the process that exports has ended, and is started again/);
	collector.conduct = "takes";
	await accountedFor();
	const { exported } = await counts();
	await until(async () => {
		await load(1);
		made++;
		return (await counts()).exported > exported;
	});
	assert.deepEqual(collector.problems, []);
});

test("what was recorded last is exported when the server ends", async () => {
	const { length } = collector.spans;
	await load(5);
	assert.equal(await platform.stop(), 0);
	assert.ok(collector.spans.length > length);
});
