import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { Platform, startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();
const FUNCTION = "/v1/tenants/default/functions";

test("atoll deploy puts a version on its hostname, and each version has one of its own", async () => {
	const first = await platform.deploy("shop", say("one"));
	assert.match(first, /shop version 1 has 100 % of its traffic\n {2}http:\/\/shop\.localhost:\d+/);
	assert.equal((await platform.get("shop.localhost")).text, "one");
	await platform.deploy("shop", say("two"), "--message", "the second");
	assert.equal((await platform.get("shop.localhost")).text, "two");
	const { output } = await platform.atoll("versions", "shop", "--json");
	const versions = JSON.parse(output) as { id: string; number: number; message: string }[];
	assert.deepEqual(
		versions.map(({ number, message }) => [number, message]),
		[
			[2, "the second"],
			[1, ""],
		],
	);
	assert.equal((await platform.get(`${versions[1].id.slice(0, 8)}--shop.localhost`)).text, "one");
	assert.equal((await platform.get("00000000--shop.localhost")).status, 404);
});

test("the same upload twice is the same version", async () => {
	await platform.deploy("twice", say("same"));
	const again = await platform.deploy("twice", say("same"));
	assert.match(again, /twice version 1 has/);
});

test("rollback, promote and aliases move traffic, and weights are kept to", async () => {
	await platform.deploy("moved", say("one"));
	await platform.deploy("moved", say("two"));
	assert.match((await platform.atoll("rollback", "moved")).output, /production of moved: 1@100/);
	assert.equal((await platform.get("moved.localhost")).text, "one");
	await platform.atoll("alias", "moved", "staging", "2");
	assert.equal((await platform.get("staging--moved.localhost")).text, "two");
	await platform.atoll("promote", "moved", "1@50", "2@50");
	const answers = new Set<string>();
	for (let i = 0; i < 60; i++) answers.add((await platform.get("moved.localhost")).text);
	assert.deepEqual([...answers].sort(), ["one", "two"]);
	const { code, output } = await platform.atoll("promote", "moved", "1@50", "2@40");
	assert.equal(code, 2);
	assert.match(output, /the shares add up to 90 %, not to 100/);
	assert.match((await platform.atoll("alias", "moved", "staging", "--remove")).output, /no alias staging/);
	assert.equal((await platform.get("staging--moved.localhost")).status, 404);
});

test("a release that is sticky keeps whoever asks with one version", async () => {
	await platform.deploy("sticky", say("one"));
	await platform.deploy("sticky", say("two"));
	const shares = [
		{ version: "1", percent: 50 },
		{ version: "2", percent: 50 },
	];
	const sticky = { by: "cookie", name: "user" };
	assert.equal((await platform.api("POST", `${FUNCTION}/sticky/releases`, { shares, sticky })).status, 200);
	const answers = new Set<string>();
	for (let user = 0; user < 20; user++) {
		const own = new Set<string>();
		for (let i = 0; i < 4; i++)
			own.add((await platform.get("sticky.localhost", "/", { cookie: `user=u${user}` })).text);
		assert.equal(own.size, 1);
		answers.add([...own][0]);
	}
	assert.deepEqual([...answers].sort(), ["one", "two"]);
});

test("--percent gives a new version its share, and leaves the rest to those before", async () => {
	await platform.deploy("canary", say("old"));
	await platform.deploy("canary", say("new"), "--percent", "25");
	const { aliases } = (await platform.api("GET", `${FUNCTION}/canary`)).body as {
		aliases: { production: { percent: number }[] };
	};
	assert.deepEqual(aliases.production.map(({ percent }) => percent).sort(), [25, 75]);
	await platform.deploy("single", say("same"));
	const again = await platform.deploy("single", say("same"), "--percent", "10");
	assert.match(again, /single version 1 has 100 % of its traffic/);
});

test("variables and secrets reach the function, and a secret is in no file but encrypted", async () => {
	await platform.deploy("keeper", `export default { fetch: (r, env) => Response.json(env) };`);
	await platform.atoll("env", "keeper", "COLOUR=blue");
	assert.equal((await platform.api("PATCH", `${FUNCTION}/keeper/secrets`, { KEY: "s3cr3t-value" })).status, 200);
	assert.deepEqual(JSON.parse((await platform.get("keeper.localhost")).text), { COLOUR: "blue", KEY: "s3cr3t-value" });
	assert.doesNotMatch((await platform.atoll("secret", "list", "keeper")).output, /s3cr3t/);
	const files = ["control.sqlite", "control.sqlite-wal"];
	for (const file of files)
		assert.ok(!(await readFile(join(platform.data, file), "latin1").catch(() => "")).includes("s3cr3t-value"), file);
	assert.equal((await stat(join(platform.data, "secrets.key"))).mode & 0o777, 0o600);
	await platform.api("PATCH", `${FUNCTION}/keeper/secrets`, { KEY: null });
	assert.deepEqual(JSON.parse((await platform.get("keeper.localhost")).text), { COLOUR: "blue" });
});

test("what does not build, and what does not start, is refused with all that is wrong, and what ran runs on", async () => {
	await platform.deploy("solid", say("solid"));
	await assert.rejects(
		platform.deploy("solid", "export default {"),
		/index\.js:1:17: Expected identifier but found end of file/,
	);
	await assert.rejects(platform.deploy("solid", `throw new Error("not today");`), /solid does not start: .*not today/);
	await assert.rejects(platform.deploy("solid", "export const x = 1;"), /no handler found/);
	assert.equal((await platform.get("solid.localhost")).text, "solid");
	const { body } = await platform.api("GET", `${FUNCTION}/solid/versions`);
	assert.equal((body as unknown[]).length, 1);
});

test("a version that fails with the secrets of now gets no traffic", async () => {
	await platform.deploy("picky", `export default { fetch: () => new Response("fine") };`);
	await platform.deploy(
		"picky",
		`import { env } from "cloudflare:workers"; if (env.BAD) throw new Error("bad"); export default { fetch: () => new Response("two") };`,
	);
	await platform.atoll("rollback", "picky");
	await platform.api("PATCH", `${FUNCTION}/picky/secrets`, { BAD: "1" });
	const { status, body } = await platform.api("POST", `${FUNCTION}/picky/releases`, {
		shares: [{ version: "2", percent: 100 }],
	});
	assert.equal(status, 422);
	assert.equal((body as { code: string }).code, "does_not_start");
	assert.equal((await platform.get("picky.localhost")).text, "fine");
});

test("hostnames are a function's own, and nobody else's", async () => {
	await platform.deploy("one", say("one"));
	await platform.deploy("other", say("other"));
	await platform.atoll("hostnames", "one", "shop.example.test", "*.shop.example.test");
	assert.equal((await platform.get("shop.example.test")).text, "one");
	assert.equal((await platform.get("a.shop.example.test")).text, "one");
	const { code, output } = await platform.atoll("hostnames", "other", "shop.example.test");
	assert.equal(code, 2);
	assert.match(output, /already leads to the function one/);
	const foreign = await platform.api("PUT", "/v1/tenants/acme/functions/other/hostnames", ["b.shop.example.test"]);
	assert.equal(foreign.status, 404);
	await platform.atoll("hostnames", "one", "--none");
	assert.equal((await platform.get("shop.example.test")).status, 404);
	await platform.atoll("hostnames", "other", "shop.example.test");
	assert.equal((await platform.get("shop.example.test")).text, "other");
});

test("another tenant's function answers below its tenant's name, and cannot have what is another's", async () => {
	await platform.deploy("shop", say("of acme"), "--tenant", "acme");
	assert.equal((await platform.get("shop.acme.localhost")).text, "of acme");
	await platform.deploy("mine", say("mine"));
	const refused = await platform.api("PUT", "/v1/tenants/acme/functions/shop/hostnames", ["mine.localhost"]);
	assert.equal(refused.status, 409);
});

test("a paused function says so, and a removed one is gone with its name free again", async () => {
	await platform.deploy("rested", say("awake"));
	await platform.atoll("pause", "rested");
	const { status, text } = await platform.get("rested.localhost");
	assert.equal(status, 503);
	assert.match(text, /"code":"paused"/);
	await platform.atoll("resume", "rested");
	assert.equal((await platform.get("rested.localhost")).text, "awake");
	await platform.atoll("delete", "rested");
	assert.equal((await platform.get("rested.localhost")).status, 404);
	await platform.deploy("rested", say("again"));
	assert.equal((await platform.get("rested.localhost")).text, "again");
});

test("of versions as many are kept as a function says, and it goes back to those", async () => {
	await platform.deploy("tidy", say("1"));
	const { output } = await platform.atoll("settings", "tidy", "--keep-versions", "2", "--keep-days", "30");
	assert.match(output, /keep-versions +2\nkeep-days +30\n/);
	assert.match(
		(await platform.atoll("settings", "tidy", "--keep-days", "none")).output,
		/versions +2\nkeep-days +none\n/,
	);
	for (const text of ["2", "3", "4"]) await platform.deploy("tidy", say(text));
	const versions = (await platform.api("GET", `${FUNCTION}/tidy/versions`)).body as { number: number }[];
	assert.deepEqual(
		versions.map(({ number }) => number),
		[4, 3],
	);
	assert.match((await platform.atoll("rollback", "tidy")).output, /production of tidy: 3@100/);
	assert.equal((await platform.get("tidy.localhost")).text, "3");
	assert.match((await platform.atoll("promote", "tidy", "1")).output, /tidy has no version 1/);
	assert.equal((await platform.api("PATCH", `${FUNCTION}/tidy`, { keep: { versions: 1001 } })).status, 400);
});

test("tokens have their scopes, and end when they are revoked", async () => {
	await platform.deploy("guarded", say("guarded"));
	const make = async (grant: object) =>
		(await platform.api("POST", "/v1/tokens", grant)).body as { id: string; token: string };
	const reader = await make({ label: "reader", scope: "read", tenant: "default" });
	const deployer = await make({ label: "deployer", scope: "deploy", tenant: "default", functions: ["guarded"] });
	const status = async (token: string, method: string, path: string, body?: unknown) =>
		(await platform.api(method, path, body, token)).status;
	assert.equal(await status(reader.token, "GET", `${FUNCTION}/guarded`), 200);
	assert.equal(await status(reader.token, "PATCH", `${FUNCTION}/guarded`, { paused: true }), 403);
	assert.equal(await status(reader.token, "GET", "/v1/tenants/acme/functions"), 403);
	assert.equal(await status(deployer.token, "PATCH", `${FUNCTION}/guarded`, { paused: false }), 200);
	assert.equal(await status(deployer.token, "DELETE", `${FUNCTION}/shop`), 403);
	assert.equal(await status(deployer.token, "GET", "/v1/tokens"), 403);
	await platform.api("DELETE", `/v1/tokens/${reader.id}`);
	assert.equal(await status(reader.token, "GET", `${FUNCTION}/guarded`), 401);
	const wrong = [];
	for (let i = 0; i < 12; i++) wrong.push(await status("wrong", "GET", "/v1/whoami"));
	assert.equal(wrong.at(0), 401);
	assert.equal(wrong.at(-1), 429);
	// Addresses are shared: a right one comes in all the same.
	assert.equal(await status(TOKEN, "GET", "/v1/whoami"), 200);
});

test("bad uploads are refused, each by its own error", async () => {
	const upload = async (metadata: unknown, ...parts: [string, string, string][]) => {
		const form = new FormData();
		form.set("metadata", typeof metadata === "string" ? metadata : JSON.stringify(metadata));
		for (const [path, type, content] of parts) form.append(path, new File([content], path, { type }));
		const response = await fetch(`http://127.0.0.1:${platform.adminPort}${FUNCTION}/bad/versions`, {
			method: "POST",
			headers: { authorization: `Bearer ${TOKEN}` },
			body: form,
		});
		return `${response.status} ${((await response.json()) as { detail: string }).detail}`;
	};
	const js = "application/javascript+module";
	assert.match(await upload("no json"), /^400 .*no JSON/);
	assert.match(await upload({}), /^400 main: /);
	assert.match(await upload({ main: "a.js" }), /^400 .*main module a\.js is not among the modules/);
	assert.match(await upload({ main: "../a.js" }, ["../a.js", js, "1"]), /^400 .*must be a path like lib\/a\.ts/);
	assert.match(await upload({ main: "a.js" }, ["a.js", "image/png", "1"]), /^400 .*image\/png/);
	assert.match(await upload({ main: "a.js", limits: { cpuMs: -1 } }, ["a.js", js, "1"]), /^400 limits\.cpuMs/);
	assert.match(await upload({ main: "a.js", what: 1 }, ["a.js", js, "1"]), /^400 .*Unrecognized key/);
	const large = await fetch(`http://127.0.0.1:${platform.adminPort}${FUNCTION}/bad/versions`, {
		method: "POST",
		headers: { authorization: `Bearer ${TOKEN}`, "content-length": String(2 ** 31) },
		body: "x",
	}).catch((error: Error) => error);
	assert.ok(large instanceof Error || large.status === 413);
	assert.equal((await platform.api("GET", `${FUNCTION}/bad`)).status, 404);
	for (const name of ["-a", "a/b", "a b", "ä", "x".repeat(64)])
		assert.ok(
			[400, 404].includes((await platform.api("PATCH", `${FUNCTION}/${encodeURIComponent(name)}`, {})).status),
			name,
		);
});

test("two deploys at once are two versions, one of which has the traffic", async () => {
	const outputs = await Promise.all(
		[platform.deploy("raced", say("a")), platform.deploy("raced", say("b"))].map((one) => one.catch(String)),
	);
	assert.ok(
		outputs.some((output) => output.includes("version 1")),
		outputs.join(),
	);
	assert.match((await platform.get("raced.localhost")).text, /^[ab]$/);
	const { body } = await platform.api("GET", `${FUNCTION}/raced/versions`);
	assert.ok((body as unknown[]).length >= 1);
});

test("a backup is restored into a server that serves the same", async () => {
	await platform.deploy("saved", `export default { fetch: (r, env) => new Response("saved " + env.KEY) };`);
	await platform.api("PATCH", `${FUNCTION}/saved/secrets`, { KEY: "k" });
	const file = join(platform.line.folder, "backup.tar");
	assert.equal((await platform.atoll("backup", file)).code, 0);
	const other = new Platform();
	await mkdir(other.data, { recursive: true });
	const { copyFile } = await import("node:fs/promises");
	await copyFile(join(platform.data, "secrets.key"), join(other.data, "secrets.key"));
	const restored = other.line.run(["restore", file, "--data", other.data]);
	assert.equal(await restored.exit, 0, restored.output());
	await other.up();
	assert.equal((await other.get("saved.localhost")).text, "saved k");
	assert.equal(await other.stop(), 0);
});
