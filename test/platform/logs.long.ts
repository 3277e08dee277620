import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { LogEntry, LogResult, Rollup } from "../../src/logs/calls.ts";
import { isRefused, startPlatform, TOKEN } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const pidOf = (role: RegExp): number => pidBelow(platform.supervisor.child.pid as number, role);
const EDGE = /src\/edge\/main/;
const CONTROL = /src\/control\/main/;

const SAYS = `export default { fetch(request) {
	const { pathname, searchParams } = new URL(request.url);
	const lines = Number(searchParams.get("lines"));
	for (let i = 0; i < lines; i++) console.log(String(i) + "x".repeat(Number(searchParams.get("letters"))));
	if (pathname === "/fails") fail(searchParams.get("id"));
	return new Response("said");
} };
function fail(id) {
	console.warn("about to fail", id);
	throw new TypeError("no item " + id);
}`;

async function ask(path: string, params: Record<string, string> = {}, token = TOKEN) {
	return platform.api("GET", `/v1${path}?${new URLSearchParams(params)}`, undefined, token);
}

async function query(tenant: string, text: string, more: Record<string, string> = {}): Promise<LogResult> {
	const { status, body } = await ask(`/tenants/${tenant}/logs`, { query: text, limit: "1000", ...more });
	assert.equal(status, 200, JSON.stringify(body));
	return body as LogResult;
}

async function tokenOf(grant: object): Promise<string> {
	const { body } = await platform.api("POST", "/v1/tokens", { label: "t", scope: "read", ...grant });
	return (body as { token: string }).token;
}

/** The URLs of all entries that a query finds, over all pages. */
async function urls(tenant: string, text: string): Promise<string[]> {
	const found: string[] = [];
	for (let cursor: string | null = ""; cursor !== null; ) {
		const page: LogResult = await query(tenant, text, cursor === "" ? {} : { cursor });
		found.push(...page.entries.flatMap(({ record }) => record?.url ?? []));
		cursor = page.cursor;
	}
	return found;
}

await platform.deploy("shop", SAYS);
await platform.deploy("loud", SAYS, "--tenant", "loud");
await platform.deploy("quiet", SAYS, "--tenant", "quiet");

test("a request that failed is found by what is known of it, with its lines and its stack in its own source", async () => {
	await platform.get("shop.localhost", "/fails?id=4711");
	let entries: LogEntry[] = [];
	await until(async () => {
		({ entries } = await query("default", "outcome:exception 4711"));
		return entries.length === 1 && entries[0].lines.length === 2;
	});
	const [{ record, lines }] = entries;
	assert.deepEqual(
		[record?.function, record?.status, record?.event, lines[0].level, lines[0].message],
		["shop", 500, "http", "warn", "about to fail 4711"],
	);
	assert.match(lines[1].message, /TypeError: no item 4711\n +at fail \(shop\/index\.js:10:8\)/);
	// By its id, which whoever asked was told in a header.
	const id = record?.requestId ?? "";
	const one = await ask(`/tenants/default/logs/${id}`);
	assert.deepEqual(one.body, entries[0]);
	assert.equal((await ask("/tenants/default/logs/nobody")).status, 404);
	// On the command line, on which it reads well.
	const { code, output } = await platform.atoll("logs", "outcome:exception 4711");
	assert.equal(code, 0, output);
	const [head, row, warn] = output.split("\n");
	assert.match(head, /^TIME \(UTC\) +FUNCTION +VERSION +RESULT +MS +CPU MS +WHAT$/);
	assert.match(row, /^\d\d-\d\d [\d:.]{12} +shop +[\da-f]{8} +500 exception +[\d.]+ +[\d.]+ +GET \/fails\?id=4711$/);
	assert.equal(warn, "    warn about to fail 4711");
	assert.match(output, new RegExp(`^ {10,}at fail \\(shop/index\\.js:10:8\\)[^]*^ {4}request ${id}$`, "m"));
	assert.ok(
		output.split("\n").every((one) => one.length <= 100),
		output,
	);
	const steps = await platform.atoll("logs", "4711 | count by 1h, outcome");
	assert.match(steps.output, /^ *time +outcome +count\n20\d\d-\d\d-\d\d \d\d:00:00 +exception +1$/m);
	const json = await platform.atoll("logs", "4711", "--json", "--function", "shop", "--since", "1h");
	assert.equal((JSON.parse(json.output) as LogEntry).record?.requestId, id);
});

