/**
 * What turns take in isolates that have had few of them: `turns.ts CHECKOUT ENTRY`. Sixty isolates are asked in turn, as on
 * a machine of many tenants. Prints the CPU time of a turn in µs by how many its isolate has had, the hot one of one isolate
 * beside it, and what each isolate adds to the memory, as JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { encodeRequestHead } from "../../src/link/request-head.ts";

const ISOLATES = 60;
/** The last turn of each span. */
const SPANS = { second: 2, early: 10, later: 100 };
const HOT_FROM = 10_000;
const HOT_TURNS = 5000;
const HOT = 1000;

const [checkout, entry] = process.argv.slice(2);
const load = <T>(path: string) => import(join(resolve(checkout), "src", path)) as Promise<T>;
const { Builder } = await load<typeof import("../../src/build/builder.ts")>("build/builder.ts");
const { ArtifactStore } = await load<typeof import("../../src/cache/artifact-store.ts")>("cache/artifact-store.ts");
const { IsolateHost } = await load<typeof import("../../src/isolates/host.ts")>("isolates/host.ts");
const { Launcher } = await load<typeof import("../../src/processes/launcher.ts")>("processes/launcher.ts");
const { V8_FLAGS } = await load<typeof import("../../src/processes/confinement.ts")>("processes/confinement.ts");

for (const flag of V8_FLAGS) setFlagsFromString(flag);
const folder = mkdtempSync(join(tmpdir(), "atoll-bench-turns-"));
const launcher = new Launcher();
const builder = await Builder.create(await ArtifactStore.open(folder), launcher);
const { artifact } = await builder.build({ name: "f", entry: resolve(entry), development: false });
const image = {
	...{
		filename: "f.js",
		code: artifact.code,
		codeCache: artifact.codeCache,
		tenant: 1,
		env: "{}",
		bindings: "[]",
		flags: "",
	},
	...{ memoryMb: 128, timers: 10, logBytes: 1000, subrequests: 10, startupCpuMs: 10_000 },
};
const head = encodeRequestHead({
	...{ method: "GET", url: "http://a.localhost/users/42", body: "none", client: null },
	headers: ["host", "a.localhost", "accept", "*/*", "user-agent", "bench"],
});
let answered = 0;
const host = new IsolateHost(
	{
		...{ snapshot: builder.snapshot, maxIsolates: 1000, maxBytes: 8e9, maxProcessBytes: 9e9, maxUnreadBytes: 1e9 },
		...{ parked: 0, memoryMb: 128, frozenClocks: false },
	},
	{
		want: (version) => host.load(version, image),
		message: () => undefined,
		done: () => void answered++,
		failed: (_version, _attempt, { message }) => {
			throw new Error(message);
		},
		stats: () => undefined,
		profiled: () => undefined,
		flush: () => undefined,
		clogged: () => false,
	},
);
let asked = 0;
const ask = (version: number) => {
	host.request({ attempt: (asked++ % 1000) + 1, version, cpuMs: 10_000, cutMs: 0, head, body: undefined });
	host.run();
};
const rest = () => new Promise((next) => setImmediate(next));
const cpu = () => process.cpuUsage().user + process.cpuUsage().system;
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;

// The sandbox's own code is hot first, and so is one isolate.
for (let i = 0; i < HOT_TURNS; i++) {
	ask(HOT_FROM);
	if (i % 100 === 0) await rest();
}
const began = cpu();
for (let i = 0; i < HOT; i++) ask(HOT_FROM);
const hot = (cpu() - began) / HOT;

const before = resident();
for (let version = 1; version <= ISOLATES; version++) ask(version);
const spans: Record<string, number> = {};
let turn = 1;
for (const [name, last] of Object.entries(SPANS)) {
	const from = cpu();
	const turns = last - turn;
	for (; turn < last; turn++) {
		for (let version = 1; version <= ISOLATES; version++) ask(version);
		await rest();
	}
	spans[name] = (cpu() - from) / ISOLATES / turns;
}
const mb = (resident() - before) / ISOLATES;
if (answered !== asked) throw new Error(`${asked} requests had ${answered} answers`);
console.log(JSON.stringify({ ...spans, hot, mb }));
await builder.close();
await launcher.close();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
