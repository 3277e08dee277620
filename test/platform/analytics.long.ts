import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const SQL = "/client/v4/accounts/default/analytics_engine/sql";

const COUNTS = `export default { fetch({ url }, { VISITS }) {
	VISITS.writeDataPoint({ indexes: ["shop"], blobs: [new URL(url).pathname, "a\\tb"], doubles: [2.5] });
	return new Response("counted");
} };`;
const CONFIG = JSON.stringify({
	name: "counts",
	main: "index.js",
	analytics_engine_datasets: [{ binding: "VISITS", dataset: "visits" }],
});

async function sql(query: string, token = TOKEN): Promise<{ status: number; type: string; text: string }> {
	const url = `http://127.0.0.1:${platform.adminPort}${SQL}`;
	const response = await fetch(url, { method: "POST", body: query, headers: { authorization: `Bearer ${token}` } });
	return { status: response.status, type: response.headers.get("content-type") ?? "", text: await response.text() };
}

test("what a function counts is asked for by SQL, in Cloudflare's API and in atoll's own", async () => {
	const folder = await platform.line.write("counts", { "index.js": COUNTS, "wrangler.json": CONFIG });
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 0, output);
	for (const path of ["/a", "/b", "/a"]) assert.equal((await platform.get("counts.localhost", path)).text, "counted");
	const datasets = async () =>
		(await platform.api("GET", "/v1/tenants/default/analytics")).body as { points: number }[];
	await until(async () => (await datasets())[0]?.points === 3);
	const by = "FROM visits WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY path ORDER BY path";
	const query = `SELECT blob1 AS path, SUM(_sample_interval) AS visits, avg(double1) AS mean ${by}`;
	const expected = {
		meta: [
			{ name: "path", type: "String" },
			{ name: "visits", type: "UInt64" },
			{ name: "mean", type: "Float64" },
		],
		data: [
			{ path: "/a", visits: "2", mean: 2.5 },
			{ path: "/b", visits: "1", mean: 2.5 },
		],
		rows: 2,
	};
	assert.deepEqual(JSON.parse((await sql(query)).text), expected);
	const own = await platform.api("POST", "/v1/tenants/default/analytics/query", { sql: query });
	assert.deepEqual(own, { status: 200, body: expected });
	assert.deepEqual(await sql("SELECT blob1, blob2, double1 FROM visits ORDER BY blob1 LIMIT 1 FORMAT TabSeparated"), {
		status: 200,
		type: "text/tab-separated-values",
		text: "/a\ta\\tb\t2.5\n",
	});
	assert.equal((await sql("SHOW TABLES FORMAT JSONEachRow")).text, '{"dataset":"visits"}\n');
	const byUrl = await platform.api("GET", `${SQL}?query=${encodeURIComponent("SELECT count() FROM visits")}`);
	assert.deepEqual((byUrl.body as { data: unknown }).data, [{ "count()": "3" }]);
});

test("a token that is held to functions asks for none of what is stored", async () => {
	const grant = { label: "one", scope: "deploy", tenant: "default", functions: ["counts"] };
	const { token } = (await platform.api("POST", "/v1/tokens", grant)).body as { token: string };
	assert.equal((await sql("SHOW TABLES", token)).status, 403);
	const query = { sql: "SHOW TABLES" };
	assert.equal((await platform.api("POST", "/v1/tenants/default/analytics/query", query, token)).status, 403);
	for (const path of ["analytics", "buckets", "buckets/any"])
		assert.equal((await platform.api("GET", `/v1/tenants/default/${path}`, undefined, token)).status, 403, path);
});

test("points outlive a restart, and who may not ask, or asks for nonsense, is refused", async () => {
	await platform.get("counts.localhost", "/c"); // It is written as the server ends.
	await platform.stop();
	await platform.up();
	assert.deepEqual(JSON.parse((await sql("SELECT count() AS n FROM visits")).text).data, [{ n: "4" }]);
	assert.equal((await sql("SELECT 1", "nobody")).status, 401);
	const refused = await sql("DROP TABLE visits");
	assert.equal(refused.status, 400);
	assert.match(refused.text, /SELECT was expected at \\"DROP\\"/);
	const { status } = await platform.api("POST", "/v1/tenants/default/analytics/query", { sql: "SELECT 1 +" });
	assert.equal(status, 400);
});