test("a query that makes no sense is told with the place", async () => {
	const { status, body } = await ask("/tenants/default/logs", { query: "outcom:ok" });
	assert.equal(status, 400);
	assert.match((body as { detail: string }).detail, /^query: at position 0: expected the field outcome/);
	const { code, output } = await platform.atoll("logs", "status:200 outcom:ok");
	assert.equal(code, 2);
	const [told, shown, caret] = output.split("\n");
	assert.match(told, /^atoll: query: at position 11: /);
	assert.equal(caret.length - 1, shown.indexOf("outcom"));
	assert.equal((await ask("/tenants/default/logs", { since: "yesterday" })).status, 400);
	assert.equal((await ask("/tenants/default/logs/follow", { query: "| count" })).status, 400);
});

test("one that finds nothing of a function that is not there says so, with the one that was meant", async () => {
	const notes = async (text: string, more: Record<string, string> = {}, token = TOKEN) => {
		const { body } = await ask("/tenants/default/logs", { query: text, ...more }, token);
		return (body as LogResult & { notes: string[] }).notes;
	};
	const told = 'the tenant default has no function "shpo" now; did you mean shop?';
	for (const text of ["function:shpo", "function:shpo outcome:exception | count", "function:shpo | count by outcome"])
		assert.deepEqual(await notes(text), [told], text);
	assert.deepEqual(await notes("", { function: "shpo" }), [told]);
	for (const text of ["nothing of this", "NOT function:shpo nothing", "function:shop nothing"])
		assert.deepEqual(await notes(text), [], text);
	const held = await tokenOf({ tenant: "default", functions: ["other"] });
	assert.deepEqual(await notes("function:shpo", {}, held), ['the tenant default has no function "shpo" now']);
	assert.match((await platform.atoll("logs", "function:shpo")).output, /nothing is found\n.*did you mean shop\?/);
});

test("whoever asks sees what their token allows, and nothing else", async () => {
	await platform.get("quiet.quiet.localhost", "/seen");
	await until(async () => (await query("quiet", "seen")).entries.length === 1);
	const quiet = await tokenOf({ tenant: "quiet" });
	assert.equal(((await ask("/tenants/quiet/logs", {}, quiet)).body as LogResult).entries.length, 1);
	for (const path of ["/tenants/default/logs", "/logs", "/logs/follow", "/tenants/loud/rollups", "/rollups"])
		assert.equal((await ask(path, {}, quiet)).status, 403, path);
	const held = await tokenOf({ tenant: "default", functions: ["other"] });
	assert.equal(((await ask("/tenants/default/logs", {}, held)).body as LogResult).entries.length, 0);
	assert.equal((await ask("/tenants/default/logs", { function: "shop" }, held)).status, 403);
	assert.equal((await ask("/tenants/default/functions/shop/rollups", {}, held)).status, 403);
	const all = (await ask("/logs", { query: "tenant:quiet OR tenant:default", since: "1h" })).body as LogResult;
	assert.ok(new Set(all.entries.map(({ record }) => record?.tenant)).size === 2);
});

test("what is followed comes as it happens, as the query has it", async () => {
	const abort = new AbortController();
	const url = `http://127.0.0.1:${platform.adminPort}/v1/tenants/default/logs/follow?query=${encodeURIComponent("outcome:exception level:warn")}`;
	const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` }, signal: abort.signal });
	let text = "";
	const reading = (async () => {
		const decoder = new TextDecoder();
		for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true });
	})().catch(() => undefined);
	await until(() => text.includes(": connected"));
	await until(async () => {
		await platform.get("shop.localhost", "/");
		await platform.get("shop.localhost", "/fails?id=followed");
		return text.includes("followed");
	});
	abort.abort();
	await reading;
	const env = { ATOLL_SERVER: `http://127.0.0.1:${platform.adminPort}`, ATOLL_TOKEN: TOKEN };
	const command = platform.line.run(["logs", "outcome:exception", "--follow"], env);
	await command.until(/following; Ctrl-C ends it/);
	await platform.get("shop.localhost", "/");
	await platform.get("shop.localhost", "/fails?id=told");
	await command.until(/500 exception .* GET \/fails\?id=told\n {4}warn about to fail told\n/);
	command.child.kill("SIGINT");
	await command.exit;
	assert.doesNotMatch(command.output(), /GET \/\n/);
	for (const [, data] of text.matchAll(/^data: (.*)$/gm)) {
		const { record, lines } = JSON.parse(data) as LogEntry;
		assert.equal(record?.outcome, "exception");
		assert.equal(lines[0].message, "about to fail followed");
	}
});

