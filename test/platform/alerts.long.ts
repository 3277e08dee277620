import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { standardWebhooks } from "../../src/sources/schemes/standard-webhooks.ts";
import { freePort, type Hooked, startAlertmanager, startHook } from "../support/alert-receivers.ts";
import { Platform } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const FAILS = `export default { fetch(r) {
	if (r.url.endsWith("/fail")) throw new Error("no");
	return new Response("ok");
} };`;
const QUICK = { groupWait: "0s", groupInterval: "1s" };

const hook = await startHook();
const configured = await startHook();
const alertmanager = await startAlertmanager();
const platform = new Platform();
const settings = join(platform.line.folder, "server.json");
await writeFile(
	settings,
	JSON.stringify({
		alerts: {
			intervalMs: 200,
			receivers: {
				ops: { kind: "slack", url: `http://127.0.0.1:${configured.port}/slack`, ...QUICK, matchers: ["tenant=acme"] },
			},
		},
		allowEgress: ["127.0.0.1"],
	}),
);
await platform.up("--config", settings);
test.after(() => platform.stop());
await platform.deploy("shop", FAILS, "--tenant", "acme");

const acme = "/v1/tenants/acme";
const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
	const response = await platform.api(method, path, body);
	assert.equal(response.status, 200, JSON.stringify(response.body));
	return response.body as T;
};
interface Told {
	type: string;
	data: { alerts: { status: string; labels: Record<string, string>; value: number }[] };
}
const told = ({ body }: Hooked) => JSON.parse(body) as Told;
const send = async (count: number, path: string) => {
	for (let i = 0; i < count; i++) await platform.get("shop.acme.localhost", path);
};
interface AlertInfo {
	rule: string;
	state: string;
	since: string;
	function: string;
}
const alerts = () => api<AlertInfo[]>("GET", `${acme}/alerts?state=firing&state=resolved`);
const errorRate = async () => (await alerts()).find(({ rule }) => rule === "error-rate");
interface DeliveryInfo {
	receiver: string;
	state: string;
	attempts: number;
	notification: string;
	next: string | null;
	error: string | null;
}
const deliveries = (receiver: string) =>
	api<DeliveryInfo[]>("GET", `${acme}/alert-deliveries`).then((all) => all.filter((one) => one.receiver === receiver));

let since = "";
const downPort = await freePort();

test("a failing function is told of by a signed webhook that verifies, and to an Alertmanager", async (t) => {
	const url = `http://127.0.0.1:${hook.port}/hook`;
	await api("PUT", `${acme}/receivers/hook`, { kind: "webhook", url, secret: SECRET, ...QUICK });
	await api("PUT", `${acme}/receivers/down`, {
		...{ kind: "webhook", url: `http://127.0.0.1:${downPort}/`, secret: SECRET, ...QUICK },
	});
	if (alertmanager !== null) await api("PUT", `${acme}/receivers/am`, { kind: "alertmanager", url: alertmanager });
	else t.diagnostic("there is no prometheus-alertmanager on this machine: without it");
	await send(30, "/fail");
	await until(() => hook.got.length > 0);
	const [first] = hook.got;
	assert.equal(told(first).type, "alerts.firing");
	const [alert] = told(first).data.alerts;
	assert.deepEqual(alert.labels, { alertname: "error-rate", severity: "critical", tenant: "acme", function: "shop" });
	assert.ok(alert.value > 90);
	const verify = standardWebhooks({ headers: first.headers, secrets: [SECRET], source: "/x", now: Date.now() });
	assert.equal(verify?.(Buffer.from(first.body))?.[0].attributes.type, "alerts.firing");
	assert.equal(verify?.(Buffer.from(`${first.body} `)), null);
	since = (await errorRate())?.since ?? "";
	assert.match(since, /^2/);
	if (alertmanager !== null) await until(async () => (await inAlertmanager()).length === 1);
	await until(() => configured.got.length > 0);
	assert.match(configured.got[0].body, /FIRING: 1.*error-rate acme\/shop: 100 % of the requests/s);
	assert.match(
		(await platform.atoll("alerts", "--tenant", "acme")).output,
		/firing +critical +error-rate +acme\/shop +100 +> 5/,
	);
});

const inAlertmanager = async () =>
	(await (await fetch(`${alertmanager}/api/v2/alerts?active=true`)).json()) as {
		labels: Record<string, string>;
	}[];

test("one that fires goes on where control is killed: it is not told anew, and not lost", async () => {
	const pid = pidBelow(platform.supervisor.child.pid as number, /src\/control\/main/);
	const before = hook.got.length;
	process.kill(pid, "SIGKILL");
	await until(() =>
		platform.api("GET", "/readyz").then(
			({ status }) => status === 200,
			() => false,
		),
	);
	await send(30, "/fail");
	// It was evaluated since: something else has come to fire.
	await api("PUT", `${acme}/alert-rules/busy`, {
		metric: "requests",
		above: 5,
		window: "1m",
		labels: { marker: "yes" },
	});
	// What edges had told before there was the rule is not in its window.
	await until(async () => {
		await send(10, "/fail");
		return hook.got.slice(before).some((one) => one.body.includes('"marker":"yes"'));
	});
	assert.equal((await errorRate())?.since, since);
	assert.equal((await errorRate())?.state, "firing");
	assert.ok(hook.got.slice(before).every((one) => !one.body.includes('"error-rate"')));
});

