import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Platform, startPlatform, TOKEN } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const config = join(temporaryFolder(), "atoll.server.jsonc");
writeFileSync(
	config,
	JSON.stringify({ pricing: { currency: "EUR", prices: { requests: { price: "0.10" }, gbOut: { price: "0.09" } } } }),
);
const platform = await startPlatform("--config", config);
const HOST = "shop.acme.localhost";

const metrics = async () => (await fetch(`http://127.0.0.1:${platform.adminPort}/metrics`)).text();
const status = async (host = HOST, path = "/") => (await platform.get(host, path)).status;
/** Resolves once requests are answered so. */
const answers = (wanted: number, host = HOST) => until(async () => (await status(host)) === wanted);
const put = (budget: object, token = TOKEN) => platform.api("PUT", "/v1/tenants/acme/budget", budget, token);
const used = async (): Promise<number> => {
	const { body } = await platform.api("GET", "/v1/tenants/acme/usage?by=tenant");
	return (body as { rows: { requests: number }[] }).rows[0]?.requests ?? 0;
};
const count = async () =>
	(await platform.api("GET", "/v1/tenants/acme/queues/jobs/messages")).body as { messages: number };

await platform.deploy(
	"shop",
	`export default {
		fetch: () => new Response("here"),
		scheduled() {},
	};`,
	...["--tenant", "acme"],
);

test("whoever comes to a part of a quota is warned of, and who has used all of it is refused with a code", async () => {
	assert.equal((await put({ requestsPerDay: 10 })).status, 200);
	for (let i = 0; i < 8; i++) assert.equal(await status(), 200);
	await platform.supervisor.until(/the tenant acme has used most of its budget: \d of 10 \(requestsPerDay\)/);
	assert.match(await metrics(), /atoll_budget_used_ratio\{atoll_tenant="acme",budget="requestsPerDay"\} 0\.[89]/);
	await answers(429);
	const refused = await platform.get(HOST, "/", { accept: "application/json" });
	assert.match(refused.text, /quota_exceeded/);
	// What is refused is recorded, and is on nobody's bill; a second's requests may get through.
	const before = await used();
	assert.ok(before >= 10, String(before));
	for (let i = 0; i < 5; i++) assert.equal(await status(), 429);
	assert.equal(await used(), before);
	assert.match(platform.log, /"outcome":"quota_exceeded"/);
	const told = (await platform.api("GET", "/v1/tenants/acme/budget")).body as {
		refused: { code: string; until: number };
	};
	assert.equal(told.refused.code, "quota_exceeded");
	assert.ok(told.refused.until > Date.now());
});

test("others are served meanwhile, and an edge that is started anew refuses as well", async () => {
	await platform.deploy("mine", "export default { fetch: () => new Response('mine') };");
	assert.equal(await status("mine.localhost"), 200);
	process.kill(pidBelow(platform.supervisor.child.pid as number, /src\/edge\/main/), "SIGKILL");
	await until(async () => (await status().catch(() => 0)) === 429);
});

test("with more of it its functions run again, and what has waited is called", async () => {
	const triggered = platform.atoll("trigger", "cron", "shop", "--tenant", "acme");
	await until(() => /"event":"scheduled".*"outcome":"quota_exceeded"/.test(platform.log));
	const { code, output } = await platform.atoll("budget", "--tenant", "acme", "--requests-per-day", "1000");
	assert.equal(code, 0, output);
	assert.match(output, /requestsPerDay .* ok/);
	await answers(200);
	assert.equal((await triggered).code, 0);
	assert.equal((await platform.atoll("budget", "--tenant", "acme", "--requests-per-day", "none")).code, 0);
});

test("messages of a queue wait while their tenant is refused, and none is lost", async () => {
	await platform.deploy(
		"worker",
		"export default { fetch: () => new Response('worker'), queue({ messages }) { for (const m of messages) console.log('took', m.body); } };",
		...["--tenant", "acme"],
	);
	const triggers = { queues: [{ queue: "jobs", maxBatchTimeout: 0 }] };
	const set = await platform.api("PATCH", "/v1/tenants/acme/functions/worker", { triggers });
	assert.equal(set.status, 200, JSON.stringify(set.body));
	await put({ requestsPerMonth: 0 });
	await answers(429);
	const messages = [1, 2, 3].map((n) => ({ contentType: "json", body: `job ${n}` }));
	const sent = await platform.api("POST", "/v1/tenants/acme/queues/jobs/messages", { messages });
	assert.equal(sent.status, 200, JSON.stringify(sent.body));
	await until(() => /"event":"queue".*"outcome":"quota_exceeded"/.test(platform.log));
	assert.doesNotMatch(platform.log, /took job/);
	await put({});
	for (const n of [1, 2, 3]) await platform.supervisor.until(new RegExp(`took job ${n}`));
	await until(async () => (await count()).messages === 0);
});

