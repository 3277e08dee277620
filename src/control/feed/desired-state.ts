import { setImmediate as immediate } from "node:timers/promises";
import type { DesiredFunction, DesiredShare, DesiredVersion, ToEdge } from "../../feed/messages.ts";
import { type FunctionId, functionOfKey, keyOf } from "../../names.ts";
import { type Catalog, latestReleases, latestVersions } from "../catalog/catalog.ts";
import type { EventSources } from "../event-sources.ts";
import { ByFunction, PAGE } from "../store/by-function.ts";
import {
	type FunctionDocument,
	PRODUCTION,
	type QueueDocument,
	type ReleaseDocument,
	type VersionDocument,
} from "../store/documents.ts";
import type { Changed, Sequence } from "../store/store.ts";
import { bindingsOf, type VersionUploads } from "../uploads/version-uploads.ts";

type Desired = ToEdge & { kind: "desired" };

/** So many digits of a version's id are enough to ask for its preview. */
const PREVIEW_DIGITS = 8;
/** Letters of JSON after which a part ends: an edge takes it over in some milliseconds, and serves between two. */
const PART_SIZE = 64 * 1024;
/** The latest versions can be looked at, as many as have so many letters together with their variables. */
const PREVIEWED_SIZE = 2 * 2 ** 20;
/** One request from outside leads to no more functions than this. */
const MOST_AT = 32;

/** A function and what belongs to it: the latest first, as versions are wanted for previews. */
interface Whole {
	function: FunctionDocument;
	versions: readonly VersionDocument[];
	releases: readonly ReleaseDocument[];
	/** The queues among those that it consumes of which nobody is given messages. */
	paused: readonly string[];
}

/** What desired state is made from. */
export interface DesiredStateParts {
	catalog: Catalog;
	versions: VersionUploads;
	sources: EventSources;
	/** Told of a function whose secrets cannot be read: it stays as it is at the edges, and stops nobody else. */
	onUnreadable: (id: FunctionId, error: Error) => void;
}

/** What the store says, put into the form in which edges follow it. */
export class DesiredState {
	readonly #catalog: Catalog;
	readonly #versions: VersionUploads;
	readonly #sources: EventSources;
	readonly #onUnreadable: DesiredStateParts["onUnreadable"];

	constructor({ catalog, versions, sources, onUnreadable }: DesiredStateParts) {
		this.#catalog = catalog;
		this.#versions = versions;
		this.#sources = sources;
		this.#onUnreadable = onUnreadable;
	}

	/**
	 * All that has changed after a commit, or everything that there is, in parts. What is committed meanwhile may be in
	 * them, and is told again.
	 */
	async *since(sequence: Sequence): AsyncGenerator<Desired> {
		const { store } = this.#catalog;
		const now = store.sequence;
		const changes = sequence === 0 ? null : await store.changes(sequence);
		const changed = changes?.filter(({ kind }) => kind === "function") ?? [];
		// What is said of a queue concerns whoever consumes it.
		for (const { kind, value } of changes ?? []) {
			if (kind !== "queue" || value === null) continue;
			const { tenant, consumer: name } = value as QueueDocument;
			const key = name === null ? "" : keyOf({ tenant, name });
			if (name !== null && !changed.some((one) => one.key === key)) {
				const entry = await store.get("function", key);
				if (entry !== null) changed.push({ kind: "function", key, value: entry.value });
			}
		}
		const removed = changed.filter(({ value }) => value === null).map(({ key }) => functionOfKey(key));
		const whole = changes === null;
		const removedSources = (changes ?? []).filter(({ kind, value }) => kind === "source" && value === null);
		const none = { functions: [], removed: [], sources: [], removedSources: removedSources.map(({ key }) => key) };
		// Ahead of functions: they are few, and whoever sends events waits for nothing else.
		for await (const sources of changes === null ? this.#sources.all() : this.#sources.some(changes))
			yield { kind: "desired", sequence: null, whole, ...none, sources };
		let functions: DesiredFunction[] = [];
		let size = 0;
		for await (const one of changes === null ? this.#all() : this.#some(changed)) {
			const told = this.#desiredOf(one);
			if (told === undefined) continue;
			if (functions.length > 0 && size + told.size > PART_SIZE) {
				yield { kind: "desired", sequence: null, whole, ...none, functions, removed: removed.splice(0) };
				// Others have their turn.
				await immediate();
				functions = [];
				size = 0;
			}
			functions.push(told.function);
			size += told.size;
		}
		yield { kind: "desired", sequence: now, whole, ...none, functions, removed };
	}

	/** Every function with what belongs to it, a page of them at a time. */
	async *#all(): AsyncGenerator<Whole> {
		const { store } = this.#catalog;
		const next = (after: string) => store.list("function", { after, limit: PAGE });
		for (let page = await next(""); page.length > 0; page = await next(page[page.length - 1].key)) {
			// What belongs to `a` comes after what belongs to `a-b`.
			const functions = page.map(({ key, value }) => ({ prefix: `${key}/`, value }));
			functions.sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
			const versions = new ByFunction(store, "version", functions[0].prefix);
			const releases = new ByFunction(store, "release", functions[0].prefix);
			for (const { prefix, value } of functions)
				yield {
					function: value,
					versions: latestVersions(await versions.of(prefix)),
					releases: latestReleases(await releases.of(prefix)),
					paused: await this.#paused(value),
				};
		}
	}

