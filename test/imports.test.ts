import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { broken, circle, type House, importsOf } from "./support/imports.ts";

/**
 * Which process each room's code runs in; where a room has code of several, its files say it. `top` is the edge's
 * process too, and what its user starts or imports.
 */
const PROCESS_OF = {
	cli: "top",
	"index.ts": "top",
	"runtime.ts": "top",

	// What starts the processes of `atoll up`, and those beside sandboxes.
	supervisor: "supervisor",
	edge: "top",
	control: "control",
	feed: "edge",
	"feed/log-frames.ts": "both ends",
	assets: "edge",
	// What `atoll deploy` and its like do on a developer's machine.
	client: "top",

	http: "edge",
	server: "edge",
	invocation: "edge",
	deployments: "edge",
	config: "edge",
	router: "edge",
	pool: "edge",
	limits: "edge",
	"limits/limits.ts": "both ends",
	cache: "edge",
	observe: "edge",
	"observe/record.ts": "both ends",
	"observe/tally.ts": "both ends",
	"observe/faas.ts": "both ends",
	"observe/span.ts": "both ends",
	"observe/metrics-snapshot.ts": "both ends",
	bindings: "edge",
	"names.ts": "both ends",
	"version.ts": "both ends",
	"checkout.ts": "edge",
	"fnv.ts": "edge",

	isolates: "sandbox",

	prelude: "isolate",
	compat: "isolate",

	// The edge's side of builds, and what makes the prelude of atoll's own source …
	build: "edge",
	// … and what bundles and compiles functions, with all that reads their files.
	"build/main.ts": "build",
	"build/absent.ts": "build",
	"build/code-caches.ts": "build",
	"build/bundler.ts": "build",
	"build/esbuild-service.ts": "build",
	"build/bundle.ts": "build",
	"build/conversion.ts": "build",
	"build/gate.ts": "build",
	"build/input-map.ts": "build",
	"build/manifest.ts": "build",
	"build/node-modules.ts": "build",
	"build/resolver.ts": "build",
	"build/sources.ts": "build",
	"build/tsconfig.ts": "build",
	"build/root.ts": "both ends",
	"build/problem.ts": "both ends",

	// The edge's side of helpers, and what reads strangers' bytes.
	helpers: "edge",
	"helpers/main.ts": "helper",
	"helpers/decompression.ts": "helper",
	"helpers/source-map.ts": "helper",
	"helpers/stack.ts": "helper",
	"helpers/profile.ts": "helper",
	"helpers/coding.ts": "both ends",
	"helpers/mapped-stack.ts": "both ends",

	// What keeps what functions store, with the stores of bindings …
	data: "data",
	stores: "data",
	// What runs in a process of SQL, beside them.
	sql: "data",
	// … and the edge's side of it.
	"stores/data-process.ts": "edge",
	"stores/data-processes.ts": "edge",
	"stores/asked-child.ts": "edge",
	"stores/sql-processes.ts": "edge",
	"stores/sql-line.ts": "edge",
	"stores/content.ts": "edge",
	"bindings/kv/calls.ts": "both ends",
	"bindings/caches/calls.ts": "both ends",
	"bindings/analytics/calls.ts": "both ends",
	"bindings/objects/calls.ts": "both ends",
	"bindings/queue/calls.ts": "both ends",
	"stores/storage-rule.ts": "both ends",
	"stores/sqlite.ts": "both ends",

	// What keeps the log, and what it is asked by.
	logs: "data",
	"logs/calls.ts": "both ends",
	"logs/query": "both ends",

	// What hands traces and metrics to a collector.
	export: "export",

	// Where events come from.
	sources: "edge",

	// What calls functions beside requests.
	triggers: "edge",
	"triggers/invocation-calls.ts": "both ends",
	"triggers/invocation-store.ts": "data",

	// What the edge knows of processes, and the launcher, which starts them.
	processes: "edge",
	"processes/launcher-main.ts": "launcher",
	"processes/timer-slack.ts": "launcher",
	"processes/last-words.ts": "launcher",
	"processes/kill.ts": "both ends",
	"processes/launch.ts": "both ends",
	"processes/users.ts": "both ends",
	"processes/permissions.ts": "both ends",
	"processes/spare-memory.ts": "both ends",

	link: "both ends",
	"units.ts": "both ends",
	"errors.ts": "both ends",
};

