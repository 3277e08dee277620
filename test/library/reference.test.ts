import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("docs/api.md has what the library exports, and nothing else", () => {
	const source = readFileSync("src/index.ts", "utf8");
	const listed = [...source.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, names]) => names.split(","));
	const names = listed.map((name) => name.replace("type ", "").trim()).concat("createRuntime");
	const page = readFileSync("docs/api.md", "utf8");
	const documented = [...page.matchAll(/^### (\w+)(?:\(\))?$/gm)].map(([, name]) => name);
	assert.deepEqual(documented.toSorted(), names.toSorted());
});
