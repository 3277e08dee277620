import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generated } from "../../scripts/reference/generated.ts";

test("docs/api.md has what the library exports, and nothing else", () => {
	const source = readFileSync("src/index.ts", "utf8");
	const listed = [...source.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, names]) => names.split(","));
	const names = listed.map((name) => name.replace("type ", "").trim()).concat("createRuntime");
	const page = readFileSync("docs/api.md", "utf8");
	const documented = [...page.matchAll(/^### (\w+)(?:\(\))?$/gm)].map(([, name]) => name);
	assert.deepEqual(documented.toSorted(), names.toSorted());
});

test("the admin API's page and the schemas of configurations are what the source says", () => {
	for (const [path, text] of Object.entries(generated()))
		assert.equal(readFileSync(path, "utf8"), text, `${path}: npm run reference`);
});

test("the schemas tell of each key and each limit", () => {
	for (const [path, limits] of [
		["schema/server.json", "maxLimits"],
		["schema/function.json", "limits"],
	]) {
		const { properties } = JSON.parse(readFileSync(path, "utf8")) as {
			properties: Record<string, { description?: string; properties: Record<string, { description?: string }> }>;
		};
		for (const [key, { description }] of [
			...Object.entries(properties),
			...Object.entries(properties[limits].properties),
		])
			assert.ok(description, `${path}: ${key}`);
	}
});