/**
 * Whose code each process loads. The edge and the launcher are trusted; sandboxes, isolates, builds, helpers and data
 * processes run or read what tenants made, and only `both ends` is on either side of that wall.
 */
const MAY_LOAD = {
	top: ["top", "edge", "supervisor", "both ends"],
	supervisor: ["supervisor", "edge", "both ends"],
	// It builds and checks what edges serve, and no edge loads any of it.
	control: ["control", "supervisor", "edge", "both ends"],
	edge: ["edge", "both ends"],
	launcher: ["launcher", "both ends"],
	sandbox: ["sandbox", "both ends"],
	isolate: ["isolate", "both ends"],
	build: ["build", "sandbox", "both ends"], // It starts a function once, as a sandbox does, to keep its code cache.
	helper: ["helper", "both ends"],
	data: ["data", "both ends"],
	export: ["export", "both ends"],
	"both ends": ["both ends"],
};

const DOORS = {
	"pool/inline-pool.ts → isolates/host.ts": "inline mode, for trusted code, runs isolates in the edge's process",
};

/** The rooms of src/, each with those that it may import from, and why. What stands lower never knows what stands above. */
const ROOMS = {
	supervisor: {
		config: "how it is set up",
		checkout: "a checkout's compiled modules are kept",
		errors: "a port that is taken",
		units: "types",
	},
	edge: {
		supervisor: "it is started and ended by it",
		fnv: "some of an invocation's lines are told, or all",
		config: "at which hostname events are taken",
		sources: "keys of sources",
		feed: "what control desires",
		deployments: "is put into service",
		runtime: "it is one, told what to serve while its sandboxes start",
		server: "listens on the supervisor's socket",
		observe: "the log",
		processes: "what it has needed to start is given back",
		names: "keys of functions",
		units: "types",
	},
	control: {
		http: "the cookie that no function is to have",
		assets: "what is known of the files of versions",
		version: "what it tells of itself",
		logs: "what the log process is asked, and the language of queries",
		supervisor: "it is started and ended by it",
		triggers: "what calls functions beside requests",
		sources: "where events come from, and whom they are for",
		feed: "tells edges what is desired",
		config: "how it is set up, and what an upload may be",
		deployments: "versions are built and hostnames claimed by the edge's own rules",
		build: "builds what is uploaded",
		cache: "keeps artifacts",
		processes: "builds are processes",
		bindings: "what versions are bound to, and queues and namespaces as functions have them",
		stores: "asks a data process of its own for what functions have stored",
		limits: "within the operator's ceilings",
		link: "what came of a start",
		router: "hostnames in normal form",
		observe: "records that are watched, and the log",
		errors: "what an operator is told",
		names: "tenants and functions",
		units: "types",
	},
	logs: {
		feed: "records and lines as edges tell them",
		link: "frames of data processes",
		stores: "what is refused",
		observe: "types of records, and of what is counted",
		names: "types of functions",
		units: "types",
	},
	export: {
		observe: "spans, and what is counted",
		link: "frames between it and control",
		units: "types",
	},
	client: {
		assets: "reads folders of files",
		config: "reads configurations",
		observe: "what a function says is printed",
		link: "the form of profiles",
		units: "types",
	},
	assets: {
		http: "what a request has already, and which part it wants",
		errors: "a folder that cannot be served",
		units: "types",
	},
	feed: {
		triggers: "types of what is desired",
		sources: "types of what is desired",
		assets: "types of what is desired",
		deployments: "types of what is desired",
		bindings: "types of what is desired",
		limits: "types of what is desired, and of who is refused",
		link: "types of what is desired",
		observe: "types of records, and of what is counted",
		names: "types of functions",
		units: "types",
	},
	cli: {
		supervisor: "`atoll up` starts it",
		sources: "where functions' events come from",
		client: "commands that ask a server",
		version: "`atoll --version`",
		bindings: "what a function is started with by `atoll build`",
		assets: "`atoll build` counts files",
		index: "a server is a runtime as anybody embeds it",
		invocation: "`atoll dev` takes events by hand",
		runtime: "the type of what is served",
		config: "folders and flags are read as options",
		build: "`atoll build`, and problems to print",
		processes: "builds are started, and the layers that are on are told",
		cache: "where `atoll build` puts artifacts",
		limits: "`--max`",
		observe: "records and lines become the log",
		server: "`atoll serve` listens",
		router: "hostnames under a domain",
		errors: "what users are told",
		names: "the tenant `default`",
		units: "types",
	},
	index: {
		deployments: "the type of a deployment",
		invocation: "types of events",
		runtime: "what is exported",
		server: "types of listeners",
		config: "types of options",
		build: "the error of a build",
		bindings: "checks of addresses that an embedder may use",
		limits: "types of limits",
		observe: "types of records",
		processes: "the type of containment",
		errors: "what is exported",
	},
	runtime: {
		router: "hostnames in normal form",
		assets: "files that were uploaded with functions",
		invocation: "dispatches events, and places versions",
		server: "serves requests",
		deployments: "knows what is deployed",
		config: "checks its options",
		build: "builds what is deployed",
		processes: "starts the launcher",
		cache: "keeps artifacts",
		bindings: "fetches for functions",
		helpers: "starts them",
		stores: "starts the data process",
		triggers: "has functions called by time and queues",
		sources: "takes events",
		limits: "owns the accounts",
		observe: "tells subscribers",
		pool: "starts sandboxes",
		link: "settings of a sandbox",
		errors: "closed, and what else is refused",
		names: "the tenant `default`",
		units: "types",
	},
	server: {
		http: "which encodings a client takes",
		assets: "answers by files",
		invocation: "a request is an event, and becomes an invocation",
		names: "functions that are asked for by name",
		config: "where a listener stands",
		deployments: "a hostname's version",
		router: "hostnames in normal form",
		bindings: "what functions do outside",
		helpers: "maps stacks",
		limits: "gates, budgets and accounts",
		observe: "guards callbacks, makes records",
		link: "heads, bodies and messages",
		errors: "refusals",
		units: "types",
	},
	invocation: {
		stores: "what changes are called",
		deployments: "an event is for a released version",
		bindings: "what functions do outside",
		helpers: "maps the stacks of lines",
		pool: "runs attempts",
		limits: "gates, budgets and accounts",
		link: "heads, verdicts and messages",
		observe: "guards callbacks, makes records",
		errors: "outcomes",
		names: "whose sandboxes may be shared",
		units: "types",
	},
	deployments: {
		fnv: "whoever asks stays with a version",
		triggers: "what calls functions beside requests",
		assets: "what is known of the files of versions",
		feed: "what control desires",
		config: "what is deployed has been checked",
		build: "builds it, and tries it",
		bindings: "what stands in `env`",
		router: "holds the table of hostnames",
		cache: "a version has an artifact",
		limits: "a function has gates, strikes and a pace",
		observe: "lines of a version come in order",
		link: "numbers of versions and tenants",
		errors: "what is not deployed",
		names: "tenants and functions",
		units: "types",
	},
	config: {
		sources: "what is said of them is checked",
		assets: "what is said of sites is checked",
		triggers: "what calls functions beside requests",
		router: "hostnames are checked",
		bindings: "address ranges are checked",
		limits: "limits are checked",
		observe: "the type of a logger",
		errors: "what is refused",
		names: "tenants and functions",
		units: "types",
	},
	cache: { link: "an artifact is what a sandbox is sent", errors: "a folder that cannot be had", units: "types" },
	build: {
		bindings: "their isolate's sides are a part of the prelude",
		cache: "artifacts are looked up and kept",
		processes: "builds are processes",
		isolates: "a build starts the function as a sandbox does",
		limits: "places for builds, the largest bundle",
		link: "frames of builds",
		errors: "files outside of the root",
		checkout: "the prelude of a checkout is kept",
		units: "types",
	},
	compat: {},
	pool: {
		processes: "sandboxes are processes",
		bindings: "an attempt's effects",
		isolates: "inline mode",
		link: "commands and events",
		names: "which tenant shares sandboxes with whom",
		units: "types",
	},
	processes: {
		checkout: "what a checkout bundles is kept",
		errors: "a control group that cannot be had",
		link: "a child's frames",
		units: "types",
	},
	bindings: {
		assets: "files that were uploaded with functions",
		http: "how responses are kept, and asked for again",
		prelude: "an isolate's side is made of it",
		names: "functions are called by theirs",
		helpers: "bodies are decompressed there",
		stores: "keep what functions put into them",
		limits: "budgets of subrequests",
		observe: "calls are spans, and requests go on with a trace",
		link: "effects come as messages",
		errors: "an invalid range of addresses",
		units: "types",
	},
	triggers: {
		invocation: "types of events",
		bindings: "what queues are asked for",
		stores: "keep messages, and when schedules were run",
		observe: "outcomes",
		names: "functions",
		units: "types",
	},
	sources: {
		server: "takes requests",
		invocation: "what an event is",
		triggers: "takes in what functions are called with",
		stores: "asks a data process",
		observe: "where an event stands in its trace",
		limits: "accounts of bodies, and how much may be sent",
		router: "hostnames in normal form",
		names: "functions and tenants",
		units: "types",
	},
	data: {
		bindings: "their stores",
		triggers: "the store of invocations",
		stores: "what stores are kept in",
		link: "frames of data processes",
		units: "types",
	},
	sql: {
		link: "frames of data processes",
		units: "types",
	},
	stores: {
		fnv: "which process keeps a tenant's",
		processes: "a data process is one",
		link: "frames of data processes",
		errors: "a data folder that is kept by more processes, or fewer",
		names: "tenants",
		units: "types",
	},
	helpers: { processes: "a helper is a process", link: "frames of helpers", units: "types" },
	limits: { errors: "limits that are refused", link: "what counts as light is the sandbox's word too", units: "types" },
	observe: {
		link: "types of what sandboxes tell of themselves",
		limits: "a record names the limits exceeded",
		errors: "an outcome is an error's code",
		names: "a function's name as a person reads it",
		units: "types",
	},
	router: { errors: "an invalid hostname" },
	isolates: {
		link: "commands and events",
		processes: "permissions are dropped once all is loaded",
		units: "types",
	},
	prelude: { bindings: "the globals among them", link: "kinds of messages, heads" },
	http: { link: "lists of headers", units: "types" },
	link: { units: "types" },
	names: {},
	version: {},
	units: {},
	errors: {},
	fnv: {},
	checkout: {},
};

