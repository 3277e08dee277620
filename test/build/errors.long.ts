import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { BuildError, type DeployOptions } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });

async function problem(
	name: string,
	source: string,
	extension = "ts",
	options: Partial<DeployOptions> = {},
): Promise<string> {
	try {
		await atoll.deploy(name, source, options, extension);
	} catch (error) {
		assert.ok(error instanceof BuildError, `${error}`);
		return error.message;
	}
	return assert.fail("it was built");
}

test("a syntax error comes with file, line, column and the line itself", async () => {
	const message = await problem("syntax", "const a = 1;\nexport default { fetch() { return new Response('x' } };\n");
	assert.match(message, /syntax\.ts:2:52: Expected "\)" but found "}"\n {2}2 \| export default \{ fetch\(\)/);
	assert.match(message, /\n +\^$/);
});

test("an import that cannot be resolved names itself and who asks for it", async () => {
	const message = await problem(
		"missing",
		`import x from "no-such-package";\nexport default { fetch: () => new Response(x) };`,
	);
	assert.match(
		message,
		/missing\.ts:1:15: Could not resolve "no-such-package": is the package installed\? npm install no-such-package\n/,
	);
	assert.match(await problem("scoped", 'import "@no-such/package/part";'), /npm install @no-such\/package\n/);
	assert.doesNotMatch(await problem("relative", 'import "./no-such-file";'), /npm install/);
});

for (const [specifier, advice] of [
	["node:fs", /bundled, or fetch\(\)/],
	["child_process", /cannot start processes/],
	["node:tls", /fetch\(\)/],
]) {
	test(`an import of ${specifier} names the import, who imports it, and what to use instead`, async () => {
		await atoll.write("lib.ts", `import { x } from "${specifier as string}";\nexport const y = x;`);
		const message = await problem(
			"builtin",
			`import { y } from "./lib.ts";\nexport default { fetch: () => new Response(y) };`,
		);
		assert.match(message, new RegExp(`lib\\.ts:1:19: "${specifier as string}" is a Node.js built-in`));
		assert.match(message, advice as RegExp);
	});
}

test("a module without a handler is told what to export", async () => {
	assert.match(
		await problem("none", "export const answer = 42;"),
		/none\.ts: no handler found: it exports only answer\. Export one from none\.ts/,
	);
	assert.match(await problem("empty", "export default {};"), /it exports no fetch handler/);
	assert.match(await problem("nothing", "console.log(1);"), /it exports no fetch handler/);
});

test("a bundle over 10 MB is refused with its size", async () => {
	const message = await problem(
		"big",
		`export default { fetch: () => new Response(${JSON.stringify("x".repeat(11 * 1024 * 1024))}) }`,
		"js",
	);
	assert.match(message, /the bundle is 11\.0 MB, more than the 10\.0 MB that a function may have \(one file\)/);
});

test("a failed deployment leaves the version before it in service", async () => {
	await atoll.deploy("keeps", `export default { fetch: () => new Response("good") }`);
	await problem("keeps", "export default {", "js");
	assert.equal(await atoll.text("keeps"), "good");
});

test("a build that kills its process is a build error, and the next build works", async () => {
	const message = await problem(
		"killer",
		`"ab".repeat(2 ** 27).split("a");\nexport default { fetch: () => new Response("") };`,
		"js",
		{ limits: { startupCpuMs: 60_000 } }, // It takes a slow machine seconds to get as far.
	);
	assert.match(message, /could not be compiled and started: the build process was lost \(ended by SIG\w+[:)]/);
	await atoll.deploy("after", `export default { fetch: () => new Response("fine") }`);
	assert.equal(await atoll.text("after"), "fine");
});

test("a start that cannot be ended does not keep its build process for long", async () => {
	// What is thrown is read by isolated-vm, where V8's time limit is over.
	const source = `throw Object.defineProperty(new Error(), "stack", { get() { for (;;); } });`;
	await assert.rejects(
		atoll.deploy("reads", source, { limits: { startupCpuMs: 100 } }),
		/could not be compiled and started: the start took too long/,
	);
});

test("a source that kills the bundler is a build error, and what is built beside it and after it is built", async () => {
	const nested = `export default ${"[".repeat(4e6)}${"]".repeat(4e6)};`; // More than esbuild's stack holds.
	const beside = Array.from({ length: 8 }, (_, i) => `beside${i}`);
	const [one, other] = await Promise.all([
		problem("nested1", nested, "js"),
		problem("nested2", nested, "js"), // Under way when the first ends the bundler, and tried again.
		...beside.map((name) =>
			atoll.deploy(
				name,
				`import { Hono } from ${JSON.stringify(resolve("node_modules/hono/dist/index.js"))};
				export default new Hono().get("/", (c) => c.text("${name}"));`,
			),
		),
	]);
	for (const message of [one, other])
		assert.match(message, /could not be bundled: the bundler was lost \(.*stack overflow\)/);
	for (const name of beside) assert.equal(await atoll.text(name), name);
	await atoll.deploy("next", `export default { fetch: () => new Response("fine") }`);
	assert.equal(await atoll.text("next"), "fine");
});

for (const [what, options, expected] of [
	["no name", { name: "" }, /name: must be letters/],
	["a name with a slash", { name: "a/b" }, /name: must be letters/],
	["no hostnames", { hostnames: [] }, /hostnames/],
	["a hostname that is none", { hostnames: ["http://x.test/"] }, /"http:\/\/x\.test\/" is not a hostname/],
	["a wildcard inside", { hostnames: ["a.*.test"] }, /is not a hostname/],
	["an entry that is missing", { entry: "/no/such/file.ts" }, /there is no such file/],
	["a limit below the least", { limits: { memoryMb: 1 } }, /memoryMb/],
	["a limit that does not exist", { limits: { cpu: 1 } }, /cpu/],
	["an option that does not exist", { memory: 5 }, /memory/],
	["env that is not JSON", { env: { f: () => 1 } }, /env/],
] as const) {
	test(`deploy with ${what} is refused in words`, async () => {
		const entry = await atoll.write("x.js", "export default { fetch: () => new Response('') }");
		await assert.rejects(atoll.runtime.deploy({ name: "x", hostnames: ["x.test"], entry, ...(options as object) }), {
			name: "UsageError",
			message: expected,
		});
	});
}

test("a hostname that another function has is refused", async () => {
	await atoll.deploy("first", `export default { fetch: () => new Response("") }`);
	await assert.rejects(
		atoll.deploy("second", `export default { fetch: () => new Response("") }`, { hostnames: ["FIRST.test."] }),
		/first\.test already leads to the function first/,
	);
});
