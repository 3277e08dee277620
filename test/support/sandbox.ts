import { join } from "node:path";
import { after } from "node:test";
import { Builder } from "../../src/build/builder.ts";
import { ArtifactStore } from "../../src/cache/artifact-store.ts";
import type { SandboxSettings } from "../../src/link/protocol.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { temporaryFolder } from "./runtime.ts";
import { keepSnapshot, lendSnapshot } from "./snapshot.ts";

/** What a version has whose requests never queue. */
export const CALM = {
	demand: { calm: Number.POSITIVE_INFINITY, breach: () => undefined },
	mayBorrow: false,
	provisioned: 0,
	maxInstances: Number.POSITIVE_INFINITY,
};

/** What a sandbox is started with, for tests of what lies below the runtime. */
export async function sandboxSettings(): Promise<SandboxSettings> {
	const data = join(temporaryFolder(), "data");
	lendSnapshot(data);
	const launcher = new Launcher();
	const builder = await Builder.create(await ArtifactStore.open(data), launcher);
	after(async () => {
		await builder.close();
		await launcher.close();
	});
	keepSnapshot(data);
	const { snapshot } = builder;
	return {
		snapshot,
		maxIsolates: 10,
		maxBytes: 1e9,
		maxProcessBytes: 2e9,
		maxUnreadBytes: 1e9,
		parked: 1,
		memoryMb: 128,
		frozenClocks: true,
	};
}