test("a receiver that is down gets it later, and the API shows that it waits", async () => {
	await until(async () => (await deliveries("down")).some(({ attempts }) => attempts > 1));
	const waiting = (await deliveries("down")).at(-1);
	assert.equal(waiting?.state, "waiting");
	assert.match(waiting?.error ?? "", /ECONNREFUSED/);
	assert.ok(waiting?.next);
	assert.match(
		(await platform.atoll("alerts", "deliveries", "--tenant", "acme")).output,
		/down +firing \(1\) +waiting/,
	);
	const late = await startHook(downPort);
	await until(() => late.got.some((one) => one.body.includes('"error-rate"')));
	await until(async () => (await deliveries("down")).some(({ state }) => state === "delivered"));
});

test("it is over once the function is well, and everybody is told", async () => {
	const text = () => hook.got.map((one) => told(one)).filter(({ type }) => type === "alerts.resolved");
	await until(async () => {
		await send(50, "/");
		return text().some(({ data }) => data.alerts.some(({ labels }) => labels.alertname === "error-rate"));
	});
	assert.equal((await errorRate())?.state, "resolved");
	if (alertmanager !== null)
		await until(async () => (await inAlertmanager()).every(({ labels }) => labels.alertname !== "error-rate"));
});

test("what is counted, refused and told elsewhere", async () => {
	const metrics = await (await fetch(`http://127.0.0.1:${platform.adminPort}/metrics`)).text();
	assert.match(metrics, /^atoll_alerts\{state="firing"\} [1-9]/m);
	assert.match(metrics, /^atoll_alert_deliveries_total\{outcome="delivered"\} [1-9]/m);
	// A tenant's receivers are not on private networks, and redirects are not followed.
	const inside = await platform.api("PUT", `${acme}/receivers/inside`, { kind: "slack", url: "http://10.0.0.1/x" });
	assert.equal(inside.status, 400);
	assert.match((inside.body as { detail: string }).detail, /10\.0\.0\.1 is on a private network/);
	const target = await startHook();
	const redirect = await startHook(0, 302, { location: `http://127.0.0.1:${target.port}/` });
	await api("PUT", `${acme}/receivers/inside`, { kind: "slack", url: `http://127.0.0.1:${redirect.port}/x` });
	assert.deepEqual(await api("POST", `${acme}/receivers/inside/test`, {}), { status: 302, error: "it answered 302" });
	assert.equal(target.got.length, 0);
	// No secret is told.
	for (const path of [`${acme}/receivers`, "/v1/receivers", "/v1/audit"])
		assert.doesNotMatch(JSON.stringify(await api("GET", path)), /whsec|\/slack|\d\/hook/, path);
	const { token } = await api<{ token: string }>("POST", "/v1/tokens", {
		...{ label: "other", scope: "deploy", tenant: "other", functions: null, expires: null },
	});
	for (const path of [`${acme}/alerts`, `${acme}/receivers`, "/v1/receivers", "/v1/silences"])
		assert.equal((await platform.api("GET", path, undefined, token)).status, 403, path);
	assert.deepEqual((await platform.api("GET", "/v1/alerts", undefined, token)).body, []);
	// One that is held to some functions hears of these alone.
	const held = await api<{ token: string }>("POST", "/v1/tokens", {
		...{ label: "held", scope: "deploy", tenant: "acme", functions: ["blog"], expires: null },
	});
	assert.deepEqual((await platform.api("GET", `${acme}/alerts`, undefined, held.token)).body, []);
	for (const path of ["alert-rules", "receivers", "silences", "alert-deliveries"])
		assert.equal((await platform.api("GET", `${acme}/${path}`, undefined, held.token)).status, 403, path);
});

test("atoll alerts sets and tries rules, receivers and silences, and says where a query makes no sense", async () => {
	const atoll = (...args: string[]) => platform.atoll("alerts", ...args, "--tenant", "acme");
	const file = join(platform.line.folder, "rule.json");
	const write = (rule: object) => writeFile(file, JSON.stringify(rule));
	await write({ query: 'outcome:exception "checkout', above: 3 });
	const refused = await atoll("rule", "set", "checkout", "--settings", file);
	assert.equal(refused.code, 2);
	assert.match(refused.output, /query: at position \d+: expected/);
	await write({ metric: "requests", above: 1_000_000 });
	assert.match((await atoll("rule", "set", "many", "--settings", file)).output, /an alert where requests is > 1000000/);
	assert.match((await atoll("rule", "test", "many")).output, /acme\/shop +\d+ +\d+ +(calm|unknown)/);
	assert.match((await atoll("rule")).output, /many +tenant +requests > 1000000 .*\n|error-rate +default/);
	assert.equal((await atoll("rule", "remove", "many")).code, 0);
	const set = await atoll("receiver", "set", "inside", "--kind", "slack", "--matcher", "severity=info");
	assert.match(set.output, /receiver +inside\nkind +slack\nat +http:\/\/127\.0\.0\.1/);
	assert.equal((await atoll("receiver", "test", "inside")).code, 2);
	const added = await atoll("silence", "add", "--matcher", "function=shop", "--for", "2h", "--comment", "upgrade");
	const [, id] = /^(\w+): the receivers of/.exec(added.output) ?? [];
	assert.match((await atoll("silence")).output, new RegExp(`${id} +function=shop .* upgrade`));
	assert.equal((await atoll("silence", "remove", id)).code, 0);
	assert.deepEqual(await api("GET", `${acme}/silences`), []);
	assert.match((await platform.atoll("alerts", "rule", "--operator")).output, /no-edge +default +edges < 1/);
});
