import type { DesiredFunction, DesiredShare, DesiredVersion, ToEdge } from "../feed/messages.ts";
import type { FunctionId } from "../names.ts";
import type { Catalog } from "./catalog.ts";
import { type FunctionDocument, PRODUCTION, type ReleaseDocument, type VersionDocument } from "./store/documents.ts";
import type { Sequence } from "./store/store.ts";
import { bindingsOf, type VersionUploads } from "./version-uploads.ts";

type Desired = ToEdge & { kind: "desired" };

/** So many digits of a version's id are enough to ask for its preview. */
const PREVIEW_DIGITS = 8;

/** What the store says, put into the form in which edges follow it. */
export class DesiredState {
	readonly #catalog: Catalog;
	readonly #versions: VersionUploads;
	/** Told of a function whose secrets cannot be read: it stays as it is at the edges, and stops nobody else. */
	readonly #onUnreadable: (id: FunctionId, error: Error) => void;

	constructor(catalog: Catalog, versions: VersionUploads, onUnreadable: (id: FunctionId, error: Error) => void) {
		this.#catalog = catalog;
		this.#versions = versions;
		this.#onUnreadable = onUnreadable;
	}

	/** All that has changed after a commit, or everything that there is. */
	async since(sequence: Sequence): Promise<Desired> {
		const { store } = this.#catalog;
		const now = store.sequence;
		const changes = sequence === 0 ? null : await store.changes(sequence);
		if (changes === null)
			return { kind: "desired", sequence: now, whole: true, functions: await this.#all(), removed: [] };
		const functions: DesiredFunction[] = [];
		const removed: FunctionId[] = [];
		for (const { kind, key, value } of changes) {
			if (kind !== "function") continue;
			const [tenant, name] = key.split("/");
			if (value === null) removed.push({ tenant, name });
			else
				this.#add(
					functions,
					value as FunctionDocument,
					await this.#catalog.versions({ tenant, name }),
					await this.#catalog.releases({ tenant, name }),
				);
		}
		return { kind: "desired", sequence: now, whole: false, functions, removed };
	}

	/** Three reads, however many functions there are. */
	async #all(): Promise<DesiredFunction[]> {
		const { store } = this.#catalog;
		const ofFunction = ({ key }: { key: string }) => key.slice(0, key.lastIndexOf("/"));
		const versions = Map.groupBy(await store.list("version"), ofFunction);
		const releases = Map.groupBy(await store.list("release"), ofFunction);
		const functions: DesiredFunction[] = [];
		for (const { key, value } of await store.list("function")) {
			const own = (versions.get(key) ?? []).map((entry) => entry.value);
			const released = (releases.get(key) ?? []).map((entry) => entry.value);
			this.#add(functions, value, own, released);
		}
		return functions;
	}

	#add(
		to: DesiredFunction[],
		one: FunctionDocument,
		versions: readonly VersionDocument[],
		releases: readonly ReleaseDocument[],
	): void {
		try {
			to.push(this.#desired(one, versions, releases));
		} catch (error) {
			this.#onUnreadable(one, error as Error);
		}
	}

	#desired(
		one: FunctionDocument,
		versions: readonly VersionDocument[],
		releases: readonly ReleaseDocument[],
	): DesiredFunction {
		const byId = new Map(releases.map((release) => [release.id, release]));
		const needed = new Set<string>();
		const sharesOf = (release: ReleaseDocument | undefined): DesiredShare[] => {
			for (const { version } of release?.shares ?? []) needed.add(version);
			return release?.shares ?? [];
		};
		const release = byId.get(one.aliases[PRODUCTION]);
		const shares = sharesOf(release);
		const previews: Record<string, DesiredShare[]> = {};
		if (one.previews) {
			for (const { id } of versions) {
				previews[id.slice(0, PREVIEW_DIGITS)] = [{ version: id, percent: 100 }];
				needed.add(id);
			}
			for (const [alias, release] of Object.entries(one.aliases)) {
				const shared = sharesOf(byId.get(release));
				if (shared.length > 0) previews[alias] = shared;
			}
		}
		return {
			tenant: one.tenant,
			name: one.name,
			hostnames: this.#catalog.hostnamesOf(one),
			paused: one.paused,
			shares,
			sticky: release?.sticky ?? null,
			previews,
			versions: versions.filter(({ id }) => needed.has(id)).map((version) => this.#version(one, version)),
		};
	}

	#version(one: FunctionDocument, version: VersionDocument): DesiredVersion {
		const { id, artifact, limits, site, handlers, startUs } = version;
		return {
			id,
			// Of another toolchain it is no use; an edge asks for one when it needs it.
			artifact: this.#versions.isCurrent(version) ? artifact : "",
			limits,
			variables: this.#catalog.environmentOf(one, version),
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