test("a flood of one tenant's lines costs another none of its records", async () => {
	const flood = Array.from({ length: 100 }, () => platform.get("loud.loud.localhost", "/?lines=200&letters=1000"));
	for (let i = 0; i < 100; i++) await platform.get("quiet.quiet.localhost", `/in-a-flood/${i}`);
	await Promise.all(flood);
	await until(async () => new Set(await urls("quiet", "in-a-flood")).size === 100);
});

test("what was done while control was dead is there, or is counted", async () => {
	const killed = pidOf(CONTROL);
	for (let i = 0; i < 300; i++) {
		await platform.get("shop.localhost", `/meanwhile/${i}`);
		if (i === 100) process.kill(killed, "SIGKILL");
	}
	await until(async () => (await ask("/whoami").catch(() => null))?.status === 200);
	await until(async () => {
		const found = new Set(await urls("default", "meanwhile"));
		const { lost } = await query("default", "");
		return found.size + lost >= 300;
	});
	// What came after it was killed had room to wait.
	const found = await urls("default", "meanwhile");
	for (let i = 150; i < 300; i++)
		assert.ok(
			found.some((one) => one.endsWith(`/meanwhile/${i}`)),
			String(i),
		);
});

test("an upgrade loses nothing", async () => {
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	let sent = 0;
	const isOver = () => (/"msg":"restarted"/.test(platform.log) ? sent : 0);
	for (let over = 0; over === 0 || sent < over + 20; sent++) {
		await platform.get("shop.localhost", `/upgraded/${sent}`);
		over ||= isOver();
	}
	await until(async () => new Set(await urls("default", "upgraded")).size === sent);
});

test("the log's process may be killed: what comes later is there, and what was stored", async () => {
	await platform.get("shop.localhost", "/before-the-log");
	await until(async () => (await query("default", "before-the-log")).entries.length === 1);
	process.kill(pidOf(/logs-main|logs\/main/), "SIGKILL");
	await platform.get("shop.localhost", "/after-the-log");
	await until(async () => (await query("default", "after-the-log")).entries.length === 1);
	assert.equal((await query("default", "before-the-log")).entries.length, 1);
});

test("what was counted is exact, by version", async () => {
	await platform.deploy("counted", SAYS);
	for (let i = 0; i < 25; i++) await platform.get("counted.localhost", i < 5 ? "/fails" : "/");
	await platform.deploy("counted", `${SAYS}\n// another version`);
	for (let i = 0; i < 10; i++) await platform.get("counted.localhost");
	const totals = async (by: string) => {
		const { body } = await ask("/tenants/default/functions/counted/rollups", { by, step: "10s" });
		const counts = new Map<string, Record<string, number>>();
		for (const { version, outcomes } of body as Rollup[])
			for (const [outcome, count] of Object.entries(outcomes)) {
				const of = counts.get(version) ?? {};
				counts.set(version, { ...of, [outcome]: (of[outcome] ?? 0) + count });
			}
		return [...counts.values()].sort((a, b) => b.ok - a.ok);
	};
	await until(async () => (await totals("total"))[0]?.ok === 30);
	assert.deepEqual(await totals("total"), [{ ok: 30, exception: 5 }]);
	assert.deepEqual(await totals("version"), [{ ok: 20, exception: 5 }, { ok: 10 }]);
});

test("an edge whose control stands still holds no more than its bound", async () => {
	const edge = pidOf(EDGE);
	// 200 MB of lines.
	const flood = async () => {
		for (let i = 0; i < 100; i++)
			await Promise.all(Array.from({ length: 10 }, () => platform.get("shop.localhost", "/?lines=100&letters=2000")));
	};
	// What such a load takes by itself.
	await flood();
	const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${edge}/status`, "utf8"))?.[1]) / 1024;
	const before = resident();
	const control = pidOf(CONTROL);
	process.kill(control, "SIGSTOP");
	try {
		await flood();
		assert.ok(resident() - before < 120, `${before} MB, then ${resident()}`);
	} finally {
		process.kill(control, "SIGCONT");
	}
	await until(async () => (await query("default", "", { limit: "1" })).lost > 1000);
});

test("what is done while the server ends is there once it is started again", async () => {
	const finish = await platform.inFlight("late", "half");
	const stopped = platform.stop();
	// Control is ending by then, and refuses who connects.
	await until(() => isRefused(platform.adminPort));
	assert.equal(await finish(), "half");
	assert.equal(await stopped, 0);
	await platform.up();
	assert.deepEqual(await urls("default", "function:late"), ["http://late.localhost/late"]);
});
