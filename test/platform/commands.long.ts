import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { startPlatform } from "../support/platform.ts";

const platform = await startPlatform();
const { line } = platform;

/** What a command says that nobody could do, all of it, and how it ends. */
async function refused(...args: string[]): Promise<{ code: number | null; output: string }> {
	const { code, output } = await platform.atoll(...args);
	assert.equal(output.trim().split("\n").length, 1, output);
	assert.match(output, /^atoll: /);
	return { code, output };
}

test("a wrong command line is told in one line that says how it is right", async () => {
	for (const [args, what] of [
		[["versions"], /missing required argument 'NAME': atoll versions \[options\] <NAME>/],
		[["list", "--nope"], /unknown option '--nope'; `atoll list --help` tells what it takes/],
		[["deply"], /unknown command 'deply' \(Did you mean deploy\?\)/],
		[["secret", "show", "shop"], /ACTION must be one of put, list, delete, not "show"/],
		[["secret", "put", "shop"], /which secret\? atoll secret put shop KEY/],
		[["token", "create", "--scope", "boss"], /--scope must be one of read, deploy, admin/],
		[["token", "revoke"], /atoll token revoke ID; `atoll token list` has the ids/],
		[["deploy", "nowhere"], /nowhere: there is no such file or folder/],
		[["deploy", "."], /there is no function in this folder.*`atoll init`/],
	] as const) {
		const { code, output } = await refused(...args);
		assert.equal(code, 1, output);
		assert.match(output, what);
	}
});

test("what is not there is told by its name, and changes nothing", async () => {
	await platform.deploy("shop", say("shop"));
	for (const [args, what] of [
		[["versions", "nope"], /there is no function nope/],
		[["alias", "shop", "staging"], /shop has no alias staging; `atoll alias shop staging VERSION` gives it one/],
		[["secret", "delete", "shop", "KEY"], /shop has no secret KEY/],
		[["promote", "shop", "9"], /shop has no version 9/],
	] as const) {
		const { code, output } = await refused(...args);
		assert.equal(code, 2, output);
		assert.match(output, what);
	}
	assert.match((await platform.atoll("secret", "list", "shop")).output, /shop has no secrets/);
	assert.match((await platform.atoll("env", "shop")).output, /shop has no variables/);
	assert.match((await platform.atoll("list", "--tenant", "acme")).output, /the tenant acme has no functions yet/);
	assert.match(
		(await platform.atoll("list")).output,
		/^NAME +STATE +PROVISIONED +MAX +CHANGED +HOSTNAMES\nshop +serving +0 +none /,
	);
});

test("a token says what it allows, and whoami says it to whoever has it", async () => {
	const made = await platform.atoll("token", "create", "--label", "ci", "--functions", "shop, other", "--days", "7");
	assert.match(made.output, /^atoll_.*\nIt may deploy, for the tenant default: shop, other\. It is told this once/);
	const token = made.output.split("\n")[0];
	const whoami = async (...args: string[]) => {
		const env = { ATOLL_SERVER: `http://127.0.0.1:${platform.adminPort}`, XDG_CONFIG_HOME: line.folder };
		const run = line.run(["whoami", ...args], { ...env, ATOLL_TOKEN: token });
		assert.equal(await run.exit, 0, run.output());
		return run.output();
	};
	assert.match(await whoami(), /scope +deploy\nacts for +the tenant default: shop, other\nexpires +20/);
	const { scope, functions } = JSON.parse(await whoami("--json")) as { scope: string; functions: string[] };
	assert.deepEqual([scope, functions], ["deploy", ["shop", "other"]]);
});

test("what others say of their functions writes no control characters to a terminal", async () => {
	const fails = `throw new Error("\\x1b[2Jgone")`;
	await assert.rejects(platform.deploy("loud", fails), /does not start: Error: \ufffd\[2Jgone/);
	await platform.deploy("loud", say("loud"), "--message", "\x1b[2Jgone");
	assert.match((await platform.atoll("versions", "loud")).output, /\ufffd\[2Jgone/);
});

test("a backup that cannot be written is told in one line, before the server is asked", async () => {
	const { code, output } = await refused("backup", join(line.folder, "nowhere", "backup.tar"));
	assert.equal(code, 1);
	assert.match(output, /there is no folder .*nowhere; make it, or choose another/);
});

test("a package that is not installed, and a site without files, are told with what to do", async () => {
	const folder = await line.write("needs", { "index.js": 'import "no-such-package";\nexport default {};' });
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 1);
	assert.match(output, /Could not resolve "no-such-package"; is the package installed\? npm install\n/);
	const config = JSON.stringify({ name: "bare", assets: { directory: "public" } });
	const site = await line.write("bare", {
		"wrangler.json": config,
		"public/.assetsignore": "*\n",
		"public/a.txt": "a",
	});
	assert.match((await platform.atoll("deploy", site)).output, /the site has no files: its folder is empty, or/);
});

test("a new function of each template answers at its address", async () => {
	for (const template of ["api", "html"]) {
		const folder = join(line.folder, `new-${template}`);
		assert.equal((await platform.atoll("init", folder, "--template", template)).code, 0);
		assert.equal((await platform.atoll("deploy", folder)).code, 0);
		assert.equal((await platform.get(`new-${template}.localhost`)).status, 200);
	}
});

test("what is no backup, and a folder that is none, are told in one line", async () => {
	const file = join(line.folder, "no-backup");
	await writeFile(file, "x".repeat(4096));
	const restored = line.run(["restore", file, "--data", "restored"]);
	assert.equal(await restored.exit, 1);
	assert.match(
		restored.output(),
		/^atoll: .*no-backup cannot be restored: [^\n]*It is no backup of atoll, or not all[^\n]*\n$/,
	);
	const up = line.run(["up", "--data", file, "--port", "0", "--admin-port", "0"]);
	assert.equal(await up.exit, 1);
	assert.match(up.output(), /^atoll: the data folder .*no-backup cannot be used: [^\n]*\n$/);
});

test("atoll restart signals no other process that has the id of one that was killed", async () => {
	const data = await line.write("stale", { "atoll.pid": `${process.pid}\n` });
	const run = line.run(["restart", "--data", data]);
	assert.equal(await run.exit, 1);
	assert.match(run.output(), /no `atoll up` is at work on /);
});

test("a function raises no limit beyond the server's ceilings, which are there without being set", async () => {
	const files = {
		"index.js": say("greedy"),
		"atoll.jsonc": JSON.stringify({ name: "greedy", limits: { memoryMb: 16_384 } }),
	};
	const { code, output } = await platform.atoll("deploy", await line.write("greedy", files));
	assert.equal(code, 2);
	assert.match(output, /limits\.memoryMb: 16384 is more than this runtime allows a function, which is 512/);
});
