import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, rm, symlink, truncate } from "node:fs/promises";
import { join, relative } from "node:path";
import { before, beforeEach, test } from "node:test";
import { BuildError, type Deployed, UsageError } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
const root = join(atoll.folder, "mine");
const pipe = join(atoll.folder, "theirs/pipe");

/** Deploys a function of `mine/`, which may be bundled from there alone. */
function deploy(source: string, extension = "js"): Promise<Deployed> {
	return atoll.deploy("mine/fn", source, { name: "fn", hostnames: ["fn.test"], root }, extension);
}

async function problem(source: string, extension = "js"): Promise<string> {
	try {
		await deploy(source, extension);
	} catch (error) {
		assert.ok(error instanceof BuildError, `${error}`);
		return error.message;
	}
	return assert.fail("it was built");
}

/** Whether a text is in an artifact or a source map. */
async function wasBuiltIn(text: string): Promise<boolean> {
	const folder = join(atoll.folder, "data/artifacts");
	const kept = (await readdir(folder)).filter((name) => !name.endsWith(".snapshot"));
	return (await Promise.all(kept.map((name) => readFile(join(folder, name))))).some((bytes) => bytes.includes(text));
}

const HANDLER = "export default { fetch: () => new Response('served') };";
const OUTSIDE = /fn\.[jt]sx?:\d+:\d+: its import of ".*" lies outside of the function's root, \//;

before(async () => {
	await atoll.write("theirs/wrangler.json", `{ "vars": { "KEY": "s3cret" } }`);
	await atoll.write("theirs/password.js", "s3cret is no JavaScript");
	await atoll.write("theirs/text.txt", "s3cret");
	await atoll.write("theirs/jsx-runtime.js", "export const jsx = 's3cret';");
	await atoll.write("theirs/tsconfig.json", `{ "compilerOptions": { "jsx": "react", "jsxFactory": "s3cret" } }`);
	await atoll.write("theirs/x.map", `{ "version": 3, "sources": ["s3cret"], "names": [], "mappings": "AAAA" }`);
	execFileSync("mkfifo", [pipe]);
});

beforeEach(async () => {
	await rm(root, { recursive: true, force: true });
	await atoll.write("mine/own.json", `{ "own": true }`);
	await symlink(join(atoll.folder, "theirs"), join(root, "linked"));
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
	["a URL", `file://${join(atoll.folder, "theirs/wrangler.json")}`],
	["a link", "./linked/wrangler.json"],
	["a link to nothing", "./linked/no.json"],
	["a path to nothing", "../no.json"],
	["a query", "../theirs/wrangler.json?x"],
]) {
	test(`what lies outside is not to be had by ${how}`, async () => {
		const source = `import theirs from ${JSON.stringify(specifier)};\nexport default { fetch: () => Response.json(theirs) };`;
		const message = await problem(source);
		assert.match(message, OUTSIDE);
		assert.match(message, /--root/);
	});
}

for (const [how, expression] of [
	["require", `require("../theirs/text.txt")`],
	["import()", `import("../theirs/text.txt")`],
	["a type", `import("../theirs/wrangler.json", { with: { type: "text" } })`],
] as const) {
	test(`nor by ${how}`, async () => {
		const message = await problem(`export default { fetch: () => ${expression} };`);
		assert.match(message, OUTSIDE);
		assert.doesNotMatch(message, /s3cret/);
	});
}

test("an import by a pattern is refused in the same words whatever there is", async () => {
	const messages = new Set<string>();
	for (const expression of [
		`import("../theirs/text" + n)`,
		`import("../theirs/pass" + n, { with: { type: "text" } })`,
		`import("./node/../../theirs/text" + n)`,
		`import(\`../theirs/\${n}/x.txt\`)`,
		`import(\`../\${n}\`).catch(() => 1)`,
		`require("../theirs/" + n)`,
		`require(\`./linked/\${n}\`)`,
		`import("../theirs/none" + n)`,
		`import("../nobody/" + n)`,
		`import("./own." + n)`,
	]) {
		const message = await problem(`const n = Date.now(); globalThis.f = () =>\n${expression};\n${HANDLER}`);
		messages.add(message.replace(/:2:\d+: /, " ").split("\n")[0]);
	}
	assert.equal(messages.size, 1, [...messages].join("\n"));
	assert.match([...messages][0], /fn\.js ?an import by a pattern is not bundled: import each file by its name$/);
});

