import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

/** The rooms of src/, each with those that it may import from. What stands lower never knows what stands above. */
const MAY_IMPORT: Record<string, string[]> = {
	cli: [
		"index",
		"runtime",
		"config",
		"build",
		"processes",
		"cache",
		"limits",
		"observe",
		"server",
		"router",
		"errors",
		"names",
		"units",
	],
	index: ["runtime", "config", "build", "bindings", "limits", "observe", "processes", "errors"],
	runtime: [
		"server",
		"control",
		"config",
		"build",
		"processes",
		"cache",
		"bindings",
		"helpers",
		"limits",
		"observe",
		"pool",
		"link",
		"errors",
		"names",
		"units",
	],
	server: ["control", "router", "bindings", "helpers", "pool", "limits", "observe", "link", "errors", "names", "units"],
	control: ["router", "cache", "limits", "observe", "link", "errors", "names", "units"],
	config: ["router", "bindings", "limits", "observe", "errors", "names", "units"],
	cache: ["link", "errors", "units"],
	build: ["cache", "processes", "isolates", "limits", "link", "errors", "checkout", "units"],
	compat: [],
	pool: ["processes", "bindings", "isolates", "link", "names", "units"],
	processes: ["checkout", "errors", "link", "units"],
	bindings: ["helpers", "limits", "link", "errors", "units"],
	helpers: ["processes", "link", "units"],
	limits: ["errors", "link", "units"],
	observe: ["limits", "errors"],
	router: ["errors"],
	isolates: ["link", "processes", "units"],
	prelude: ["link"],
	link: ["units"],
	names: [],
	units: [],
	errors: [],
	checkout: [],
};

/** Entries of processes that run functions, and inline mode: these alone load isolated-vm. */
const LOADS_ISOLATES = ["pool/inline-pool.ts", "build/main.ts"];

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

test("nothing that the edge loads is of the folder that runs functions, but for inline mode", () => {
	for (const file of files) {
		if (roomOf(file) === "isolates" || LOADS_ISOLATES.includes(file)) continue;
		for (const { path } of importsOf(file)) assert.notEqual(roomOf(path), "isolates", `${file} imports ${path}`);
	}
});

test("what strangers compressed, and source maps, are read in a helper's process alone", () => {
	const readers = ["helpers/decompression.ts", "helpers/source-map.ts", "helpers/stack.ts"];
	for (const file of files) {
		if (file === "helpers/main.ts" || readers.includes(file)) continue;
		for (const { path } of importsOf(file)) assert.ok(!readers.includes(path), `${file} imports ${path}`);
		assert.doesNotMatch(
			readFileSync(join("src", file), "utf8"),
			/from "(node:)?zlib"|SourceMap\b.*from "node:module"/,
			file,
		);
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
