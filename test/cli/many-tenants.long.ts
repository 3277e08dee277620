import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLine, get, PORT, type Run, say } from "../support/command-line.ts";

const line = new CommandLine();

/** The lines of a log in JSON that say what became of each function. */
function told(run: Run): Record<string, { msg: string; problem?: string; tenant: string }> {
	const lines = run
		.output()
		.split("\n")
		.filter((text) => text.includes('"url":') && !text.includes('"msg":"request"'))
		.map((text) => JSON.parse(text) as { function: string; msg: string; problem?: string; tenant: string });
	return Object.fromEntries(
		lines.map((one) => [one.tenant === "default" ? one.function : `${one.tenant}/${one.function}`, one]),
	);
}

async function codeAt(port: number, host: string): Promise<string> {
	const { status, text } = await get(port, host);
	return status === 200 ? text : (JSON.parse(text) as { error: { code: string } }).error.code;
}

async function end(run: Run): Promise<void> {
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
}

test("serve: whatever is wrong with a folder is reported, answers startup_failed, and stops nobody else", async () => {
	const path = await line.write("many", {
		"good.js": say("good"),
		"syntax/atoll.jsonc": '{ "hostnames": ["syntax.example"] "limits": {} }',
		"syntax/index.js": say(""),
		"mainless/wrangler.toml": 'name = "worker"\n',
		"elsewhere/atoll.jsonc": '{ "main": "src/gone.js", "hostnames": ["elsewhere.example"] }',
		"taken/atoll.jsonc": '{ "hostnames": ["good.localhost", "taken.example", "*.com"] }',
		"taken/index.js": say("taken"),
		"shop.js": say("first shop"),
		"tienda/atoll.jsonc": '{ "name": "shop", "hostnames": ["tienda.example"] }',
		"tienda/index.js": say("second shop"),
		"claims/atoll.jsonc": '{ "tenant": "acme" }',
		"claims/index.js": say("claims"),
		"an odd name.js": say("odd"),
		"deep/atoll.jsonc": `{ "env": { "a": ${"[".repeat(100_000)}${"]".repeat(100_000)} } }`,
		"deep/index.js": say("deep"),
		"large/atoll.jsonc": `{ "env": { "a": "${"x".repeat(2 ** 21)}" } }`,
		"large/index.js": say("large"),
		"wordy/atoll.jsonc": `{ "${"key".repeat(100_000)}\\u001b[2J": 1 }`,
		"wordy/index.js": say("wordy"),
		"secrets/atoll.jsonc": '{ "env": { "MARK": "secret" } }',
		"secrets/index.js": say(""),
		"spy/index.js": say(""),
		"folder.js/readme.txt": "",
		"pipe/index.js": say("pipe"),
		"zeros/index.js": say("zeros"),
	});
	await symlink("nowhere", join(path, "dangling.js"));
	await symlink("nowhere", join(path, "lost"));
	await symlink("turning", join(path, "turning"));
	await symlink("nowhere", join(path, "notes.txt"));
	await symlink("../secrets/atoll.jsonc", join(path, "spy/atoll.jsonc"));
	await symlink("/dev/zero", join(path, "zeros/wrangler.jsonc"));
	await symlink("nowhere.toml", join(path, "mainless/wrangler.json"));
	execFileSync("mkfifo", [join(path, "pipe/package.json"), join(path, "waits.js")]);
	const run = line.run(["serve", path, "--port", "0"]);
	await run.until(/"msg":"ready"/);
	const port = Number(PORT.exec(run.output())?.[1]);
	const all = told(run);
	for (const [name, problem] of Object.entries({
		syntax: /^many\/syntax\/atoll\.jsonc:1:35: it is no JSON: comma expected/,
		mainless: /^many\/mainless\/wrangler\.json: it is a link that leads nowhere/,
		elsewhere: /^many\/elsewhere\/atoll\.jsonc: its "main", src\/gone\.js, does not exist/,
		taken: /^many\/taken\/atoll\.jsonc: (?:good\.localhost already leads to the function good|.*public suffix)/,
		"shop.2": /^two functions are called shop: many\/shop\.js and many\/tienda/,
		claims: /^many\/claims\/atoll\.jsonc: the file: Unrecognized key: "tenant"/,
		"an odd name": /the function's name must be letters/,
		deep: /^many\/deep\/atoll\.jsonc: /,
		large: /larger than 1048576 bytes/,
		spy: /^many\/spy\/atoll\.jsonc: it leads out of its folder/,
		pipe: /^many\/pipe\/package\.json: it is no file/,
		zeros: /wrangler\.jsonc: it leads out of its folder/,
		dangling: /^many\/dangling\.js: it is a link that leads nowhere/,
		lost: /^many\/lost: it is a link that leads nowhere/,
		turning: /^many\/turning: it is a link that leads nowhere/,
		waits: /there is no such file/,
	})) {
		assert.match(all[name]?.problem ?? "", problem, name);
		assert.equal(all[name].msg, "is not served", name);
	}
	assert.equal(all["notes.txt"], undefined);
	assert.match(all.wordy.problem ?? "", /^many\/wordy\/atoll\.jsonc: the file: Unrecognized key: "key.{9000,10000}…$/);
	for (const [host, expected] of Object.entries({
		"good.localhost": "good",
		"shop.localhost": "first shop",
		"secrets.localhost": "secret",
		"syntax.example": "startup_failed",
		"mainless.localhost": "startup_failed",
		"elsewhere.example": "startup_failed",
		"taken.example": "startup_failed",
		"tienda.example": "startup_failed",
		"claims.localhost": "startup_failed",
		"deep.localhost": "startup_failed",
		"spy.localhost": "startup_failed",
		"pipe.localhost": "startup_failed",
		"lost.localhost": "startup_failed",
		"waits.localhost": "startup_failed",
		"nobody.localhost": "hostname_not_found",
	}))
		assert.equal(await codeAt(port, host), expected, host);
	await end(run);
});

test("serve: a folder that may not be read stops nobody", {
	skip: process.getuid?.() === 0 && "root may read all",
}, async () => {
	const path = await line.write("closed", {
		"good.js": say("good"),
		"shut/index.js": say(""),
		"dim/atoll.jsonc": "{}",
	});
	await chmod(join(path, "shut"), 0);
	await chmod(join(path, "dim/atoll.jsonc"), 0);
	const run = line.run(["serve", path, "--port", "0", "--isolation", "inline"]);
	await run.until(/"msg":"ready"/);
	for (const name of ["shut", "dim"]) assert.match(told(run)[name].problem ?? "", /may not be read by this user/);
	await end(run);
	await chmod(join(path, "shut"), 0o700);
});

test("serve: a folder that asks for more than the ceilings is refused, in atoll's words and in wrangler's", async () => {
	const path = await line.write("greedy", {
		"good.js": say("good"),
		"memory/atoll.jsonc": '{ "limits": { "memoryMb": 16384 } }',
		"memory/index.js": say(""),
		"cpu/wrangler.json": '{ "limits": { "cpu_ms": 86400000 } }',
		"cpu/index.js": say(""),
		"wall/atoll.jsonc": '{ "limits": { "wallMs": 20000 } }',
		"wall/index.js": say(""),
		"allowed/atoll.jsonc": '{ "limits": { "memoryMb": 600, "cpuMs": 2000 } }',
		"allowed/index.js": say("allowed"),
	});
	const run = line.run([
		"serve",
		path,
		"--port",
		"0",
		"--isolation",
		"inline",
		"--max",
		"wallMs=10000",
		"--max=memoryMb=700",
	]);
	await run.until(/"msg":"ready"/);
	const port = Number(PORT.exec(run.output())?.[1]);
	const { memory, cpu, wall } = told(run);
	assert.match(
		memory.problem ?? "",
		/limits\.memoryMb: 16384 is more than this runtime allows a function, which is 700/,
	);
	assert.match(
		cpu.problem ?? "",
		/^greedy\/cpu\/wrangler\.json: limits\.cpuMs: 86400000 is more than .*which is 30000/,
	);
	assert.match(wall.problem ?? "", /limits\.wallMs: 20000 is more than .*which is 10000/);
	for (const name of ["memory", "cpu", "wall"]) assert.equal(await codeAt(port, `${name}.localhost`), "startup_failed");
	assert.equal(await codeAt(port, "allowed.localhost"), "allowed");
	await end(run);
	const built = line.run(["build", path, "--data", "greedy-out"]);
	assert.equal(await built.exit, 1);
	assert.match(built.output(), /memory does not build:\s+limits\.memoryMb: 16384 is more/);
	assert.match(built.output(), /good: .* of code/);
});

test("serve: the operator's folders say whose functions are, and which hostnames beyond its own a tenant has", async () => {
	const path = await line.write("tenants", {
		"acme/shop.js": say("acme's shop"),
		"acme/site/atoll.jsonc": '{ "hostnames": ["acme.example", "www.acme.example"] }',
		"acme/site/index.js": say("acme's site"),
		"mallory/shop.js": say("mallory's shop"),
		"mallory/thief/atoll.jsonc":
			'{ "hostnames": ["shop.acme.localhost", "acme.example", "x.localhost", "*.mallory.localhost", "*", "localhost"] }',
		"mallory/thief/index.js": say("thief"),
		"mallory/spy/readme.txt": "",
		"mallory/grasping/atoll.jsonc": JSON.stringify({ hostnames: Array.from({ length: 80_000 }, (_, i) => `h${i}`) }),
		"mallory/grasping/index.js": say(""),
		"Not A Tenant/shop.js": say(""),
		"default/own.js": say("operator's own"),
		"readme.txt": "",
	});
	await symlink("../acme/shop.js", join(path, "mallory/borrowed.js"));
	await symlink("../acme/site", join(path, "mallory/mirrored"));
	await symlink("../../acme/site/index.js", join(path, "mallory/spy/index.js"));
	await symlink("nowhere", join(path, "vanished"));
	const own = await line.write("owned", { "main.js": say("main") });
	const args = ["serve", own, "--tenants", path, "--port", "0", "--isolation", "inline"];
	const run = line.run([...args, "--grant", "acme=*.acme.example", "--grant", "acme=ACME.example."]);
	await run.until(/"msg":"ready"/);
	const port = Number(PORT.exec(run.output())?.[1]);
	for (const [host, expected] of Object.entries({
		"main.localhost": "main",
		"own.localhost": "operator's own",
		"shop.acme.localhost": "acme's shop",
		"acme.example": "acme's site",
		"www.acme.example": "acme's site",
		"shop.mallory.localhost": "mallory's shop",
		"any.mallory.localhost": "startup_failed",
		"x.localhost": "hostname_not_found",
		localhost: "hostname_not_found",
		"borrowed.mallory.localhost": "startup_failed",
		"mirrored.mallory.localhost": "startup_failed",
		"spy.mallory.localhost": "startup_failed",
	}))
		assert.equal(await codeAt(port, host), expected, host);
	const all = told(run);
	assert.match(
		all["mallory/thief"].problem ?? "",
		/thief\/atoll\.jsonc: shop\.acme\.localhost, acme\.example, x\.localhost, \*, localhost: the operator has given mallory no such/,
	);
	assert.match(all["mallory/grasping"].problem ?? "", /grasping\/atoll\.jsonc: h0, h1, h2, /);
	for (const name of ["borrowed", "mirrored", "spy"])
		assert.match(all[`mallory/${name}`].problem ?? "", /it leads out of the tenant's folder/, name);
	assert.match(all["Not A Tenant/"].problem ?? "", /the tenant's name must be lower-case letters/);
	assert.match(all["vanished/"].problem ?? "", /ENOENT/);
	assert.match(run.output(), /"tenant":"acme","function":"shop"[^\n]*"msg":"request"/);
	await end(run);
});

test("dev: a configuration that breaks is shown at the function's hostnames until it is mended, and others go on", async () => {
	const path = await line.write("devmany", {
		"good.js": say("good"),
		"shop/atoll.jsonc": '{ "name": "store", "hostnames": ["shop.example"] }',
		"shop/index.js": say("shop"),
		"later/atoll.jsonc": '{ "main": "main.js" }',
		"notes/readme.txt": "no function",
	});
	const run = line.run(["dev", path, "--port", "0", "--isolation", "inline"]);
	await run.until(/devmany\/notes is no function: it has no configuration, and no index file/);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.match((await get(port, "x.test")).text, /There are: good\.localhost, later\.localhost, shop\.example\./);
	assert.equal(await codeAt(port, "shop.example"), "shop");
	assert.equal(await codeAt(port, "later.localhost"), "startup_failed");
	await writeFile(join(path, "shop/atoll.jsonc"), "{ hostnames");
	await run.until(/is not served:\\ndevmany\/shop\/atoll\.jsonc/);
	const page = await get(port, "shop.example");
	assert.equal(page.status, 500);
	assert.match(page.text, /shop\/atoll\.jsonc:1:3: it is no JSON: invalid symbol/);
	assert.equal(await codeAt(port, "good.localhost"), "good");
	await writeFile(join(path, "shop/atoll.jsonc"), '{ "name": "store", "hostnames": ["shop.example"] }');
	await run.until(/rebuilt in \d+ ms/);
	assert.equal(await codeAt(port, "shop.example"), "shop");
	await writeFile(join(path, "later/main.js"), say("later"));
	await run.until(/"later","msg":"built in \d+ ms"/);
	assert.equal(await codeAt(port, "later.localhost"), "later");
	await end(run);
});

for (const [what, args, message] of [
	[
		"no function that could be tried",
		["serve", "hopeless"],
		/atoll: hopeless\/a\/.*comma expected\nhopeless\/b\/.*"main"/,
	],
	[
		"functions that are all refused",
		["serve", "refused"],
		/atoll: refused\/atoll\.jsonc: limits\.memoryMb: 16384 is more/,
	],
	["a tenants' folder that is none", ["serve", "--tenants", "nowhere"], /atoll: nowhere: there is no such folder/],
	[
		"a tenants' folder with nothing in it",
		["serve", "--tenants", "void"],
		/void: there are no functions .* void\/TENANT/,
	],
	["a ceiling of no limit", ["serve", ".", "--max", "memory=5"], /--max must be NAME=VALUE with one of cpuMs, /],
	[
		"a ceiling without a number",
		["serve", ".", "--max", "memoryMb=much"],
		/--max memoryMb cannot be "much": it is no whole number/,
	],
	["a grant to nobody", ["serve", ".", "--grant", "shop.example"], /--grant must be TENANT=HOSTNAME/],
	["a grant of everything", ["serve", ".", "--grant", "acme=*"], /--grant must be TENANT=HOSTNAME, .* not "acme=\*"/],
	[
		"a grant to a tenant that is not there",
		["serve", "--tenants", "rented", "--grant", "amce=shop.example"],
		/--grant amce=shop\.example: there is no tenant amce in rented/,
	],
	["a domain that is none", ["serve", ".", "--domain", "*.test"], /--domain must be a hostname/],
] as const) {
	test(`${what} gets exit code 1 and all that is wrong`, async () => {
		await mkdir(join(line.folder, "void"), { recursive: true });
		await line.write("hopeless", { "a/atoll.jsonc": '{ "main": "x" "env": {} }', "b/atoll.jsonc": "{}" });
		await line.write("rented", { "acme/shop.js": say("shop") });
		await line.write("refused", { "atoll.jsonc": '{ "limits": { "memoryMb": 16384 } }', "index.js": say("") });
		const run = line.run([...args]);
		assert.equal(await run.exit, 1);
		assert.match(run.output(), message as RegExp);
		assert.doesNotMatch(run.output(), /\n\s+at /);
	});
}
