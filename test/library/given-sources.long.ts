import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import type { BuildError } from "../../src/index.ts";
import { createRuntime, type DeployOptions } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
const at = (name: string) => ({ name, hostnames: [`${name}.test`] });
const source = (text: string) => `export default { fetch: (): Response => new Response(${JSON.stringify(text)}) };`;

/** Puts a package where functions that are given find it. */
before(async () => {
	const manifest = JSON.stringify({ name: "lent", main: "index.js" });
	await atoll.write("node_modules/lent/package.json", manifest);
	await atoll.write("node_modules/lent/index.js", `export default "lent";`);
});

async function problems(options: Partial<DeployOptions>): Promise<BuildError["problems"]> {
	const built = atoll.runtime.deploy({ ...at("broken"), ...options });
	const error = await built.then(
		() => assert.fail("it builds"),
		(error: BuildError) => error,
	);
	assert.equal(error.name, "BuildError");
	return error.problems;
}

test("a runtime to which nothing is given makes no folder for that", async () => {
	await atoll.ready();
	assert.deepEqual(await readdir(join(atoll.folder, "data")), ["artifacts"]);
});

test("a function is deployed from its text, and no file of it is left", async () => {
	const { inputs, version } = await atoll.runtime.deploy({ ...at("text"), source: source("from text") });
	assert.equal(await atoll.text("text"), "from text");
	assert.deepEqual(inputs, ["index.ts"]);
	assert.deepEqual(await readdir(join(atoll.folder, "data/given")), []);
	const again = await atoll.runtime.deploy({ ...at("text"), source: source("from text") });
	assert.deepEqual([again.version, again.cached], [version, true]);
});

test("files that are given import one another, and packages above the data folder", async () => {
	await atoll.runtime.deploy({
		...at("files"),
		main: "src/main.ts",
		files: {
			"src/main.ts": `import { text } from "../lib/text"; import name from "./name.txt"; import lent from "lent";
				export default { fetch: () => new Response(text + name + lent) };`,
			"lib/text.ts": `export const text: string = "text ";`,
			"src/name.txt": new TextEncoder().encode("näme "),
		},
	});
	assert.equal(await atoll.text("files"), "text näme lent");
});

test("problems are told at the paths that were given", async () => {
	const [syntax] = await problems({ main: "src/a.ts", files: { "src/a.ts": "export default {" } });
	assert.equal(syntax.file, "src/a.ts");
	const [missing] = await problems({ source: "export {};" });
	assert.equal(missing.file, "index.ts");
	const [outside] = await problems({ source: `export { default } from "../../../guest.js";` });
	assert.equal(outside.file, "index.ts");
	assert.equal(outside.text, 'its import of "../../../guest.js" lies outside of the files that were given');
	const [large] = await problems({
		main: "src/a.ts",
		files: { "src/a.ts": `export { default } from "./b.unknown";`, "src/b.unknown": "" },
	});
	assert.equal(large.file, "src/a.ts");
	for (const { text, lineText = "", file } of [syntax, missing, outside, large])
		assert.doesNotMatch(`${text} ${lineText} ${file}`, /data|given\/|--root|[0-9a-f]{8}-/);
});

test("where packages may not be lent, those above are not there", async () => {
	await using runtime = await createRuntime({
		isolation: "inline",
		data: join(atoll.folder, "data"),
		packages: false,
	});
	const borrower = `export { default } from "lent";`;
	await assert.rejects(runtime.deploy({ ...at("borrower"), source: borrower }), {
		name: "BuildError",
		message: /lent/,
	});
	const entry = await atoll.write("borrower.js", borrower);
	await assert.rejects(runtime.deploy({ ...at("borrower"), entry }), { code: "source_refused", message: /root/ });
	await runtime.deploy({
		...at("owner"),
		main: "main.js",
		files: { "main.js": source("its own").replace(": Response", "") },
	});
	assert.equal(await (await runtime.fetch("http://owner.test/")).text(), "its own");
});

test("an artifact that is damaged is made again of what was given", async () => {
	const artifacts = join(atoll.folder, "data/artifacts");
	const before = new Set(await readdir(artifacts));
	await atoll.runtime.deploy({ ...at("damaged"), source: source("whole") });
	const [artifact] = (await readdir(artifacts)).filter((name) => name.endsWith(".artifact") && !before.has(name));
	await writeFile(join(artifacts, artifact), "damaged");
	assert.equal(await atoll.text("damaged"), "whole");
	await rm(join(artifacts, artifact));
	await rm(join(artifacts, artifact.replace(".artifact", ".given")));
});

test("sources that make no sense are refused", async () => {
	const files = { "a.ts": "" };
	for (const [options, message] of [
		[{}, /entry: one of entry, source and files/],
		[{ source: "", entry: "a.ts" }, /entry: one of/],
		[{ source: "", root: "." }, /root: goes with entry alone/],
		[{ files }, /main: goes with files/],
		[{ files, main: "b.ts" }, /main: is none of the files/],
		[{ files: { "a.ts": 1 }, main: "a.ts" }, /must be text or bytes/],
		...["../a.ts", "/a.ts", "a//b.ts", "./a.ts", "a/../../b.ts", "a\\b.ts", "a/", "node_modules/a/index.js", "a\0"].map(
			(path) => [{ files: { [path]: "" }, main: path }, /must be a path like/] as const,
		),
		[{ files: { a: "", "a/b.ts": "" }, main: "a/b.ts" }, /can be no file/],
		[{ files: { ["a".repeat(300)]: "" }, main: "a".repeat(300) }, /too long/],
		[{ files: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}`, ""])), main: "1" }, /files: must be/],
	] as const)
		await assert.rejects(
			atoll.runtime.deploy({ ...at("senseless"), ...(options as object) }),
			{ name: "UsageError", code: "invalid_option", message },
			JSON.stringify(options).slice(0, 100),
		);
});
