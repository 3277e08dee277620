import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const base = `http://127.0.0.1:${platform.adminPort}`;
const OWN = { "sec-fetch-site": "same-origin" };

const ask = (path: string, init: RequestInit = {}) => fetch(`${base}${path}`, { redirect: "manual", ...init });
const form = (fields: Record<string, string>, headers: Record<string, string> = OWN): RequestInit => ({
	method: "POST",
	headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
	body: new URLSearchParams(fields),
});

/** Logs in, and returns the cookie and the token of forms. */
async function session(token = TOKEN): Promise<{ cookie: string; formToken: string }> {
	const done = await ask("/login", form({ token, next: "/" }));
	assert.equal(done.status, 303);
	const [cookie] = (done.headers.get("set-cookie") as string).split(";");
	const page = await (await ask("/", { headers: { cookie } })).text();
	return { cookie, formToken: /name="form" value="([^"]+)"/.exec(page)?.[1] as string };
}

async function tokenFor(grant: object): Promise<string> {
	const { body } = await platform.api("POST", "/v1/tokens", { label: "one", ...grant });
	return (body as { token: string }).token;
}

await platform.deploy("shop", "export default { fetch: () => new Response('1') };");
await platform.deploy("other", "export default { fetch: () => new Response('1') };");
await platform.deploy("theirs", "export default { fetch: () => new Response('1') };", "--tenant", "acme");

