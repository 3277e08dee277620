import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLine, say } from "../support/command-line.ts";

const line = new CommandLine();
const importing = (path: string) => `import text from "${path}"; export default { fetch: () => new Response(text) };`;

const repository = line.write("repository", {
	"secret.txt": "s3cret",
	"shared/text.js": `export default "shared";`,
	"app/own.js": importing("./parts/text.js"),
	"app/parts/text.js": `export default "own part";`,
	"app/theft.js": importing("../secret.txt"),
	"app/borrower/index.js": importing("../parts/text.js"),
	"app/configured/atoll.jsonc": '{ "main": "../../shared/text.js" }',
	"elsewhere/index.js": importing("../secret.txt"),
});

/** What `atoll build` says of functions, and with which code it ends. */
async function build(...args: string[]): Promise<{ code: number | null; output: string }> {
	const run = line.run(["build", ...args, "--data", "out"]);
	return { code: await run.exit, output: run.output() };
}

test("functions of a folder import what lies in it, and nothing beyond that; they are told of --root", async () => {
	const path = await repository;
	await symlink("../elsewhere", join(path, "app/linked"));
	const { code, output } = await build(join(path, "app"));
	assert.equal(code, 1);
	assert.match(output, / own: .* of code/);
	assert.match(output, / borrower: .* of code/);
	assert.match(
		output,
		/theft does not build:\s+.*[^\s]*repository\/app\/theft\.js:1:\d+: .* lies outside of .*repository\/app .*--root DIR/,
	);
	for (const name of ["configured", "linked"])
		assert.match(output, new RegExp(`${name} does not build:\\s+[^✗]* lies outside of `));
	assert.doesNotMatch(output, /s3cret/);
});

test("a file that is a function imports what lies in its folder, wherever a link to it is", async () => {
	const path = await repository;
	assert.equal((await build(join(path, "app/own.js"))).code, 0);
	await symlink("app/own.js", join(path, "link.js"));
	assert.equal((await build(join(path, "link.js"))).code, 0);
	const { code, output } = await build(join(path, "app/theft.js"));
	assert.equal(code, 1);
	assert.match(output, /lies outside of .*repository\/app /);
});

test("--root is the folder that all may import from, under whichever name", async () => {
	const path = await repository;
	await symlink("repository", join(line.folder, "by-link"));
	for (const root of [path, "repository", "by-link"]) {
		const { code, output } = await build(join(path, "app/theft.js"), join(path, "elsewhere"), "--root", root);
		assert.equal(code, 0, output);
	}
});

test("--root gives tenants' functions nothing", async () => {
	const path = await repository;
	const tenants = await line.write("repository/tenants", { "acme/theft.js": importing("../../secret.txt") });
	const { code, output } = await build(join(path, "app/own.js"), "--tenants", tenants, "--root", path);
	assert.equal(code, 1);
	assert.match(output, /acme\/theft does not build:\s+.* lies outside of .*tenants\/acme /);
});

for (const [what, args, message] of [
	["that is not there", ["--root", "nowhere"], /atoll: --root must be a folder, not "nowhere"/],
	["that is a file", ["--root", "aside/fn.js"], /atoll: --root must be a folder/],
	[
		"that does not hold a path",
		["--root", "aside/inner"],
		/atoll: --root .* does not hold .*; it must be a folder that holds every PATH/,
	],
	["that is empty", ["--root", ""], /atoll: --root must be a folder, not ""/],
] as const) {
	test(`a root ${what} gets one clear sentence and exit code 1`, async () => {
		await line.write("aside", { "fn.js": say(""), "inner/readme.txt": "" });
		const { code, output } = await build("aside/fn.js", ...args);
		assert.equal(code, 1);
		assert.match(output, message);
		assert.doesNotMatch(output, /\n\s+at /);
	});
}
