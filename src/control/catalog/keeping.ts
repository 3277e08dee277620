import { setImmediate as immediate } from "node:timers/promises";
import { keyOf } from "../../names.ts";
import type { Milliseconds } from "../../units.ts";
import type { FunctionDocument, KeepRules, ReleaseDocument } from "../store/documents.ts";
import type { Change, Store } from "../store/store.ts";
import type { Catalog } from "./catalog.ts";

const DAY: Milliseconds = 24 * 3600_000;

/** What is about to be added to a function: it is the latest of its kind. */
interface Coming {
	version?: true;
	release?: ReleaseDocument;
}

/** Which versions and releases of functions are kept. */
export class Keeping {
	readonly #store: Store;
	readonly #defaults: KeepRules;

	/** `defaults` are for functions that have no rules of their own. */
	constructor(store: Store, defaults: KeepRules) {
		this.#store = store;
		this.#defaults = defaults;
	}

	rulesOf({ keep }: FunctionDocument): KeepRules {
		return { ...this.#defaults, ...keep };
	}

	/**
	 * What of a function is kept no longer: releases that no alias stands for, and then versions that no release has, each
	 * where it is not among the latest or is too old.
	 */
	async outdated(one: FunctionDocument, coming: Coming = {}): Promise<Change[]> {
		const { versions: most, days } = this.rulesOf(one);
		const since = days === null ? "" : new Date(Date.now() - days * DAY).toISOString();
		const range = { prefix: `${keyOf(one)}/` };
		const releases = (await this.#store.list("release", range)).sort((a, b) => b.revision - a.revision);
		const versions = (await this.#store.list("version", range)).sort((a, b) => b.value.number - a.value.number);
		const isOld = (place: number, created: string) => place >= most || created < since;
		const current = new Set(Object.values(one.aliases));
		const before = coming.release === undefined ? 0 : 1;
		const oldReleases = releases.filter(
			({ value: { id, created } }, place) => !current.has(id) && isOld(place + before, created),
		);
		const kept = releases.filter((release) => !oldReleases.includes(release)).map(({ value }) => value);
		if (coming.release !== undefined) kept.push(coming.release);
		const needed = new Set(kept.flatMap(({ shares }) => shares.map(({ version }) => version)));
		const oldVersions = versions.filter(
			({ value: { id, created } }, place) => !needed.has(id) && isOld(place + (coming.version ? 1 : 0), created),
		);
		return [
			...oldReleases.map(({ key, revision }): Change => ({ kind: "release", key, value: null, expected: revision })),
			...oldVersions.map(({ key, revision }): Change => ({ kind: "version", key, value: null, expected: revision })),
		];
	}

	/** Removes what has become too old. Gives how many versions and releases that were. */
	async tidy(catalog: Catalog): Promise<number> {
		let removed = 0;
		for (const { value: found } of await this.#store.list("function")) {
			// Others have their turn.
			await immediate();
			if ((await this.outdated(found)).length === 0) continue;
			let old: Change[] = [];
			await catalog.change({ actor: "system", action: "function.tidy" }, found, async (one) => {
				old = await this.outdated(one);
				return { value: { ...one }, beside: old };
			});
			removed += old.length;
		}
		return removed;
	}
}