for (const [field, manifest, specifier] of [
	["main", { main: "../../../theirs/password.js" }, "dep"],
	["exports", { exports: { "./x": "./../../../theirs/password.js" } }, "dep/x"],
	["browser", { main: "./own.js", browser: { "./own.js": "../../../theirs/password.js" } }, "dep"],
] as const) {
	test(`nor by the ${field} field of a package`, async () => {
		await atoll.write("mine/node_modules/dep/own.js", "export default 1;");
		await atoll.write("mine/node_modules/dep/package.json", JSON.stringify(manifest));
		const message = await problem(`import x from "${specifier}";\nexport default { fetch: () => new Response(x) };`);
		assert.match(message, /Could not resolve|lies outside/);
		assert.doesNotMatch(message, /s3cret/);
	});
}

test("nor by packages that are a link, nor by the imports field, nor by a tsconfig.json's paths", async () => {
	await symlink(join(atoll.folder, "theirs"), join(root, "node_modules"));
	assert.match(await problem(`import x from "wrangler.json";\n${HANDLER}`), OUTSIDE);
	await atoll.write("mine/package.json", `{ "imports": { "#x": "./../theirs/password.js", "#y": "../theirs/x.js" } }`);
	assert.match(await problem(`import x from "#x";\n${HANDLER}`), /lies outside|Could not resolve/);
	assert.match(await problem(`import x from "#y";\n${HANDLER}`), /lies outside|Could not resolve/);
	await atoll.write("mine/tsconfig.json", `{ "compilerOptions": { "paths": { "@/*": ["../theirs/*"] } } }`);
	assert.match(await problem(`import x from "@/password.js";\n${HANDLER}`), /lies outside|Could not resolve/);
	assert.match(await problem(`/** @jsxImportSource ../theirs */\nexport const x = <a/>;\n${HANDLER}`, "jsx"), OUTSIDE);
});

test("nor by a tsconfig.json that extends or is one outside", async () => {
	const source = `export default { fetch: () => new Response(String(() => <a/>)) };`;
	const jsx = `{ "compilerOptions": { "jsx": "react" }, "extends": `;
	for (const base of ["../theirs/tsconfig.json", "./linked/tsconfig.json", join(atoll.folder, "theirs/tsconfig")]) {
		await atoll.write("mine/tsconfig.json", `${jsx}${JSON.stringify(base)} }`);
		await deploy(source, "tsx");
		assert.match(await atoll.text("fn"), /React\.createElement/);
	}
	await rm(join(root, "tsconfig.json"));
	await atoll.write("mine/own/jsx-runtime.js", "export const jsx = 1;");
	await symlink(join(atoll.folder, "theirs/tsconfig.json"), join(root, "tsconfig.json"));
	await deploy(`/** @jsxImportSource ./own */ ${source}`, "tsx");
	assert.doesNotMatch(await atoll.text("fn"), /s3cret/);
});

test("nor by a source map, whoever names it", async () => {
	const data = (sources: string[]) =>
		`data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources, names: [], mappings: "AAAA" })).toString("base64")}`;
	const files = [
		"../theirs/text.txt",
		join(atoll.folder, "theirs/text.txt"),
		`file://${atoll.folder}/theirs/text.txt`,
		pipe,
	];
	const comments = [
		`//# sourceMappingURL=${data(files)}`,
		"//# sourceMappingURL=../theirs/x.map",
		"//@ sourceMappingURL=./linked/x.map",
		`/*# sourceMappingURL=${pipe} */`,
		`//# sourceMappingURL=${pipe}\nconst text = "sourceMappingURL=data:,";`,
		"//# sourceMappingURL=own.map",
	];
	await atoll.write("mine/own.map", JSON.stringify({ version: 3, sources: files, mappings: "AAAA" }));
	for (const comment of comments) {
		await deploy(`${HANDLER}\n${comment}`);
		await deploy(`import "data:text/javascript,${encodeURIComponent(`globalThis.x = 1;\n${comment}`)}";\n${HANDLER}`);
		await atoll.write("mine/x.module.css", `.a { color: red }\n${comment.replace("//# ", "/*# ")} */`);
		await deploy(`import css from "./x.module.css"; globalThis.css = css;\n${HANDLER}`);
		assert.equal(await wasBuiltIn("s3cret"), false, comment);
	}
});