	async *#some(changed: readonly Changed[]): AsyncGenerator<Whole> {
		for (const { key, value } of changed) {
			const one = value === null ? null : await this.#wholeOf(key);
			if (one !== null) yield one;
		}
	}

	async #wholeOf(key: string): Promise<Whole | null> {
		const one = (await this.#catalog.store.get("function", key))?.value;
		return one === undefined ? null : this.#whole(one);
	}

	async #whole(one: FunctionDocument): Promise<Whole> {
		const [versions, releases] = [await this.#catalog.versions(one), await this.#catalog.releases(one)];
		return { function: one, versions, releases, paused: await this.#paused(one) };
	}

	async #paused({ tenant, consumers }: FunctionDocument): Promise<string[]> {
		const paused: string[] = [];
		for (const { queue } of consumers)
			if ((await this.#catalog.store.get("queue", `${tenant}/${queue}`))?.value.paused) paused.push(queue);
		return paused;
	}

	/**
	 * The functions that a request for a hostname may be for, with those that they call by a binding. What `told` has,
	 * with the commit that it was last changed by, is left out, and what is found is added to it.
	 */
	async at(hostname: string, told: Map<string, Sequence>): Promise<DesiredFunction[]> {
		const found: DesiredFunction[] = [];
		const wanted = (await this.#catalog.holders(hostname)).map(keyOf);
		for (let key = wanted.pop(); key !== undefined && found.length < MOST_AT; key = wanted.pop()) {
			const entry = await this.#catalog.store.get("function", key);
			if (entry === null || told.get(key) === entry.revision) continue;
			told.set(key, entry.revision);
			const one = this.#desiredOf(await this.#whole(entry.value))?.function;
			if (one === undefined) continue;
			found.push(one);
			for (const { bindings } of one.versions)
				for (const bound of Object.values(bindings))
					if (bound.type === "service") wanted.push(keyOf({ tenant: one.tenant, name: String(bound.function) }));
		}
		return found;
	}

	/** A function as an edge is told it, and how large that is; `undefined` for one that cannot be told. */
	#desiredOf(whole: Whole): { function: DesiredFunction; size: number } | undefined {
		try {
			const desired = this.#desired(whole);
			return { function: desired, size: JSON.stringify(desired).length };
		} catch (error) {
			this.#onUnreadable(whole.function, error as Error);
			return undefined;
		}
	}

	#desired({ function: one, versions, releases, paused }: Whole): DesiredFunction {
		const secrets = this.#catalog.secretsOf(one);
		const byId = new Map(versions.map((version) => [version.id, version]));
		const told = new Map<string, DesiredVersion>();
		let room = PREVIEWED_SIZE;
		/** Whether there is room for versions beside those that are told anyway. */
		const take = (shares: readonly DesiredShare[], isPreview: boolean): boolean => {
			const added = shares
				.filter(({ version: id }) => !told.has(id) && byId.has(id))
				.map(({ version: id }) => this.#version(one, byId.get(id) as VersionDocument, secrets));
			const size = isPreview ? JSON.stringify(added).length : 0;
			if (size > room) return false;
			room -= size;
			for (const version of added) told.set(version.id, version);
			return true;
		};
		const released = new Map(releases.map(({ id, shares }) => [id, shares]));
		const shares = released.get(one.aliases[PRODUCTION]) ?? [];
		take(shares, false);
		const release = releases.find(({ id }) => id === one.aliases[PRODUCTION]);
		const previews: Record<string, DesiredShare[]> = {};
		if (one.previews) {
			const aliases = Object.entries(one.aliases).map(([alias, id]) => [alias, released.get(id) ?? []] as const);
			const own = versions.map(({ id }) => [id.slice(0, PREVIEW_DIGITS), [{ version: id, percent: 100 }]] as const);
			for (const [preview, of] of [...aliases, ...own])
				if (of.length > 0 && !Object.hasOwn(previews, preview) && take(of, true)) previews[preview] = [...of];
		}
		return {
			tenant: one.tenant,
			name: one.name,
			hostnames: this.#catalog.hostnamesOf(one),
			provisioned: one.provisioned,
			maxInstances: one.paused ? 0 : one.maxInstances,
			shares,
			sticky: release?.sticky ?? null,
			previews,
			triggers: {
				crons: one.schedules,
				queues: one.consumers.filter(({ queue }) => !paused.includes(queue)),
				storage: one.storage,
			},
			versions: [...told.values()],
		};
	}

	#version(one: FunctionDocument, version: VersionDocument, secrets: Record<string, string>): DesiredVersion {
		const { id, artifact, limits, site, handlers, startUs } = version;
		return {
			id,
			// Of another toolchain it is no use; an edge asks for one when it needs it.
			artifact: this.#versions.isCurrent(version) ? artifact : "",
			limits,
			variables: this.#catalog.environmentOf(one, version, secrets),
			bindings: bindingsOf(version),
			site,
			flags: version.compatibilityFlags,
			start: { failure: null, handlers, startUs },
		};
	}

	/** The keys of the artifacts of all versions, which stay on disk. */
	async artifacts(): Promise<Set<string>> {
		return new Set((await this.#catalog.store.list("version")).map(({ value: { artifact } }) => artifact));
	}
}