test("nothing is shown to whoever has no session, and all that is answered is bound to this site", async () => {
	for (const path of [
		"/",
		"/functions/default/shop",
		"/logs",
		"/machine",
		"/audit",
		"/functions/default/shop/events",
	]) {
		const answer = await ask(path);
		assert.equal(answer.status, 303, path);
		assert.match(answer.headers.get("location") as string, /^\/login\?next=/);
		assert.doesNotMatch(await answer.text(), /shop/);
	}
	const { cookie } = await session();
	for (const [path, headers] of [
		["/login", {}],
		["/", { cookie }],
		["/functions/default/none", { cookie }],
		["/", {}],
	] as const) {
		const answer = await ask(path, { headers });
		const policy = answer.headers.get("content-security-policy") as string;
		for (const rule of [
			"default-src 'none'",
			"script-src 'self'",
			"style-src 'self'",
			"frame-ancestors 'none'",
			"base-uri 'none'",
			"form-action 'self'",
		])
			assert.ok(policy.includes(rule), `${path}: ${rule}`);
		assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
		assert.equal(answer.headers.get("cache-control"), "no-store");
		assert.doesNotMatch(await answer.text(), /<script(?![^>]* src="\/assets\/)|<style| style=| on\w+=/);
	}
});

test("the cookie is out of reach of scripts and of other sites, and over TLS of other hosts", async () => {
	const plain = (await ask("/login", form({ token: TOKEN, next: "/" }))).headers.get("set-cookie") as string;
	assert.match(plain, /^atoll_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
	const over = (
		await ask("/login", form({ token: TOKEN, next: "/" }, { ...OWN, "x-forwarded-proto": "https" }))
	).headers.get("set-cookie") as string;
	assert.match(over, /^__Host-atoll_session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
	assert.ok(!plain.includes(TOKEN));
	// One that somebody has set without TLS lets nobody in over it.
	const [cookie] = plain.split(";");
	assert.equal((await ask("/", { headers: { cookie, "x-forwarded-proto": "https" } })).status, 303);
});

test("a wrong token is refused, ten times a minute, and a right one is let in all the same", async () => {
	const statuses = [];
	for (let i = 0; i < 12; i++) statuses.push((await ask("/login", form({ token: `wrong-${i}`, next: "/" }))).status);
	assert.deepEqual(new Set(statuses.slice(0, 10)), new Set([401]));
	assert.deepEqual(statuses.slice(10), [429, 429]);
	assert.equal((await ask("/login", form({ token: TOKEN, next: "/" }))).status, 303);
});

test("after the login it goes on at a page of this server, and nowhere else", async () => {
	for (const next of ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "\\\\evil.test"]) {
		const answer = await ask("/login", form({ token: TOKEN, next }));
		const to = new URL(answer.headers.get("location") as string, base);
		assert.equal(to.origin, base, next);
	}
	assert.equal((await ask("/login", form({ token: TOKEN, next: "/logs?q=a" }))).headers.get("location"), "/logs?q=a");
});

test("a form is taken from a page of the session alone", async () => {
	const { cookie, formToken } = await session();
	const other = await session();
	const paused = async () =>
		((await platform.api("GET", "/v1/tenants/default/functions/shop")).body as { paused: boolean }).paused;
	const pause = (token: string, headers: Record<string, string>) =>
		ask("/functions/default/shop/paused", form({ paused: "yes", form: token }, { cookie, ...headers }));
	const origin = { origin: base };
	for (const [token, headers] of [
		[formToken, { "sec-fetch-site": "cross-site" }],
		[formToken, { "sec-fetch-site": "same-site" }],
		[formToken, { "sec-fetch-site": "same-site", ...origin }],
		[formToken, { origin: "http://evil.test" }],
		[formToken, { origin: "null" }],
		[formToken, {}],
		[other.formToken, OWN],
		["", OWN],
	] as const) {
		assert.equal((await pause(token, headers)).status, 403, JSON.stringify(headers));
		assert.equal(await paused(), false);
	}
	assert.equal(
		(await ask("/login", form({ token: TOKEN, next: "/" }, { "sec-fetch-site": "cross-site" }))).status,
		403,
	);
	assert.equal((await pause(formToken, origin)).status, 303);
	assert.equal(await paused(), true);
	assert.equal(
		(await ask("/functions/default/shop/paused", form({ paused: "no", form: formToken }, { cookie, ...OWN }))).status,
		303,
	);
});

test("a form of a megabyte is not read", async () => {
	const answer = await ask("/login", form({ token: "x".repeat(2 ** 20), next: "/" }));
	assert.equal(answer.status, 413);
});

test("what a token does not allow is neither shown nor done", async () => {
	const reader = await session(await tokenFor({ scope: "read", tenant: "default", functions: ["shop"] }));
	const headers = { cookie: reader.cookie };
	const list = await (await ask("/", { headers })).text();
	assert.match(list, />shop</);
	assert.doesNotMatch(list, />other<|>theirs</);
	for (const path of [
		"/functions/default/other",
		"/functions/acme/theirs",
		"/functions/acme/theirs/events",
		"/machine",
		"/audit",
	])
		assert.equal((await ask(path, { headers })).status, 403, path);
	const releases = await (await ask("/functions/default/shop/releases", { headers })).text();
	assert.doesNotMatch(releases, /<form[^>]*(?:rollback|traffic)/);
	for (const path of ["rollback", "traffic", "paused"]) {
		const body = form({ form: reader.formToken, paused: "yes" }, { ...headers, ...OWN });
		assert.equal((await ask(`/functions/default/shop/${path}`, body)).status, 403, path);
	}
	const deployer = await session(await tokenFor({ scope: "deploy", tenant: "acme" }));
	const own = await (await ask("/functions/acme/theirs/settings", { headers: { cookie: deployer.cookie } })).text();
	assert.match(own, />Pause</);
	assert.equal((await ask("/functions/default/shop", { headers: { cookie: deployer.cookie } })).status, 403);
});

test("alerts are silenced by whoever may do that over the API, and usage is told to whom it concerns", async () => {
	const reader = await session(await tokenFor({ scope: "read", tenant: "acme" }));
	const deployer = await session(await tokenFor({ scope: "deploy", tenant: "acme" }));
	const page = async (path: string, { cookie }: { cookie: string }) =>
		(await ask(path, { headers: { cookie } })).text();
	assert.match(await page("/alerts", reader), /Alerts of acme/);
	// Another tenant's name in the query changes nothing.
	assert.match(await page("/alerts?tenant=default", reader), /Alerts of acme/);
	assert.match(await page("/usage?tenant=default", reader), /Usage of acme/);
	const send = (path: string, { cookie, formToken }: typeof reader, fields = {}) =>
		ask(path, form({ form: formToken, ...fields }, { cookie, ...OWN }));
	for (const path of ["/alerts/silence", "/alerts/unsilence"]) {
		assert.equal((await send(path, reader, { alert: "x", silence: "x" })).status, 403);
		// It may, and there is none.
		assert.equal((await send(path, deployer, { alert: "x", silence: "x" })).status, 404);
	}
	const until = new Date(Date.now() + 3600_000).toISOString();
	const { body } = await platform.api("POST", "/v1/silences", { matchers: ["tenant=acme"], until });
	const { id } = body as { id: string };
	// The operator's own is no tenant's to end.
	assert.equal((await send("/alerts/unsilence", deployer, { silence: id, tenant: "" })).status, 404);
	const admin = await session();
	assert.match(await page("/alerts", admin), /tenant=acme/);
	assert.equal((await send("/alerts/unsilence", admin, { silence: id })).status, 303);
	assert.doesNotMatch(await page("/alerts", admin), /tenant=acme/);
	const held = await session(await tokenFor({ scope: "read", tenant: "acme", functions: ["theirs"] }));
	assert.doesNotMatch(await page("/alerts", held), /<h2>Rules/);
	assert.doesNotMatch(await page("/usage", held), /<h2>Budgets/);
});

test("no tenant's function is at the hostname that the admin port's cookie is sent to", async () => {
	for (const hostname of ["localhost", "127.0.0.1"]) {
		const { status } = await platform.api("PUT", "/v1/tenants/acme/functions/theirs/hostnames", [hostname]);
		assert.ok(status === 409 || status === 400, `${hostname}: ${status}`);
	}
});

test("who logs out is out, with the cookie that they had", async () => {
	const { cookie, formToken } = await session();
	assert.equal((await ask("/logout", form({ form: formToken }, { cookie, ...OWN }))).status, 303);
	assert.equal((await ask("/", { headers: { cookie } })).status, 303);
});

test("a revoked token ends its session, and the tail that it looks at", async () => {
	const { body } = await platform.api("POST", "/v1/tokens", { label: "gone", scope: "read", tenant: "default" });
	const { id, token } = body as { id: string; token: string };
	const { cookie } = await session(token);
	const tail = await ask("/functions/default/shop/events", { headers: { cookie } });
	assert.equal(tail.headers.get("content-type"), "text/event-stream");
	const ended = tail.text();
	await platform.api("DELETE", `/v1/tokens/${id}`);
	assert.match(await ended, /^: connected/);
	assert.equal((await ask("/", { headers: { cookie } })).status, 303);
});

test("a link from elsewhere comes back from this site, so that its cookie is sent", async () => {
	const elsewhere = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" };
	const answer = await ask("/functions/default/shop?window=24h", { headers: elsewhere });
	assert.match(await answer.text(), /http-equiv="refresh" content="0;url=\/functions\/default\/shop\?window=24h"/);
	// What another site's scripts ask for is not even begun.
	const { cookie } = await session();
	const script = { cookie, "sec-fetch-site": "same-site", "sec-fetch-dest": "empty" };
	assert.equal((await ask("/functions/default/shop/events", { headers: script })).status, 403);
});

test("pages load what has a hash in its name, and the first one is light", async () => {
	const { cookie } = await session();
	const page = await (await ask("/", { headers: { cookie } })).text();
	let bytes = page.length;
	const paths = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
	assert.ok(paths.length >= 2);
	for (const path of paths) {
		const answer = await ask(path);
		assert.match(path, /\.[0-9a-f]{12}\.(?:js|css)$/);
		assert.match(answer.headers.get("cache-control") as string, /immutable/);
		bytes += (await answer.arrayBuffer()).byteLength;
	}
	assert.ok(bytes < 100_000, String(bytes));
	assert.equal((await ask("/assets/..%2f..%2fdashboard.ts")).status, 404);
});

test("the machine's page has each sandbox with its lane, and who has cost one", async () => {
	const { cookie } = await session();
	const page = async () => (await ask("/machine", { headers: { cookie } })).text();
	await platform.deploy("kills", "export default { fetch() { for (;;); } };");
	const asked = platform.get("kills.localhost");
	const { pid } = platform.supervisor.child;
	await until(async () => /a long turn keeps others waiting/.test(await page()));
	const [, stuck] = /<th scope="row">(\d+)<\/th><td>(?:normal|heavy)(?:(?!<\/tr>).)*a long turn/s.exec(
		await page(),
	) as RegExpExecArray;
	assert.ok(below(pid as number).some((one) => one.pid === Number(stuck)));
	process.kill(Number(stuck), "SIGKILL");
	await asked;
	await until(async () => /kills<\/a>.*on probation/s.test(await page()));
});

test("a CPU profile is taken with a button", async () => {
	const { cookie, formToken } = await session();
	const path = "/functions/default/shop/profile";
	const take = (fields: Record<string, string>) => ask(path, form({ form: formToken, ...fields }, { ...OWN, cookie }));
	assert.equal((await take({ seconds: "0" })).status, 400);
	const taken = await take({ seconds: "1" });
	assert.equal(taken.status, 200, await taken.clone().text());
	assert.match(taken.headers.get("content-disposition") as string, /^attachment; filename="shop-[\dT-]+\.cpuprofile"$/);
	assert.ok(((await taken.json()) as { nodes: unknown[] }).nodes.length > 0);
	const reader = await session(await tokenFor({ scope: "read" }));
	const refused = await ask(path, form({ form: reader.formToken, seconds: "1" }, { ...OWN, cookie: reader.cookie }));
	assert.equal(refused.status, 403);
});

test("the session's cookie reaches no function, wherever a browser sends it", async () => {
	await platform.deploy("echo", "export default { fetch: ({ headers }) => new Response(headers.get('cookie')) };");
	const { cookie } = await session();
	const seen = await platform.get("echo.localhost", "/", { cookie: `a=b; ${cookie}; c=d` });
	assert.equal(seen.text, "a=b; c=d");
});
