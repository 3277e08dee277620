import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

/** The rooms of src/, each with those that it may import from. What stands lower never knows what stands above. */
const MAY_IMPORT: Record<string, string[]> = {
	cli: ["index", "runtime", "config", "build", "launcher", "cache", "limits", "observe", "server", "errors"],
	index: ["runtime", "config", "build", "effects", "limits", "observe", "sandbox", "errors"],
	runtime: [
		"server",
		"control",
		"config",
		"build",
		"launcher",
		"cache",
		"effects",
		"limits",
		"observe",
		"sandbox",
		"isolates",
		"errors",
	],
	server: ["control", "router", "effects", "sandbox", "limits", "observe", "isolates", "prelude", "errors"],
	control: ["router", "cache", "limits", "observe", "isolates", "errors"],
	config: ["effects", "limits", "observe", "isolates", "errors"],
	cache: ["isolates", "errors"],
	build: ["cache", "sandbox", "launcher", "isolates", "limits", "errors", "checkout"],
	sandbox: ["launcher", "effects", "isolates", "prelude"],
	launcher: ["checkout"],
	effects: ["isolates", "limits", "prelude", "errors"],
	limits: ["isolates", "errors"],
	observe: ["limits", "errors"],
	router: ["errors"],
	isolates: ["prelude"],
	prelude: [],
	errors: [],
	checkout: [],
};

/** Entries of processes that run functions, and inline mode: these alone load isolated-vm. */
const LOADS_ISOLATES = ["sandbox/main.ts", "sandbox/inline-pool.ts", "build/main.ts"];

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function importsOf(file: string): { path: string; typeOnly: boolean }[] {
	const text = readFileSync(join("src", file), "utf8");
	const pattern = /^(?:import|export)\s+(type\s+)?[^"';]*?from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/gm;
	return [...text.matchAll(pattern)].map(([, type, from, dynamic]) => ({
		path: relative("src", join("src", dirname(file), from ?? dynamic)),
		typeOnly: type !== undefined,
	}));
}

const roomOf = (file: string) => (file.includes("/") ? file.split("/")[0] : file.replace(/\.ts$/, ""));

test("imports point one way", () => {
	for (const file of files) {
		for (const { path } of importsOf(file)) {
			const [from, to] = [roomOf(file), roomOf(path)];
			assert.ok(from === to || MAY_IMPORT[from].includes(to), `${file} imports ${path}`);
		}
	}
});

test("the edge's own code never loads isolates: of their folder it knows the protocol alone", () => {
	for (const file of files) {
		if (roomOf(file) === "isolates" || LOADS_ISOLATES.includes(file)) continue;
		for (const { path } of importsOf(file))
			assert.ok(roomOf(path) !== "isolates" || path === "isolates/protocol.ts", `${file} imports ${path}`);
	}
});

test("no file imports itself over others", () => {
	const graph = new Map(
		files.map((file) => [
			file,
			importsOf(file)
				.filter(({ typeOnly }) => !typeOnly)
				.map(({ path }) => path),
		]),
	);
	const done = new Set<string>();
	const visit = (file: string, path: string[]): void => {
		if (done.has(file)) return;
		assert.ok(!path.includes(file), `circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
		for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
		done.add(file);
	};
	for (const file of files) visit(file, []);
});