const files = new Map(
	readdirSync("src", { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".ts"))
		.map((file) => [file, readFileSync(join("src", file), "utf8")]),
);
const RULES = { processOf: PROCESS_OF, mayLoad: MAY_LOAD, rooms: ROOMS, doors: DOORS };

test("imports point one way, and none goes through a process's wall", () => {
	assert.deepEqual(broken({ files, ...RULES }), []);
});

test("no file imports itself over others", () => {
	assert.equal(circle(files), null);
});

test("what strangers compressed, and source maps, are read in a helper's process alone", () => {
	const reading = /\b(?:from|import\(|require\() ?"(?:node:)?zlib"|SourceMap\b[^;]*from "node:module"/;
	assert.match(files.get("helpers/decompression.ts") as string, reading);
	// Compressing takes bytes as they are, and as long for any of them.
	const compressing = /import \{ brotliCompress, constants \} from "node:zlib";\n/;
	for (const [file, text] of files)
		if (PROCESS_OF[file as keyof typeof PROCESS_OF] !== "helper")
			assert.doesNotMatch(text.replace(compressing, ""), reading, file);
});

/** A house of two rooms with a wall between them, and a room that both may know. */
const house = (sources: Record<string, string>, more: Partial<House> = {}): House => ({
	files: new Map(Object.entries(sources)),
	processOf: { hall: "edge", cell: "sandbox", bindings: "edge", "link.ts": "both ends" },
	mayLoad: {
		edge: ["edge", "both ends"],
		sandbox: ["sandbox", "both ends"],
		isolate: ["isolate", "both ends"],
		"both ends": ["both ends"],
		data: ["data"],
	},
	rooms: { hall: {}, cell: {}, link: {}, bindings: {} },
	doors: {},
	...more,
});
const meant = { rooms: { hall: { cell: "to try" }, cell: {}, link: {}, bindings: {} } };

test("an import through a wall is found, in whichever form", () => {
	for (const form of [
		'import { a } from "../cell/a.ts";',
		'import type { A } from "../cell/a.ts";',
		'import {\n\ta,\n\tb,\n} from "../cell/a.ts";',
		'import * as a from "../cell/a.ts";',
		'import "../cell/a.ts";',
		'export { a } from "../cell/a.ts";',
		'export * from "../cell/a.ts";',
		'\tconst a = await import("../cell/a.ts");',
		'\tconst a = await import(\n\t\t"../cell/a.ts"\n\t);',
		'lazily(["A"], () => require("../cell/a.ts"));',
		"const a = require('../cell/a.ts');",
		'type A = typeof import("../cell/a.ts");',
	]) {
		const found = broken(house({ "hall/x.ts": form, "cell/a.ts": "" }, meant));
		assert.deepEqual(found, ["hall/x.ts → cell/a.ts: through the wall from edge to sandbox"], form);
	}
	for (const none of ['// import { a } from "../cell/a.ts";', '/**\n * `require("../cell/a.ts")`\n */'])
		assert.deepEqual(importsOf("hall/x.ts", none), [], none);
});

test("so is one from the other side, one into a room that is not named, and one of no file", () => {
	const sources = {
		"hall/x.ts": 'import { link } from "../link.ts";',
		"cell/a.ts": 'import { x } from "../hall/x.ts";\nimport "../../bench/run.ts";',
		"link.ts": "",
	};
	assert.deepEqual(broken(house(sources)), [
		"hall/x.ts → link.ts: rooms",
		"cell/a.ts → hall/x.ts: rooms",
		"cell/a.ts → hall/x.ts: through the wall from sandbox to edge",
		"cell/a.ts → ../bench/run.ts: there is no such file in src/",
	]);
});

test("in a binding's folder the name of a part tells its process, a file's or a folder's", () => {
	const found = broken(
		house({
			"bindings/kv/edge.ts": 'import { schema } from "./schema.ts";\nimport { Stub } from "./isolate/stub.ts";',
			"bindings/kv/isolate/stub.ts": 'import type { Open } from "../edge.ts";\nimport "../store.ts";',
			"bindings/kv/schema.ts": 'import { open } from "./edge.ts";',
			"bindings/kv/store.ts": "",
		}),
	);
	assert.deepEqual(found, [
		"bindings/kv/edge.ts → bindings/kv/isolate/stub.ts: through the wall from edge to isolate",
		"bindings/kv/isolate/stub.ts → bindings/kv/store.ts: through the wall from isolate to data",
		"bindings/kv/schema.ts → bindings/kv/edge.ts: through the wall from both ends to edge",
	]);
});

test("a file that no process is named for is found, and so are rules and doors that nothing needs", () => {
	const rooms = { ...meant.rooms, hall: { link: "to try" } };
	const doors = { "hall/x.ts → cell/a.ts": "to try" };
	assert.deepEqual(broken(house({ "attic/x.ts": "", "hall/x.ts": "" }, { rooms, doors })), [
		"attic/x.ts: nothing says which process it runs in",
		"hall → link: no import needs this",
		"hall/x.ts → cell/a.ts: no import needs this door",
	]);
});

test("a circle is found, over types not", () => {
	const a = 'import { b } from "./b.ts";';
	assert.deepEqual(
		circle(
			new Map([
				["a.ts", a],
				["b.ts", 'const { a } = require("./a.ts");'],
			]),
		),
		["a.ts", "b.ts", "a.ts"],
	);
	assert.equal(
		circle(
			new Map([
				["a.ts", a],
				["b.ts", 'import type { A } from "./a.ts";'],
			]),
		),
		null,
	);
});
