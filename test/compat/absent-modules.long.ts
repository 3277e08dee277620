/** Modules of Node's that a function does not have fail where they are used, in packages, and not when they are built. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });

/** What a function says that imports a package of this source. */
async function withPackage(name: string, source: string, use: string, extension = "js"): Promise<unknown> {
	await atoll.ready();
	await atoll.write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: `index.${extension}` }));
	await atoll.write(`node_modules/${name}/index.${extension}`, source);
	await atoll.deploy(
		name,
		`import * as it from "${name}";
		const told = (error) => [error.name, error.code, error.message];
		export default { async fetch() { return Response.json(await (async () => { ${use} })().catch(told) ?? null); } };`,
	);
	return JSON.parse(await atoll.text(name));
}

const WHY = '"fs" is a Node.js built-in, which a function does not have. Use instead: an `import` of the file';

function isWhy(told: unknown, member: string): void {
	const [name, code, message] = told as string[];
	assert.deepEqual([name, code], ["Error", "MODULE_NOT_FOUND"]);
	assert.ok(message.startsWith(`${member}${WHY}`), message);
}

test("what a package requires at its top level fails when it is called, with the name and what to use instead", async () => {
	const source = `const fs = require("fs"); const { readFile } = require("fs"); const { Stats } = fs;
		class Mine extends fs.ReadStream {}
		exports.read = () => fs.readFileSync("x"); exports.other = () => readFile("x"); exports.deep = () => fs.promises.open("x");
		exports.make = () => new Mine(); exports.isStats = () => ({}) instanceof Stats; exports.has = "statSync" in fs;
		exports.text = String(fs.constants.O_RDONLY | 4);`;
	isWhy(await withPackage("required", source, "return it.read();"), "fs.readFileSync: ");
	isWhy(await withPackage("required2", source, "return it.other();"), "fs.readFile: ");
	isWhy(await withPackage("required3", source, "return it.deep();"), "fs.promises.open: ");
	isWhy(await withPackage("required4", source, "return it.make();"), "fs.ReadStream: ");
	assert.deepEqual(await withPackage("required5", source, "return [it.isStats(), it.has, it.text];"), [
		false,
		false,
		"4",
	]);
});

test("what a package imports fails when it is called, in each form of an import", async () => {
	const source = `import fs from "fs"; import * as all from "fs"; import { readFileSync } from "fs"; import "child_process";
		export const viaDefault = () => fs.readFileSync("x"); export const viaAll = () => all.readFileSync("x");
		export const viaName = () => readFileSync("x"); export const same = all.default === fs;`;
	for (const way of ["viaDefault", "viaAll", "viaName"])
		isWhy(
			await withPackage(`imported-${way.toLowerCase()}`, source, `return it.${way}();`, "mjs"),
			"fs.readFileSync: ",
		);
	assert.equal(await withPackage("imported", source, "return it.same;", "mjs"), true);
});

test("a package that tries to require a module, or imports it later, is told as it does so", async () => {
	const source = `let found = "nothing"; let again = "nothing";
		try { found = require("fs"); } catch (error) { found = error.code; }
		try { if (found !== null) { const { a } = { a: 1 }; again = require( "fs" ); } } catch (error) { again = error.code; }
		exports.found = [found, again]; exports.later = () => import("worker_threads").catch((error) => error.code);`;
	const told = await withPackage("tries", source, "return [it.found, await it.later()];");
	assert.deepEqual(told, [["MODULE_NOT_FOUND", "MODULE_NOT_FOUND"], "MODULE_NOT_FOUND"]);
});

test("what is required in a function within a try is no trial", async () => {
	const source = `let load; try { load = () => { const { readFileSync } = require("fs"); return readFileSync; }; } catch {}
		exports.type = () => typeof load();`;
	assert.equal(await withPackage("within", source, "return it.type();"), "function");
});

