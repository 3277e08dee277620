import assert from "node:assert/strict";
import { SourceMap } from "node:module";
import { test } from "node:test";
import { convert } from "../../src/build/conversion.ts";
import { moduleOf } from "../../src/build/given-files.ts";

/** What a module is converted to, and what its exports are when that has run; `null` where it has to be bundled. */
async function converted(source: string, { file = "index.js", bundled = true } = {}) {
	const module = moduleOf({ main: file, files: { [file]: source }, bundled });
	const bundle = module && (await convert(module));
	if (bundle === null) return null;
	assert.ok(bundle.ok);
	const { code, sourceMap, inputs } = bundle;
	assert.deepEqual(inputs, [file]);
	let exported: Record<string, unknown> = {};
	const own = {
		__atoll_exports(exports: Record<string, unknown>) {
			exported = exports;
		},
	};
	new Function("globalThis", code)(own);
	return { code, sourceMap, exported };
}

test("a module that was bundled before, and needs nothing, is converted and not bundled again", async () => {
	const result = await converted(`
const greeting = "hello";
export class Entry { greet() { return greeting; } }
export { greeting as said };
export default { fetch() { return new Entry().greet(); } };`);
	const { exported } = result ?? assert.fail("it was not converted");
	assert.deepEqual(Object.keys(exported).toSorted(), ["Entry", "default", "said"]);
	assert.equal((exported.default as { fetch: () => string }).fetch(), "hello");
	assert.equal(exported.said, "hello");
});

test("its source map leads to where its code came from", async () => {
	const source = `export default {\n\tfetch() { throw new Error("here"); },\n};\n`;
	const { code, sourceMap } = (await converted(source)) ?? assert.fail("it was not converted");
	const line = code.split("\n").findIndex((text) => text.includes('new Error("here")'));
	const column = code.split("\n")[line].indexOf("new Error");
	const entry = new SourceMap(JSON.parse(sourceMap)).findEntry(line, column) as { originalLine: number };
	assert.equal(entry.originalLine, 1);
});

test("what imports, listens, names what has to be put there, or is no module, is bundled", async () => {
	const exports = "export default { fetch() {} };";
	for (const source of [
		`import { env } from "cloudflare:workers"; ${exports}`,
		`export * from "./other.js";`,
		`export default { fetch: () => import("./other.js") };`,
		`export default { fetch: () => process.env.NODE_ENV };`,
		`export default { fetch: () => Buffer.from("x") };`,
		`addEventListener("fetch", () => {}); ${exports}`,
		`await null; ${exports}`,
		`exports.default = { fetch() {} };`,
		`addEventListener("fetch", () => {});`,
		`Deno.serve(() => new Response("/export"));`,
		`export * from/**/"./other.js";`,
		`${exports}\n//# sourceMappingURL=index.js.map`,
		`export default { fetch( };`,
	])
		assert.equal(await converted(source), null, source);
	assert.equal(await converted(exports, { file: "index.ts" }), null);
	assert.equal(await converted(exports, { bundled: false }), null);
});
