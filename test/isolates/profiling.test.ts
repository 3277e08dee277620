import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { type CpuProfile, cpuProfile } from "../../src/link/cpu-profile.ts";
import type { Profiled } from "../../src/link/protocol.ts";
import { V8_FLAGS } from "../../src/processes/confinement.ts";
import { hostOf, IMAGE } from "../support/isolate-host.ts";

// Without them a loop that allocates cannot be ended.
for (const flag of V8_FLAGS) setFlagsFromString(flag);

const EVERY_US = 1000;

/** Runs requests at a function one after the other, and gives its profile. */
async function profileOf(code: string, requests: number, cpuMs = 10_000) {
	const ended = Promise.withResolvers<Profiled>();
	let left = requests;
	const failures: string[] = [];
	const next = () => {
		if (left-- === 0) host.endProfile();
		else start(left + 1);
	};
	const events = {
		done: next,
		failed: (_version: number, _attempt: number, { code: why }: { code: string }) => {
			failures.push(why);
			next();
		},
		profiled: ended.resolve,
	};
	const image = { ...IMAGE, code: Buffer.from(code) };
	const { host, start } = await hostOf(events, { image, cpuMs, parked: 0, profileEveryUs: EVERY_US });
	next();
	const profile = await ended.promise;
	assert.ok("json" in profile);
	return { profile: cpuProfile.parse(JSON.parse(Buffer.from(profile.json).toString())), failures };
}

/** What was found on top, as often as it was. */
function hits({ nodes }: CpuProfile): Record<string, number> {
	const found: Record<string, number> = {};
	for (const { callFrame, hitCount } of nodes)
		found[callFrame.functionName] = (found[callFrame.functionName] ?? 0) + hitCount;
	return found;
}

const HOT = `
function hot(n) { let x = 0; for (let i = 0; i < n; i++) x = (x * 31 + i) % 1000003; return x; }
function cold(n) { return hot(n) + 1; }
__atoll_exports({ default: { fetch: () => new Response(String(cold(1e6))) } });`;

test("a profile tells where the time of all turns went, and begins before the script", async () => {
	const { profile } = await profileOf(
		`(function began() { let x = 0; for (let i = 0; i < 3e6; i++) x += i % 7; return x; })();${HOT}`,
		20,
	);
	const found = hits(profile);
	const all = Object.values(found).reduce((sum, one) => sum + one, 0);
	assert.ok(found.hot > 20, JSON.stringify(found));
	assert.ok(found.hot > 10 * (found.cold ?? 0), JSON.stringify(found));
	assert.ok(found.hot > all / 3, JSON.stringify(found));
	assert.ok(found.began > 0, JSON.stringify(found));
	const { callFrame } = profile.nodes.find(({ callFrame: { functionName } }) => functionName === "hot") ?? {};
	assert.deepEqual([callFrame?.url, callFrame?.lineNumber], ["a.js", 1]);
});

test("isolates that are cut off, one after the other, are one profile", async () => {
	const { profile, failures } = await profileOf(
		"__atoll_exports({ default: { fetch: function endless() { for (;;); } } });",
		4,
		50,
	);
	assert.equal(failures.length, 4);
	// Whether it was the limit, or that this thread had to wait for a core, is the machine's to say.
	for (const why of failures) assert.match(why, /^cpu_limit_exceeded$|^starved$/);
	const found = hits(profile);
	assert.ok(found.endless > 50, JSON.stringify(found));
	assert.equal(profile.nodes.filter(({ callFrame }) => callFrame.functionName === "endless").length, 1);
});

test("a profile of nothing is one", async () => {
	const { profile } = await profileOf(HOT, 0);
	assert.equal(profile.nodes[0].callFrame.functionName, "(root)");
	assert.deepEqual(profile.samples, []);
});
