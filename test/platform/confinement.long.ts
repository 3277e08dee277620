import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";

const platform = await startPlatform();
const FUNCTIONS = "/v1/tenants/default/functions";

test("a function reaches neither the admin API nor what lies beside it", async () => {
	const attempts = `import { connect } from "cloudflare:sockets";
export default { async fetch(request) {
	const { searchParams } = new URL(request.url);
	const port = searchParams.get("port");
	const results = [];
	for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "127.1", "[::ffff:127.0.0.1]", "a.localhost"]) {
		results.push(await fetch("http://" + host + ":" + port + "/healthz").then((r) => "reached " + host + " " + r.status, () => "no"));
		try {
			const socket = connect({ hostname: host.replace(/[\\[\\]]/g, ""), port: Number(port) });
			await socket.opened;
			results.push("connected " + host);
		} catch { results.push("no"); }
	}
	results.push(await fetch("file:///etc/passwd").then(() => "reached a file", () => "no"));
	results.push(await fetch("unix:control.sock").then(() => "reached a socket", () => "no"));
	return Response.json(results);
} };`;
	await platform.deploy("prying", attempts);
	const { text } = await platform.get("prying.localhost", `/?port=${platform.adminPort}`);
	assert.deepEqual([...new Set(JSON.parse(text))], ["no"]);
});

test("the operator's tokens are in the environment of no process that runs what others wrote", async () => {
	await platform.deploy("built", say("built"));
	const trusted = /bin\/atoll\.js up|src\/control\/main|esbuild/;
	for (const { pid, command } of below(platform.supervisor.child.pid as number)) {
		let environment = "";
		try {
			environment = readFileSync(`/proc/${pid}/environ`, "latin1");
		} catch {
			continue; // Gone, or confined so that nobody sees it.
		}
		if (!trusted.test(command)) assert.ok(!environment.includes(TOKEN), command);
	}
	await platform.deploy(
		"curious",
		`export default { fetch: (r, env) => Response.json([env, globalThis.process?.env ?? null]) };`,
	);
	assert.doesNotMatch((await platform.get("curious.localhost")).text, /token-of-the-tests|ATOLL/);
});

test("what is kept is readable for the server's user alone", () => {
	// What lies in a folder is reached through that alone.
	const open = readdirSync(platform.data).filter((name) => (lstatSync(join(platform.data, name)).mode & 0o077) !== 0);
	assert.deepEqual(open, ["atoll.pid"]);
	assert.equal(lstatSync(platform.data).mode & 0o077, 0);
});

test("who deploys raises no limit beyond the ceilings", async () => {
	for (const [limits, why] of [
		[{ memoryMb: 1000 }, /limits\.memoryMb: 1000 is more than this runtime allows/],
		[{ cpuMs: 60_000 }, /limits\.cpuMs/],
		[{ wallMs: 3_600_000 }, /limits\.wallMs/],
	] as const) {
		const form = new FormData();
		form.set("metadata", JSON.stringify({ main: "a.js", limits }));
		form.set("a.js", new File([say("x")], "a.js", { type: "application/javascript+module" }));
		const response = await fetch(`http://127.0.0.1:${platform.adminPort}${FUNCTIONS}/greedy/versions`, {
			method: "POST",
			headers: { authorization: `Bearer ${TOKEN}` },
			body: form,
		});
		assert.equal(response.status, 400);
		assert.match(await response.text(), why);
	}
});

test("many changes of one function at once are all made, or told to be tried again", async () => {
	await platform.deploy("contended", say("x"));
	const all = await Promise.all(
		Array.from({ length: 60 }, (_, i) => platform.api("PATCH", `${FUNCTIONS}/contended/variables`, { [`V${i}`]: i })),
	);
	const made = all.filter(({ status }) => status === 200).length;
	assert.ok(all.every(({ status }) => status === 200 || status === 409));
	const { body } = await platform.api("GET", `${FUNCTIONS}/contended/variables`);
	assert.equal(Object.keys(body as object).length, made);
});
