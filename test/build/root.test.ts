import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { before, test } from "node:test";
import { BuildError, type Deployed, UsageError } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
const root = join(atoll.folder, "mine");

/** Deploys a function of `mine/`, which may be bundled from there alone. */
function deploy(source: string): Promise<Deployed> {
	return atoll.deploy("mine/fn", source, { name: "fn", hostnames: ["fn.test"], root });
}

async function problem(source: string): Promise<string> {
	try {
		await deploy(source);
	} catch (error) {
		assert.ok(error instanceof BuildError, `${error}`);
		return error.message;
	}
	return assert.fail("it was built");
}

before(async () => {
	await atoll.write("theirs/wrangler.json", `{ "vars": { "KEY": "s3cret" } }`);
	await atoll.write("theirs/password.js", "s3cret is no JavaScript");
	await atoll.write("mine/own.json", `{ "own": true }`);
	await symlink(join(atoll.folder, "theirs"), join(root, "linked"));
	await symlink(join(atoll.folder, "theirs"), join(root, "node_modules"));
});

test("a function is bundled from its root and from packages", async () => {
	await atoll.write("node_modules/above/index.js", `export default "above";`);
	const { inputs } = await deploy(`
		import own from "./own.json";
		import above from "above";
		import { Buffer } from "node:buffer";
		export default { fetch: () => Response.json([own, above, Buffer.from("b").toString()]) };`);
	assert.deepEqual(JSON.parse(await atoll.text("fn")), [{ own: true }, "above", "b"]);
	for (const input of ["mine/own.json", "node_modules/above/index.js", "mine/fn.js"])
		assert.ok(inputs.includes(relative(process.cwd(), join(atoll.folder, input))), `${inputs}`);
});

for (const [how, specifier] of [
	["a relative path", "../theirs/wrangler.json"],
	["an absolute path", join(atoll.folder, "theirs/wrangler.json")],
	["a link", "./linked/wrangler.json"],
	["packages that are a link", "wrangler.json"],
]) {
	test(`what lies outside is not to be had by ${how}`, async () => {
		const source = `import theirs from ${JSON.stringify(specifier)};\nexport default { fetch: () => Response.json(theirs) };`;
		assert.match(
			await problem(source),
			/fn\.js: its import of ".*wrangler\.json" lies outside of the function's root, \//,
		);
	});
}

test("nor by the message about what is wrong with it", async () => {
	const message = await problem(`import "../theirs/password.js";\nexport default { fetch: () => new Response() };`);
	assert.match(message, /theirs\/password\.js: it lies outside/);
	assert.doesNotMatch(message, /s3cret/);
});

test("a function that itself lies outside is refused, and so is a root that is not there", async () => {
	const entry = await atoll.write("elsewhere.js", "export default { fetch: () => new Response() };");
	const options = { name: "fn", hostnames: ["fn.test"], entry };
	const runtime = await atoll.ready();
	await assert.rejects(runtime.deploy({ ...options, root }), /elsewhere\.js: it lies outside of the function's root/);
	await assert.rejects(runtime.deploy({ ...options, root: join(root, "none") }), UsageError);
});
