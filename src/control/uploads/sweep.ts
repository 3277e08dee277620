import { type Manifest, uploadsOf } from "../../assets/asset-config.ts";
import { functionOfKey, keyOf } from "../../names.ts";
import type { Milliseconds } from "../../units.ts";
import { type Change, Conflict, type Store } from "../store/store.ts";
import type { Uploads } from "./uploads.ts";

/** What was uploaded so recently may belong to a deployment that is not over. */
const RECENT: Milliseconds = 24 * 3600_000;

/** What a sweep has removed. */
export interface Swept {
	files: number;
	assets: number;
}

/** Removes uploads that no version has any more: of versions that were removed, and of deployments that came to nothing. */
export async function sweep(store: Store, uploads: Uploads): Promise<Swept> {
	const kept = new Set<string>();
	const sites = new Map<string, Set<string>>();
	for (const { key, value } of await store.list("version")) {
		kept.add(value.upload);
		if (value.site === null) continue;
		const { manifest } = value.site;
		kept.add(manifest);
		const owner = keyOf(functionOfKey(key));
		const own = sites.get(owner) ?? new Set();
		sites.set(owner, own);
		// One that cannot be read keeps nothing, and serves nothing either.
		const files = await uploads.read(manifest).catch(() => null);
		const all = files === null ? {} : (JSON.parse(files.toString()) as Manifest);
		for (const upload of Object.values(all).flatMap(uploadsOf)) {
			kept.add(upload);
			own.add(upload);
		}
	}
	const stale = await uploads.stale(RECENT);
	const changes: Change[] = [];
	for (const { key, value, revision } of await store.list("asset")) {
		const own = sites.get(keyOf(functionOfKey(key)));
		if (own?.has(value.upload) || !stale.has(value.upload)) for (const upload of uploadsOf(value)) kept.add(upload);
		else changes.push({ kind: "asset", key, value: null, expected: revision });
	}
	try {
		// First what names them, so that nobody is told of files that are gone.
		if (changes.length > 0) await store.commit({ actor: "system", action: "assets.sweep", target: "" }, changes);
	} catch (error) {
		if (error instanceof Conflict) return { files: 0, assets: 0 }; // Somebody is at it: the next time will do.
		throw error;
	}
	let removed = 0;
	for (const name of stale) if (!kept.has(name) && (await uploads.removeStale(name, RECENT))) removed++;
	return { files: removed, assets: changes.length };
}
