import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const url = () => `http://127.0.0.1:${platform.adminPort}/metrics`;

async function scrape(): Promise<string> {
	const response = await fetch(url());
	assert.equal(response.status, 200);
	assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
	return response.text();
}

/** The value of a series, by the beginning of its line; 0 where there is none. */
function read(text: string, name: string, ...labels: string[]): number {
	const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
	const line = lines.find((one) => labels.every((label) => one.includes(label)));
	return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
}

test("what functions do is counted, by how it ended", async () => {
	await platform.deploy(
		"counted",
		`export default { fetch(r) {
			if (r.url.endsWith("/throws")) throw new Error("no");
			return new Response("x".repeat(100));
		} };`,
	);
	for (let i = 0; i < 20; i++) await platform.get("counted.localhost", i < 5 ? "/throws" : "/");
	const own = 'faas_name="counted"';
	let text = "";
	await until(async () => {
		text = await scrape();
		return read(text, "faas_invoke_duration_seconds_count", own) === 20;
	});
	assert.equal(read(text, "faas_invocations_total", own, 'outcome="ok"'), 15);
	assert.equal(read(text, "faas_invocations_total", own, 'outcome="exception"'), 5);
	assert.equal(read(text, "faas_errors_total", own, 'atoll_tenant="default"', 'faas_trigger="http"'), 5);
	assert.equal(read(text, "faas_timeouts_total", own), 0);
	assert.equal(read(text, "faas_invoke_duration_seconds_bucket", own, 'le="+Inf"'), 20);
	assert.ok(read(text, "faas_invoke_duration_seconds_sum", own) > 0);
	assert.ok(read(text, "faas_net_io_bytes_total", own, 'direction="transmit"') >= 1500);
	assert.ok(read(text, "faas_mem_usage_bytes", own) > 0);
	assert.equal(read(text, "atoll_edges"), 1);
	assert.ok(read(text, "atoll_sandboxes", "edge=") >= 1);
	assert.ok(read(text, "atoll_edge_loop_delay_seconds", 'quantile="0.99"') >= 0);
	assert.ok(read(text, "atoll_control_process_resident_memory_bytes") > 0);
});

test("after an upgrade one edge is told of, and counting goes on", async () => {
	const before = read(await scrape(), "faas_invocations_total", 'faas_name="counted"', 'outcome="ok"');
	let sent = 0;
	let over = false;
	const load = (async () => {
		for (; !over; sent++) assert.equal((await platform.get("counted.localhost")).status, 200);
	})();
	await until(() => sent > 20);
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	await platform.supervisor.until(/"msg":"restarted"/);
	over = true;
	await load;
	// Control has been replaced, too, which counts from what edges have told it since.
	await until(async () => {
		const text = await scrape();
		return read(text, "atoll_edges") === 1 && read(text, "faas_invocations_total", 'faas_name="counted"') > 0;
	});
	assert.ok(before > 0);
});

test("what a tenant puts into names stays one label", async () => {
	await platform.get('no"such\\host.localhost');
	await until(async () => /faas_invocations_total\{faas_name="",/.test(await scrape()));
	const text = await scrape();
	for (const line of text.split("\n")) assert.match(line, /^$|^#|^[a-z_\d]+(\{.*\})? [-+\dA-Za-z.]+$/, line);
});

test("who asks for somebody else needs a token that reads all tenants", async () => {
	const ask = async (headers: Record<string, string>) => (await fetch(url(), { headers })).status;
	assert.equal(await ask({ "x-forwarded-for": "10.0.0.1" }), 401);
	assert.equal(await ask({ forwarded: "for=10.0.0.1", authorization: `Bearer ${TOKEN}` }), 200);
	const { body } = await platform.api("POST", "/v1/tokens", { label: "one", scope: "read", tenant: "default" });
	const { token } = body as { token: string };
	assert.equal(await ask({ "x-forwarded-for": "10.0.0.1", authorization: `Bearer ${token}` }), 403);
});

const promtool = spawnSync("promtool", ["--version"]).status === 0;
test("Prometheus reads it", { skip: promtool ? false : "there is no promtool" }, async () => {
	const text = await scrape();
	// Throws where it cannot be parsed; what it advises of names is advice.
	const told = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
	assert.doesNotMatch(told.stderr, /error while linting|parsing/);
});

const prometheus = spawnSync("prometheus", ["--version"]).status === 0;
test("a Prometheus of its own scrapes it, and answers by it", {
	skip: prometheus ? false : "there is no prometheus",
}, async () => {
	const folder = await platform.line.write("prometheus", {
		"prometheus.yml": `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: atoll
    static_configs: [{ targets: ["127.0.0.1:${platform.adminPort}"] }]
`,
	});
	const port = await freePort();
	const child = spawn(
		"prometheus",
		[
			`--config.file=${join(folder, "prometheus.yml")}`,
			`--storage.tsdb.path=${join(folder, "data")}`,
			`--web.listen-address=127.0.0.1:${port}`,
		],
		{ stdio: "ignore" },
	);
	const ended = new Promise((resolve) => child.once("exit", resolve));
	try {
		await platform.get("counted.localhost");
		const ask = async (query: string): Promise<number> => {
			const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
			const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
			return Number(data.result[0]?.value[1] ?? 0);
		};
		await until(() => ask('sum(faas_invocations_total{faas_name="counted"})').then(Boolean, () => false));
		const quantile = "histogram_quantile(0.99, sum by (le) (faas_invoke_duration_seconds_bucket))";
		assert.ok((await ask(quantile)) > 0);
		assert.equal(await ask('up{job="atoll"}'), 1);
	} finally {
		child.kill();
		await ended;
	}
});

/** A port that nobody listens on: Prometheus tells of none that it has chosen. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