test("what a package requires of the modules that are there is what Node gives it", async () => {
	const names = ["assert", "buffer", "crypto", "events", "http", "os", "path", "process", "stream", "url", "util"];
	const source = `exports.types = [${names.map((name) => `typeof require("${name}")`).join()}];
		const EventEmitter = require("events"); const Stream = require("stream"); const { once } = require("node:events");
		function Old() { EventEmitter.call(this); } Old.prototype = Object.create(EventEmitter.prototype);
		exports.same = [EventEmitter.EventEmitter === EventEmitter, EventEmitter.once === once, new Old() instanceof EventEmitter, Stream.Readable.prototype instanceof Stream, new (require("assert").AssertionError)({ message: "m" }).message];`;
	const found = await withPackage("requires", source, "return [it.types, it.same];");
	const types = names.map((name) => typeof process.getBuiltinModule(name));
	assert.deepEqual(found, [types, [true, true, true, true, "m"]]);
});

test("what Node's module has and a function's does not fails when it is called, and the rest works", async () => {
	const uses = `const told = (f) => { try { return f(); } catch (error) { return [error.code, error.message]; } };
		return [it.hash(), told(it.sign), it.isKey, it.type];`;
	const rest = `const hash = () => createHash("md5").update("a").digest("hex"); const sign = () => createSign("sha256"); const isKey = {} instanceof KeyObject; const type = typeof inspect;`;
	const expected = [
		"0cc175b9c0f1b6a831c399e269772661",
		["MODULE_NOT_FOUND", 'crypto.createSign: a function does not have this of Node\'s module "crypto".'],
		false,
		"function",
	];
	const names = "createHash, createSign, KeyObject";
	const imported = `import { ${names} } from "node:crypto"; import util, { inspect } from "util"; ${rest} export { hash, sign, isKey, type };`;
	assert.deepEqual(await withPackage("some-imported", imported, uses, "mjs"), expected);
	const required = `const { ${names} } = require("crypto"); const { inspect } = require("util"); ${rest} module.exports = { hash, sign, isKey, type };`;
	assert.deepEqual(await withPackage("some-required", required, uses), expected);
	await assert.rejects(
		atoll.deploy("some-own", `import { createSign } from "node:crypto"; export default { fetch: () => createSign() };`),
		/some-own\.js:1:10: No matching export in .* for import "createSign"/,
	);
});

test("a package that says it does without a module in a browser gets none of it", async () => {
	await atoll.ready();
	await atoll.write(
		"node_modules/without/package.json",
		JSON.stringify({ name: "without", main: "index.js", browser: { fs: false, util: false } }),
	);
	await atoll.write(
		"node_modules/without/index.js",
		`exports.fs = Object.keys(require("fs")); exports.util = typeof require("util").inspect;`,
	);
	await atoll.deploy(
		"without",
		`import { fs, util } from "without"; export default { fetch: () => Response.json([fs, util]) };`,
	);
	assert.deepEqual(JSON.parse(await atoll.text("without")), [[], "function"]);
});

test("a require in an author's own file fails as it is reached, and an import when it is built", async () => {
	await atoll.deploy(
		"own",
		`let tried; try { require("node:fs"); } catch (error) { tried = error.code; }
		const inNode = () => require("child_process");
		export default { fetch: () => Response.json([tried, typeof inNode]) };`,
	);
	assert.deepEqual(JSON.parse(await atoll.text("own")), ["MODULE_NOT_FOUND", "function"]);
	await assert.rejects(
		atoll.deploy(
			"own-import",
			`import fs from "fs"; export default { fetch: () => new Response(fs.readFileSync("x")) };`,
		),
		/own-import\.js:1:16: "fs" is a Node\.js built-in, which a function does not have\. Use instead: /,
	);
	const { startFailure } = await atoll.deploy(
		"own-top",
		`const fs = require("fs"); export default { fetch: () => new Response(fs.readFileSync("x")) };`,
	);
	assert.ok(startFailure?.includes(WHY), `${startFailure}`);
});
