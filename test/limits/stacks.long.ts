import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** A source whose map has some 5 MB, which fails at its very end. */
function largeSource(): string {
	const parts = ["const f: ((a: number, b: number) => unknown)[] = [];"];
	for (let i = 0; i < 16_000; i++)
		parts.push(`f.push((a, b) => (a > b ? [a, b, { x: a * ${i} + b }] : [b].map((c) => c)));`);
	parts.push(`export default { fetch() { if (f.length > 0) throw new Error("at the end"); return new Response(); } };`);
	return parts.join("\n");
}

/** Each of them has `name.js:`, no end that makes a frame of it, and less than a line may have. */
const BACKTRACKING = `
	const lines = [
		"    at " + "a.js:1:".repeat(2000) + " lines.js:",
		"    at ".repeat(2000) + "lines.js:1:1x",
		" ".repeat(15000) + "at lines.js:1",
		"    at " + "(".repeat(10000) + "lines.js:1:1)))",
	];
	export default { fetch() { for (const line of lines) console.log(line); return new Response("logged"); } };`;

inBothIsolations("stacks", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	test("lines that look like frames without being any are logged as they are, and read by nobody but a helper", async () => {
		await atoll.deploy("lines", BACKTRACKING);
		await atoll.deploy("neighbour", `export default { fetch: () => new Response("neighbour") };`);
		const before = atoll.runtime.stats().mappings;
		for (let i = 0; i < 3; i++) assert.equal(await atoll.text("lines"), "logged");
		assert.equal(await atoll.text("neighbour"), "neighbour");
		await atoll.record("lines", 2);
		const lines = atoll.logs.filter((line) => line.function === "lines").map(({ message }) => message);
		assert.equal(lines.length, 12);
		for (const line of lines) assert.doesNotMatch(line, /not mapped|\.js:\d+:\d+$/);
		assert.ok(atoll.runtime.stats().mappings >= before + 12);
	});

	test("the stack of a function with a source map of megabytes is mapped", async () => {
		await atoll.deploy("large", largeSource(), {}, "ts");
		assert.equal((await atoll.fetch("large")).status, 500);
		const { message } = await atoll.log("at the end");
		assert.match(message, /Error: at the end\n\s+at Object\.fetch \(.*large\.ts:16002:52\)$/);
	});

	test("lines stay in order whether they are mapped or not, and the record comes after them", async () => {
		const told: string[] = [];
		const unsubscribe = atoll.runtime.subscribe({
			log: ({ message }) => told.push(message.split("\n")[0]),
			record: () => told.push("the record"),
		});
		await atoll.deploy(
			"order",
			`export default { fetch() {
				for (let i = 0; i < 5; i++) { console.log("line " + i); console.error(new Error("error " + i)); }
				console.log("last");
				return new Response();
			} };`,
		);
		await atoll.text("order");
		await until(() => told.includes("the record"));
		unsubscribe();
		const expected = [0, 1, 2, 3, 4].flatMap((i) => [`line ${i}`, `Error: error ${i}`]);
		assert.deepEqual(told, [...expected, "last", "the record"]);
	});

	test("stacks beyond what a tenant may have mapped are told unmapped, and say so", async () => {
		await atoll.deploy(
			"floods",
			`export default { fetch() {
				const { stack } = new Error("flood");
				for (let i = 0; i < 2000; i++) console.log(i + stack);
				return new Response();
			} };`,
			{ limits: { logBytes: 10_000_000 } },
		);
		await atoll.text("floods");
		await atoll.record("floods");
		const lines = atoll.logs.filter((line) => line.function === "floods").map(({ message }) => message);
		assert.equal(lines.length, 2000);
		assert.deepEqual(
			lines.map((line) => Number.parseInt(line, 10)),
			lines.map((_, i) => i),
		);
		assert.match(lines[0], /floods\.js:2:\d+/);
		assert.ok(lines.some((line) => line.includes("(not mapped into the source: too much of it waits already)")));
	});

	test("a stack whose source map is gone is told unmapped, and says so", async () => {
		await atoll.deploy("gone", `export default { fetch() { throw new Error("without a map"); } };`);
		const folder = join(atoll.folder, "data/artifacts");
		for (const file of await readdir(folder)) if (file.endsWith(".map")) await rm(join(folder, file));
		await atoll.text("gone");
		const { message } = await atoll.log("without a map");
		assert.match(message, /at Object\.fetch \(gone\.js:\d+:\d+\)[\s\S]*\(not mapped into the source: .*ENOENT/);
	});
});
