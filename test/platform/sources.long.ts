import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { Platform, startPlatform } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";
import { noMoreDisk, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const SECRET = "a secret of the tests";
const LOGS = `export default {
	event({ id, source, type, data }) { console.log("event", id, source, type, JSON.stringify(data)); },
};`;

/** Sends an event as GitHub does. Gives the status. */
function send(port: number, path: string, body: string, { secret = SECRET, id = randomUUID() as string } = {}) {
	return new Promise<number>((resolve) => {
		const headers = {
			host: "events.localhost",
			"x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
			"x-github-event": "push",
			"x-github-delivery": id,
			"content-length": Buffer.byteLength(body),
		};
		const asked = request({ host: "127.0.0.1", port, method: "POST", path, headers }, (response) => {
			response.resume();
			resolve(response.statusCode ?? 0);
		});
		asked.on("error", () => resolve(0));
		asked.end(body);
	});
}

/** The ids of the events that a function has logged. */
const logged = (log: string) => new Set([...log.matchAll(/event ([\w-]+) \/events\//g)].map(([, id]) => id));

async function secretFile(on: Platform, secret = SECRET): Promise<string> {
	const path = join(on.line.folder, `secret-${randomUUID()}`);
	await writeFile(path, `${secret}\n`);
	return path;
}

/** Keeps the ids of its events, and tells them. */
const KEEPS = `export default {
	async fetch(_, env) {
		const found = [];
		for (let cursor; ; ) {
			const list = await env.KV.list({ cursor });
			found.push(...list.keys.map(({ name }) => name));
			if (list.list_complete) return Response.json(found);
			cursor = list.cursor;
		}
	},
	event: ({ id }, env) => env.KV.put(id, "x"),
};`;

await platform.deploy("logs", LOGS);
const keeps = await platform.line.write("keeps", {
	"atoll.jsonc": JSON.stringify({ main: "index.js", bindings: { KV: { type: "kv", id: "keeps" } } }),
	"index.js": KEEPS,
});
assert.equal((await platform.atoll("deploy", keeps)).code, 0);

test("atoll source adds one, whose events come to the function, changes it and takes it away", async () => {
	const path = "/events/hub";
	assert.equal(await send(platform.port, path, "{}"), 401);
	const add = ["source", "add", "hub", "--scheme", "github", "--function", "logs"];
	const added = await platform.atoll(...add, "--secret-file", await secretFile(platform));
	assert.match(
		added.output,
		/source +hub\nscheme +github\nevents +\* to logs\nurl +http:\/\/events\.localhost:\d+\/events\/hub/,
	);
	assert.equal(await send(platform.port, path, '{"a":1}', { id: "first" }), 202);
	await until(() => platform.log.includes("event first /events/hub push"));
	assert.match((await platform.atoll("source", "list")).output, /hub +github +\* to logs/);
	assert.doesNotMatch(JSON.stringify((await platform.api("GET", "/v1/tenants/default/sources")).body), /a secret/);
	assert.equal((await platform.atoll(...add, "--types", "issues", "--keep-secrets")).code, 0);
	assert.equal(await send(platform.port, path, "{}", { id: "left-out" }), 202);
	const files = [await secretFile(platform, "a newer secret of it"), await secretFile(platform)];
	assert.equal((await platform.atoll(...add, ...files.flatMap((file) => ["--secret-file", file]))).code, 0);
	for (const secret of [SECRET, "a newer secret of it"])
		assert.equal(await send(platform.port, path, "{}", { secret }), 202);
	assert.equal((await platform.atoll("source", "remove", "hub")).code, 0);
	assert.equal(await send(platform.port, path, "{}"), 401);
	assert.ok(!logged(platform.log).has("left-out"));
});

test("what makes no sense is refused, and so is who may not", async () => {
	const put = async (body: object, token?: string) => {
		const answer = await platform.api("PUT", "/v1/tenants/default/sources/s", body, token);
		return `${answer.status} ${(answer.body as { detail?: string }).detail}`;
	};
	const rules = [{ function: "logs" }];
	assert.match(await put({ scheme: "github", rules }), /^400 secrets: a new source needs one/);
	assert.match(await put({ scheme: "github", rules, secrets: ["short"] }), /^400 secrets\.0: must have 16/);
	assert.match(await put({ scheme: "standard-webhooks", rules, secrets: ["not in base 64 at all!"] }), /^400 .*whsec_/);
	assert.match(await put({ scheme: "github", rules: [], secrets: [SECRET] }), /^400 rules/);
	assert.match(await put({ scheme: "github", rules: [{}], secrets: [SECRET] }), /^400 .*a function or a queue/);
	const nobody = [{ function: "nobody" }];
	assert.match(await put({ scheme: "github", rules: nobody, secrets: [SECRET] }), /^404 .*no function nobody/);
	assert.match((await platform.atoll("source", "add", "s", "--scheme", "github")).output, /whom are its events for/);
	assert.match(await put({ scheme: "github", rules: [{ queue: "kept" }], secrets: [SECRET] }), /^200 /);
	const removed = await platform.api("DELETE", "/v1/tenants/default/queues/kept");
	assert.match((removed.body as { detail: string }).detail, /is used by the source s/);
	assert.equal((await platform.api("DELETE", "/v1/tenants/default/sources/s")).status, 200);
	assert.equal((await platform.api("DELETE", "/v1/tenants/default/queues/kept")).status, 200);
	const token = async (grant: object) =>
		((await platform.api("POST", "/v1/tokens", { label: "t", ...grant })).body as { token: string }).token;
	const given = { scheme: "github", rules, secrets: [SECRET] };
	for (const grant of [
		{ scope: "read" },
		{ scope: "admin", tenant: "other" },
		{ scope: "deploy", tenant: "default", functions: ["logs"] },
	])
		assert.match(await put(given, await token(grant)), /^403 /);
});

test("killed at any moment, edge, control and data processes lose no event that was acknowledged", async () => {
	const add = ["source", "add", "killed", "--scheme", "github", "--function", "keeps"];
	assert.equal((await platform.atoll(...add, "--secret-file", await secretFile(platform))).code, 0);
	const taken: string[] = [];
	const submit = async () => {
		const id = randomUUID();
		if ((await send(platform.port, "/events/killed", "{}", { id })) === 202) taken.push(id);
	};
	for (const role of [/data[-/]main/, /src\/control\/main/, /src\/edge\/main/]) {
		const sent = Array.from({ length: 30 }, submit);
		await Promise.race(sent.slice(5));
		for (const { pid, command } of below(platform.supervisor.child.pid as number))
			if (role.test(command)) {
				try {
					process.kill(pid, "SIGKILL");
				} catch {
					// It has ended with one before it.
				}
			}
		await Promise.all(sent);
		await until(async () => (await platform.api("GET", "/readyz").catch(() => null))?.status === 200);
	}
	// An edge that has just been started knows its sources before it refuses any.
	let status = 0;
	await until(async () => {
		status = await send(platform.port, "/events/killed", "{}");
		return status !== 0;
	});
	assert.equal(status, 202);
	assert.ok(taken.length > 30, String(taken.length));
	await until(async () => {
		const kept = new Set(JSON.parse((await platform.get("keeps.localhost")).text) as string[]);
		return taken.every((id) => kept.has(id));
	});
});

test("on a full disk no event is acknowledged, nothing is lost, and with room again it goes on", async (t) => {
	const small = new Platform();
	if (!smallDisk(small.data, "48m")) return t.skip("this user cannot mount a small disk");
	try {
		await small.up();
		await small.deploy("logs", LOGS);
		const add = ["source", "add", "hub", "--scheme", "github", "--function", "logs"];
		assert.equal((await small.atoll(...add, "--secret-file", await secretFile(small))).code, 0);
		const body = JSON.stringify("x".repeat(100_000));
		const taken: string[] = [];
		const submit = async () => {
			const id = randomUUID();
			const status = await send(small.port, "/events/hub", body, { id });
			if (status === 202) taken.push(id);
			return status;
		};
		assert.equal(await submit(), 202);
		const filler = join(small.data, "filler");
		await writeFile(filler, Buffer.alloc(64 * 2 ** 20)).catch(() => undefined);
		// What is taken makes room as soon as it is delivered: ten at a time are more than that.
		const codes = new Set<number>();
		await until(async () => {
			for (const code of await Promise.all(Array.from({ length: 10 }, submit))) codes.add(code);
			return codes.has(503);
		});
		assert.deepEqual(
			[...codes].filter((code) => code !== 202 && code !== 503),
			[],
		);
		await writeFile(filler, "");
		await until(async () => (await submit()) === 202);
		await until(() => taken.every((id) => logged(small.log).has(id)));
		assert.doesNotMatch(small.log, /has ended/);
		assert.equal(await small.stop(), 0);
	} finally {
		await small.stop();
		noMoreDisk(small.data);
	}
});