test("what a tenant has paid ahead burns down, and more of it lets its functions run", async () => {
	const added = await platform.atoll("balance", "add", "acme", "0.30", "--reference", "first");
	assert.equal(added.code, 0, added.output);
	assert.match(added.output, /0\.30 EUR are left of 0\.30/);
	for (let i = 0; i < 3; i++) await platform.get(HOST);
	await answers(402);
	assert.match((await platform.get(HOST, "/", { accept: "application/json" })).text, /budget_exhausted/);
	assert.equal((await platform.atoll("balance", "add", "acme", "100", "--reference", "second")).code, 0);
	await answers(200);
	// The same again is the same credit.
	const again = await platform.atoll("balance", "add", "acme", "100", "--reference", "second");
	assert.match(again.output, /of 100\.30/);
	const { body } = await platform.api("GET", "/v1/audit");
	assert.match(JSON.stringify(body), /"action":"balance.add 100","target":"acme"/);
});

test("an invoice's lines and functions add up to its total", async () => {
	const { body } = await platform.api("GET", "/v1/tenants/acme/invoice");
	const { lines, functions, total } = body as Record<"lines" | "functions", { amount: string }[]> & { total: string };
	const sum = (all: { amount: string }[]) =>
		all.reduce((whole, { amount }) => whole + Math.round(Number(amount) * 1e6), 0);
	assert.ok(sum(lines) > 0);
	assert.equal(sum(lines), Math.round(Number(total) * 1e6));
	assert.equal(sum(functions), sum(lines));
	const csv = await platform.atoll("invoice", "--tenant", "acme", "--csv");
	assert.match(csv.output, /^unit,from,upTo,quantity,price,per,amount\r\nrequests,0,,\d+,0\.10,1,\d+\.\d+\r\n/);
	const text = await platform.atoll("usage", "--tenant", "acme", "--by", "function");
	assert.match(text.output, /acme\/shop +\d+/);
});

test("a tenant sees its own use, and says nothing of what it may use", async () => {
	const tokenOf = async (grant: object) => {
		const { body } = await platform.api("POST", "/v1/tokens", { label: "t", ...grant });
		return (body as { token: string }).token;
	};
	const admin = await tokenOf({ scope: "admin", tenant: "acme" });
	const ask = async (method: string, path: string, token: string, body?: object) =>
		(await platform.api(method, `/v1${path}`, body, token)).status;
	assert.equal(await ask("GET", "/tenants/acme/usage", admin), 200);
	assert.equal(await ask("GET", "/tenants/acme/invoice", admin), 200);
	assert.equal(await ask("GET", "/tenants/default/usage", admin), 403);
	assert.equal(await ask("GET", "/usage", admin), 403);
	assert.equal(await ask("PUT", "/tenants/acme/budget", admin, {}), 403);
	assert.equal(await ask("POST", "/tenants/acme/balance", admin, { amount: "1.00" }), 403);
	const one = await tokenOf({ scope: "read", tenant: "acme", functions: ["shop"] });
	assert.equal(await ask("GET", "/tenants/acme/usage", one), 403);
	assert.equal(await ask("GET", "/tenants/acme/invoice", one), 403);
	const { body } = await platform.api("GET", "/v1/tenants/acme/usage?by=function", undefined, one);
	assert.deepEqual(
		(body as { rows: { key: string }[] }).rows.map(({ key }) => key),
		["acme/shop"],
	);
	assert.equal(await ask("POST", "/tenants/nobody/balance", TOKEN, { amount: "1.00" }), 404);
	assert.equal(await ask("POST", "/tenants/acme/balance", TOKEN, { amount: "1,00" }), 400);
	assert.equal(await ask("GET", "/usage?from=2026-02-30", TOKEN), 400);
	assert.equal(await ask("GET", "/usage?limit=10001", TOKEN), 400);
	const csv = await fetch(`http://127.0.0.1:${platform.adminPort}/v1/usage?by=function&limit=1`, {
		headers: { authorization: `Bearer ${TOKEN}`, accept: "text/csv" },
	});
	assert.match(await csv.text(), /^key,requests,.*\r\nacme\/shop,\d+,/);
	assert.equal(csv.headers.get("x-atoll-after"), "acme/shop");
});

test("a backup has what was used, and nothing is there twice where it is restored", async () => {
	const file = join(platform.line.folder, "backup.tar");
	const before = (await platform.api("GET", "/v1/usage?by=function")).body;
	assert.equal((await platform.atoll("backup", file)).code, 0);
	const other = new Platform();
	assert.equal((await other.atoll("restore", file, "--data", other.data)).code, 0);
	await other.up("--config", config);
	assert.deepEqual((await other.api("GET", "/v1/usage?by=function")).body, before);
	const budget = (await other.api("GET", "/v1/tenants/acme/budget")).body as { balance: { credited: string } };
	assert.equal(budget.balance.credited, "100.30");
	await other.stop();
});
