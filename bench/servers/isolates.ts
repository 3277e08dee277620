/**
 * What an isolate costs in a checkout: `isolates.ts [CHECKOUT]`. Prints the base snapshot's size, the median time to park an
 * isolate, the resident memory of an idle one, and both of an empty one of isolated-vm, as JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import ivm from "isolated-vm";
import type { Launcher } from "../../src/processes/launcher.ts";

const COUNT = 100;
const checkout = resolve(process.argv[2] ?? ".");
const load = <T>(path: string) => import(join(checkout, "src", path)) as Promise<T>;
const { Builder } = await load<typeof import("../../src/build/builder.ts")>("build/builder.ts");
const { ArtifactStore } = await load<typeof import("../../src/cache/artifact-store.ts")>("cache/artifact-store.ts");
const { parkIsolate } = await load<typeof import("../../src/isolates/parked.ts")>("isolates/parked.ts");
const { externalCopy } = await load<typeof import("../../src/isolates/external-copy.ts")>("isolates/external-copy.ts");
const { V8_FLAGS } = await load<typeof import("../../src/processes/confinement.ts")>("processes/confinement.ts");

for (const flag of V8_FLAGS) setFlagsFromString(flag);
const folder = mkdtempSync(join(tmpdir(), "atoll-bench-isolates-"));
try {
	// Checkouts from before there was a launcher do without.
	const launcher = await load<typeof import("../../src/processes/launcher.ts")>("processes/launcher.ts").then(
		({ Launcher }) => new Launcher(),
		() => undefined,
	);
	const builder = await Builder.create(await ArtifactStore.open(folder), launcher as Launcher);
	const snapshot = externalCopy(builder.snapshot);
	const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
	const cost = (make: () => unknown) => {
		const kept = Array.from({ length: 20 }, make);
		const before = resident();
		const times: number[] = [];
		for (let i = 0; i < COUNT; i++) {
			const began = performance.now();
			kept.push(make());
			times.push(performance.now() - began);
		}
		times.sort((a, b) => a - b);
		return { ms: times[COUNT >> 1], mb: (resident() - before) / COUNT };
	};
	const empty = cost(() => {
		const isolate = new ivm.Isolate({ memoryLimit: 128 });
		return { isolate, context: isolate.createContextSync() };
	});
	const park = parkIsolate as (...args: unknown[]) => unknown;
	// Checkouts from before isolates were made apart have it done in one.
	const parked = cost(() =>
		park.length === 2 ? park(snapshot, 128) : park(new ivm.Isolate({ snapshot, memoryLimit: 128 })),
	);
	const costs = { parkMs: parked.ms, idleMb: parked.mb, emptyMs: empty.ms, emptyMb: empty.mb };
	console.log(JSON.stringify({ snapshotKb: Math.round(builder.snapshot.byteLength / 1024), ...costs }));
	await builder.close();
	await launcher?.close();
} finally {
	rmSync(folder, { recursive: true, force: true });
}
