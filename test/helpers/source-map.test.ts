import assert from "node:assert/strict";
import { SourceMap as NodeSourceMap, type SourceMapPayload } from "node:module";
import { test } from "node:test";
import { buildSync } from "esbuild";
import { type Position, SourceMap } from "../../src/helpers/source-map.ts";
import { mapStack } from "../../src/helpers/stack.ts";

/** The source map of a bundle of this test's own sources, and its text. */
function bundle(): { json: string; code: string } {
	const { outputFiles } = buildSync({
		entryPoints: ["src/helpers/main.ts"],
		bundle: true,
		platform: "node",
		format: "esm",
		sourcemap: "external",
		outfile: "bundle.js",
		write: false,
	});
	const [json, code] = [".js.map", ".js"].map((end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "");
	return { json, code };
}

test("positions are found where Node's own source maps find them", () => {
	const { json, code } = bundle();
	const map = new SourceMap(Buffer.from(json));
	const expected = new NodeSourceMap(JSON.parse(json) as SourceMapPayload);
	const positions: Position[] = code
		.split("\n")
		.flatMap((text, at) =>
			Array.from({ length: text.length + 1 }, (_, column) => ({ line: at + 1, column: column + 1 })),
		);
	const found = map.lookUp(positions);
	assert.equal(found.length, positions.length);
	let compared = 0;
	for (const [i, { line, column }] of positions.entries()) {
		const entry = expected.findEntry(line - 1, column - 1);
		const original = found[i];
		// Where a line begins with what comes from nowhere, Node's gives the end of the one before.
		if (!("originalSource" in entry) || original === null || entry.generatedLine !== line - 1) continue;
		compared++;
		assert.deepEqual(
			[map.sources[original.source], original.line, original.column],
			[entry.originalSource, entry.originalLine + 1, entry.originalColumn + 1],
			`${line}:${column}`,
		);
	}
	assert.ok(compared > positions.length / 2, `${compared} of ${positions.length}`);
});

test("what is no source map is none", () => {
	for (const json of ["", "{", "null", "[]", `{"sources":[]}`, `{"mappings":"AAAA"}`])
		assert.throws(() => new SourceMap(Buffer.from(json)), json);
	const wild = new SourceMap(Buffer.from(`{"sources":["a"],"mappings":"${"////////g".repeat(100)},AAAAAAAAAAA;é,!"}`));
	assert.equal(
		wild.lookUp([
			{ line: 1, column: 1 },
			{ line: 9, column: 9 },
		]).length,
		2,
	);
});

test("frames are mapped wherever they stand, and nothing else is", () => {
	const mappings = "AAAA;AACA,UAAU";
	const map = new SourceMap(Buffer.from(JSON.stringify({ sources: ["a.ts"], sourcesContent: ["one\ntwo"], mappings })));
	const text = [
		"Error: x.js:1:1",
		"    at f (x.js:2:12)",
		"    at x.js:2:1",
		"    at g (y.js:1:1)",
		"    at f (xx.js:2:12)",
		"    at f (x.js:2:12) and more",
		"    at Object.fetch (atoll:prelude:1:1)",
	].join("\n");
	assert.deepEqual(mapStack({ filename: "x.js", text }, map), {
		text: [
			"Error: x.js:1:1",
			"    at f (a.ts:2:11)",
			"    at a.ts:2:1",
			"    at g (y.js:1:1)",
			"    at f (xx.js:2:12)",
			"    at f (x.js:2:12) and more",
		].join("\n"),
		excerpt: { file: "a.ts", line: 2, text: "two" },
	});
});