test("the source map of a file that was compiled before is used", async () => {
	const map = { version: 3, sources: ["before.ts"], sourcesContent: ["the original"], names: [], mappings: "AAAA" };
	await atoll.write("mine/fn.js.map", JSON.stringify(map));
	await deploy(`${HANDLER}\n//# sourceMappingURL=fn.js.map`);
	assert.equal(await wasBuiltIn("the original"), true);
});

test("nor by a style sheet", async () => {
	for (const rule of [`@import "../theirs/text.txt";`, `.a { background: url("../theirs/text.txt") }`]) {
		await atoll.write("mine/x.module.css", rule);
		const message = await problem(`import css from "./x.module.css"; globalThis.css = css;\n${HANDLER}`);
		assert.match(message, /x\.module\.css:1:\d+: its import of ".*" lies outside/);
	}
});

for (const [what, target] of [
	["a device", "/dev/zero"],
	["a pipe", "own-pipe"],
] as const) {
	test(`${what} is read neither as a module nor for how to build`, async () => {
		execFileSync("mkfifo", [join(root, "own-pipe")]);
		for (const name of ["x.txt", "package.json", "tsconfig.json"]) await symlink(target, join(root, name));
		assert.match(
			await problem(`import x from "./x.txt"; export default { fetch: () => new Response(x) };`),
			/its import of "\.\/x\.txt" (?:lies outside|is no regular file)/,
		);
		await deploy(`${HANDLER}\n//# sourceMappingURL=x.txt`);
	});
}

test("a file that is too large is not read", async () => {
	const path = await atoll.write("mine/large.bin", "");
	await truncate(path, 33 * 2 ** 20);
	assert.match(
		await problem(`import x from "./large.bin"; export default { fetch: () => new Response(x) };`),
		/large\.bin has more than 32 MB/,
	);
});

test("nor by the message about what is wrong with it", async () => {
	assert.doesNotMatch(await problem(`import "../theirs/password.js";\n${HANDLER}`), /s3cret/);
});

test("problems are told at paths in the root, by whichever name it goes", async () => {
	await symlink(root, join(atoll.folder, "by-link"));
	await atoll.write("mine/lib/broken.js", "export default {");
	await atoll.write("mine/fn.js", `export { default } from "./lib/broken.js";`);
	await atoll.write("mine/none.js", "export {};");
	await truncate(await atoll.write("mine/lib/large.bin", ""), 33 * 2 ** 20);
	await atoll.write("mine/reads.js", `export { default } from "./lib/large.bin";`);
	for (const name of ["mine", "by-link"]) {
		const named = join(atoll.folder, name);
		const runtime = await atoll.ready();
		const deployed = (entry: string) =>
			runtime.deploy({ name: "fn", hostnames: ["fn.test"], entry: join(named, entry), root: named });
		const problem = { name: "BuildError" };
		await assert.rejects(deployed("fn.js"), { ...problem, message: /^lib\/broken\.js:1:17: / });
		await assert.rejects(deployed("none.js"), { ...problem, message: /^none\.js: no handler found/ });
		await assert.rejects(deployed("reads.js"), { ...problem, message: /^reads\.js:1:25: lib\/large\.bin has more/ });
		await assert.rejects(deployed("lib/gone.js"), {
			name: "UsageError",
			message: `lib/gone.js: there is no such file in the function's root, ${named}`,
		});
		await assert.rejects(deployed("../elsewhere/index.js"), {
			name: "UsageError",
			message: `../elsewhere/index.js: there is no such file in the function's root, ${named}`,
		});
	}
});

test("a function that itself lies outside is refused, and so is a root that is not there", async () => {
	const entry = await atoll.write("elsewhere.js", "export default { fetch: () => new Response() };");
	const options = { name: "fn", hostnames: ["fn.test"], entry };
	const runtime = await atoll.ready();
	await assert.rejects(
		runtime.deploy({ ...options, root }),
		/^BuildError: \.\.\/elsewhere\.js: it lies outside of the function's root/,
	);
	await assert.rejects(runtime.deploy({ ...options, root: join(root, "none") }), UsageError);
});
