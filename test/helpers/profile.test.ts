import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { mapProfile } from "../../src/helpers/profile.ts";
import { mappedProfile } from "../../src/helpers/profile-mapper.ts";
import { SourceMap } from "../../src/helpers/source-map.ts";
import { cpuProfile } from "../../src/link/cpu-profile.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { until } from "../support/until.ts";

const launcher = new Launcher();
after(() => launcher.close());

/** Script line 1: column 1 is a.ts 10:3, column 21 is b.ts 5:1. Script line 2: atoll's own entry. */
const MAP = {
	version: 3,
	sources: ["src/a.ts", "src/b.ts", "atoll-entry.js"],
	names: [],
	mappings: "AASE,oBCLF;ACAA",
};

const frame = (functionName: string, lineNumber: number, columnNumber: number, url = "shop.js") => ({
	...{ functionName, lineNumber, columnNumber, url },
	scriptId: "7",
});
const ROOT = { id: 1, callFrame: frame("(root)", -1, -1, ""), hitCount: 0, children: [2, 3, 4, 5] };
const PROFILE = {
	nodes: [
		ROOT,
		{ id: 2, callFrame: frame("a", 0, 4), hitCount: 2, positionTicks: [{ line: 1, ticks: 2 }] },
		{ id: 3, callFrame: frame("b", 0, 25), hitCount: 1, positionTicks: [{ line: 1, ticks: 1 }] },
		{ id: 4, callFrame: frame("entry", 1, 0), hitCount: 0 },
		{ id: 5, callFrame: frame("respond", 3, 3, "atoll:prelude:1"), hitCount: 0 },
	],
	startTime: 100,
	endTime: 5000,
	samples: [2, 2, 3],
	timeDeltas: [1000, 1000, 1000],
};

const version = (map: unknown) => ({
	...{ number: 3, tenantNumber: 1, filename: "shop.js" },
	sourceMap: () => Promise.resolve(Buffer.from(JSON.stringify(map))),
});
const mapped = (json: string, map: unknown = MAP) => mappedProfile(launcher, version(map), Buffer.from(json));

/** The processes that the launcher has started. */
function launched(): string[] {
	const { pid } = launcher.start();
	return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
}

test("a profile's functions are at their places in the source, and the platform's at none", async () => {
	const { nodes, samples } = cpuProfile.parse(
		JSON.parse(Buffer.from(await mapped(JSON.stringify(PROFILE))).toString()),
	);
	const places = nodes.map(({ callFrame: { functionName, url, lineNumber, columnNumber } }) =>
		[functionName, url, lineNumber, columnNumber].join(" "),
	);
	assert.deepEqual(places, [
		"(root)  -1 -1",
		"a src/a.ts 9 2",
		"b src/b.ts 4 0",
		"entry (platform) -1 -1",
		"respond (platform) 3 3",
	]);
	assert.deepEqual(samples, PROFILE.samples);
	// The line of the script stands for the last place in it, which is another file's for the first of them.
	assert.deepEqual(
		nodes.map(({ positionTicks }) => positionTicks),
		[undefined, undefined, [{ line: 5, ticks: 1 }], undefined, undefined],
	);
	assert.notEqual(nodes[1].callFrame.scriptId, nodes[2].callFrame.scriptId);
});

const node = (id: number, children: number[] = []) => ({ ...ROOT, id, children });
const FORGED: Record<string, unknown> = {
	"no object": 7,
	"no nodes": { ...PROFILE, nodes: [] },
	"a node that is its own child": { ...PROFILE, nodes: [node(1, [1])], samples: [], timeDeltas: [] },
	"nodes in a ring": { ...PROFILE, nodes: [node(1), node(2, [3]), node(3, [2])], samples: [], timeDeltas: [] },
	"a node with two parents": {
		...PROFILE,
		nodes: [node(1, [2, 3]), node(2, [3]), node(3)],
		samples: [],
		timeDeltas: [],
	},
	"two nodes of one id": { ...PROFILE, nodes: [node(1, [2]), node(2), node(2)], samples: [], timeDeltas: [] },
	"a child that is not there": { ...PROFILE, nodes: [node(1, [9])], samples: [], timeDeltas: [] },
	"a sample of no node": { ...PROFILE, samples: [99, 2, 2] },
	"fewer times than samples": { ...PROFILE, timeDeltas: [1] },
	"time that runs back": { ...PROFILE, timeDeltas: [1, -1, 1] },
	"an end before its start": { ...PROFILE, endTime: 1 },
	"a time without end": JSON.stringify({ ...PROFILE, startTime: 0 }).replace('"startTime":0', '"startTime":1e999'),
	"a line that is an object": {
		...PROFILE,
		nodes: [{ ...ROOT, children: [], callFrame: { ...ROOT.callFrame, lineNumber: {} } }],
	},
	"a name that is a list": {
		...PROFILE,
		nodes: [{ ...ROOT, children: [], callFrame: { ...ROOT.callFrame, functionName: ["a"] } }],
	},
	"no JSON": "{nodes",
	"a deep nest": "[".repeat(1_000_000),
};

test("what a sandbox has forged is refused", () => {
	const map = new SourceMap(Buffer.from(JSON.stringify(MAP)));
	for (const [what, forged] of Object.entries(FORGED)) {
		const json = typeof forged === "string" ? forged : JSON.stringify(forged);
		assert.throws(() => mapProfile(Buffer.from(json), "shop.js", map), Error, what);
	}
});

test("that is told, and no helper is left", async () => {
	await assert.rejects(mapped(JSON.stringify({ ...PROFILE, samples: [99, 2, 2] })), /its samples are not of them/);
	await until(() => launched().length === 0);
});

test("names are cut, and fields that no profile has are dropped", async () => {
	const long = "x".repeat(100_000);
	const forged = {
		...PROFILE,
		nodes: [{ ...ROOT, children: [], evil: 1, callFrame: { ...frame(long, -1, -1, ""), evil: 1 } }],
		samples: [],
		timeDeltas: [],
		evil: long,
	};
	const text = Buffer.from(await mapped(JSON.stringify(forged).replace('"evil":1', '"__proto__":{"a":1}'))).toString();
	assert.ok(text.length < 2000);
	assert.doesNotMatch(text, /evil|__proto__/);
});

test("a source map that is none is told", async () => {
	await assert.rejects(mapped(JSON.stringify(PROFILE), { mappings: 7 }), /no source map/);
});
