import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { cachedDataVersionTag } from "node:v8";
import { V8_FLAGS } from "../processes/confinement.ts";
import type { Prelude } from "./prelude.ts";

/**
 * Identifies all that an artifact depends on beside its source. V8 takes a code cache or a snapshot only from the very
 * V8, with the very flags, that made it (and loads a snapshot of another one without a word), so everything is in here:
 * V8's version, flags and CPU features (which its tag covers), Node, isolated-vm, and the prelude.
 */
export function toolchainKey(prelude: Prelude): string {
	const isolatedVm = createRequire(import.meta.url)("isolated-vm/package.json") as { version: string };
	const parts = [
		cachedDataVersionTag(),
		process.version,
		process.arch,
		process.platform,
		V8_FLAGS.join(" "),
		isolatedVm.version,
		prelude.hash,
	];
	return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
