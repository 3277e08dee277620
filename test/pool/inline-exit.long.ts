import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/runtime.ts";

const folder = temporaryFolder();
const addon = join(folder, "late-collection.node");
const source = new URL("late-collection.c", import.meta.url).pathname;
const compiled = ["cc", "gcc", "clang"].some(
	(compiler) => spawnSync(compiler, ["-shared", "-fPIC", "-o", addon, source]).status === 0,
);

/** A program that answers a request inline and comes to its end. */
const PROGRAM = `
	import { createRequire } from "node:module";
	createRequire(import.meta.url)(${JSON.stringify(addon)});
	const { createRuntime } = await import(${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)});
	const runtime = await createRuntime({ isolation: "inline", data: ${JSON.stringify(join(folder, "data"))} });
	const source = "export default { fetch: () => new Response('hello') }";
	await runtime.deploy({ name: "guest", hostnames: ["guest.test"], source });
	console.log(await (await runtime.fetch("http://guest.test/")).text());
	await runtime.close();
`;

test("a process that ran functions inline ends well, however late V8 collects its garbage", {
	skip: compiled ? false : "there is no compiler for C",
}, () => {
	const args = ["--no-node-snapshot", "--input-type=module", "--eval", PROGRAM];
	const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
	assert.deepEqual({ status, signal, stdout, stderr }, { status: 0, signal: null, stdout: "hello\n", stderr: "" });
});
