import { type HelperAnswer, HelperKind } from "../link/helper-frames.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes } from "../units.ts";
import { Helper } from "./helper.ts";
import type { MappedVersion } from "./stack-mapper.ts";

/** As for stacks. */
const MOST_MAP: Bytes = 32 * 2 ** 20;
/** Names that a map gives are no longer than those of profiles, but all of them may be. */
const MOST_MAPPED: Bytes = 16 * 2 ** 20;
/** It is asked for one thing after the other. */
const ALONE = 1;

/**
 * Maps a profile, which nobody has looked at, into the source of its version: in a helper of its own, so that no other
 * tenant waits for it. Rejects with what is wrong with it.
 */
export async function mappedProfile(launcher: Launcher, version: MappedVersion, json: Uint8Array): Promise<Uint8Array> {
	const helper = new Helper(launcher, ALONE, MOST_MAPPED);
	const { number: id, tenantNumber, filename } = version;
	const ask = (what: () => void | Promise<void>): Promise<HelperAnswer> => helper.run(tenantNumber, what);
	try {
		await ask(async () => {
			const data = await version.sourceMap(MOST_MAP);
			helper.send({ kind: HelperKind.sourceMap, id, data });
		});
		const { kind, data } = await ask(() => helper.send({ kind: HelperKind.profile, id, text: filename, data: json }));
		if (kind !== HelperKind.done || data.length === 0) throw new Error("the helper has no answer");
		return data;
	} finally {
		await helper.close();
	}
}
