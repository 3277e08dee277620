import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { Bound, GivenBindings } from "../bindings/binding.ts";
import type { ArtifactStore } from "../cache/artifact-store.ts";
import { FunctionError } from "../errors.ts";
import type { DesiredFunction, DesiredShare, DesiredVersion } from "../feed/messages.ts";
import { DEFAULT_TENANT, type FunctionId, functionOfKey, keyOf } from "../names.ts";
import type { Milliseconds } from "../units.ts";
import type { Deployer } from "./deployer.ts";
import type { Environment } from "./environment.ts";
import { Release, type TriedShare } from "./release.ts";
import { Version } from "./version.ts";

/** A release waits so long for its first isolates. */
const WARM_MS: Milliseconds = 5000;
const SLOW_MS: Milliseconds = 60_000;

/** What desired state is put into service with. */
export interface DesiredParts {
	deployer: Deployer;
	store: ArtifactStore;
	checkBindings: (given: GivenBindings, env: object) => Bound[];
	/** Starts isolates of a release's versions before it is activated; `null` where there are none to be started. */
	warm: (release: Release) => Promise<void> | null;
	/** Sees to it that a function's versions have as many isolates ahead of requests as they are to have. */
	provision: (id: FunctionId) => Promise<void>;
	/** Told of what cannot be served. */
	onRefused: (id: FunctionId, error: Error) => void;
}

/** Has the artifact of a version on disk again. */
export type Remake = (id: FunctionId, version: string) => Promise<void>;

/** A version that is there already, for as long as nothing of it changes. */
interface Known {
	desired: DesiredVersion;
	share: Omit<TriedShare, "percent">;
}

/** Puts what control desires into service: functions that were built elsewhere, and lie on disk. */
export class Desired {
	readonly #parts: DesiredParts;
	/** The versions of each function, by its key. */
	readonly #known = new Map<string, Map<string, Known>>();
	/** Functions that could not be served as they were desired last, by their keys. */
	readonly #refused = new Map<string, DesiredFunction>();
	/** Functions that have isolates ahead of requests, by their keys. */
	readonly #provisioned = new Set<string>();
	/** Until when nobody waits for first isolates of a tenant whose last ones took too long. */
	readonly #slow = new LRUCache<string, true>({ max: 1000, ttl: SLOW_MS });
	/** By which artifacts come that are not on disk; who follows control sets it. */
	remake: Remake = () => Promise.reject(new Error("the artifact on disk is damaged"));

	constructor(parts: DesiredParts) {
		this.#parts = parts;
	}

	/**
	 * Serves functions as they are desired from now on, and those that are removed no more. A release that was not in
	 * service before has isolates when it gets its traffic. Never rejects: a function that cannot be served stays as it
	 * is.
	 */
	async apply(functions: readonly DesiredFunction[], removed: readonly FunctionId[]): Promise<void> {
		for (const id of removed) this.#remove(id);
		for (const one of functions) {
			this.#refused.delete(keyOf(one));
			if ((await this.#serve(one)) !== null) this.#refused.set(keyOf(one), one);
		}
		// One may have waited for a hostname that another gives back.
		const news = new Set(functions);
		for (const [key, one] of [...this.#refused]) {
			const error = await this.#serve(one);
			if (error === null) this.#refused.delete(key);
			else if (news.has(one)) this.#parts.onRefused(one, error);
		}
	}

	/** Serves no functions any more but those of some keys. */
	async retain(keys: ReadonlySet<string>): Promise<void> {
		const removed = [...this.#known.keys(), ...this.#refused.keys()].filter((key) => !keys.has(key));
		await this.apply([], removed.map(functionOfKey));
	}

	/** Why it cannot be served, or `null`. */
	async #serve(desired: DesiredFunction): Promise<Error | null> {
		const { deployer } = this.#parts;
		const { tenant, name, hostnames, maxInstances, shares, previews } = desired;
		try {
			if (maxInstances === 0) {
				this.#known.set(keyOf(desired), new Map());
				this.#provisioned.delete(keyOf(desired));
				deployer.standIn({ tenant, name }, hostnames, new FunctionError("paused"));
			} else if (shares.length === 0 && Object.keys(previews).length === 0) {
				this.#remove(desired);
			} else {
				await this.#release(desired);
			}
			return null;
		} catch (error) {
			return error as Error;
		}
	}

	async #release(desired: DesiredFunction): Promise<void> {
		const { tenant, name, hostnames, shares, sticky, previews, versions, provisioned, maxInstances: max } = desired;
		const { triggers } = desired;
		const id: FunctionId = { tenant, name };
		const isNew = !this.#known.has(keyOf(id));
		const served = new Set(shares.map(({ version }) => version));
		const known = this.#versionsOf(id, versions, served);
		const releaseOf = (of: readonly DesiredShare[]) =>
			Release.tried(
				of.map(({ version, percent }) => ({ ...(known.get(version) as Known).share, percent })),
				sticky,
			);
		const releases = new Map<string, Release>();
		for (const [preview, of] of Object.entries(previews))
			if (of.every(({ version }) => known.has(version))) releases.set(preview, releaseOf(of));
		// What was uploaded and never released has previews alone.
		const nothing = () => new Version(id, versions[0].limits, new FunctionError("hostname_not_found"));
		const release = shares.length > 0 ? releaseOf(shares) : Release.standIn(nothing());
		await this.#waitFor(id, this.#parts.warm(release));
		this.#parts.deployer.activate(release, hostnames, {
			previews: releases,
			instances: { provisioned, max },
			triggers,
		});
		const provision = this.#provision(id, provisioned);
		// An edge that starts serves before all of them are there.
		if (!isNew) await this.#waitFor(id, provision);
	}

	#provision(id: FunctionId, provisioned: number): Promise<void> | null {
		const had = this.#provisioned.delete(keyOf(id));
		if (provisioned > 0) this.#provisioned.add(keyOf(id));
		return had || provisioned > 0 ? this.#parts.provision(id) : null;
	}

	/**
	 * Waits for first isolates. All others wait meanwhile: who lets them wait for nothing has to do without for a while.
	 */
	async #waitFor(id: FunctionId, isolates: Promise<void> | null): Promise<void> {
		if (isolates === null) return;
		// What the operator's own functions do counts for each of them alone.
		const whose = id.tenant === DEFAULT_TENANT ? keyOf(id) : id.tenant;
		const waitMs = this.#slow.has(whose) ? 0 : WARM_MS;
		const areThere = isolates.then(() => true);
		const isInTime = await Promise.race([areThere, sleep(waitMs, false, { ref: false })]);
		if (!isInTime && waitMs > 0) this.#slow.set(whose, true);
	}

	#remove(id: FunctionId): void {
		this.#refused.delete(keyOf(id));
		this.#known.delete(keyOf(id));
		this.#provisioned.delete(keyOf(id));
		this.#parts.deployer.remove(id);
	}

	/** Those that can be had. Throws for one of `served` that cannot: the others are but looked at. */
	#versionsOf(
		id: FunctionId,
		desired: readonly DesiredVersion[],
		served: ReadonlySet<string>,
	): ReadonlyMap<string, Known> {
		const before = this.#known.get(keyOf(id));
		const versions = new Map<string, Known>();
		for (const one of desired) {
			const known = before?.get(one.id);
			const isSame = known !== undefined && known.desired.artifact === one.artifact;
			const version = isSame ? known.share.version : this.#version(id, one);
			try {
				versions.set(one.id, {
					desired: one,
					share: { version, environment: this.#environmentOf(one), start: one.start },
				});
			} catch (error) {
				if (served.has(one.id)) throw error;
				this.#parts.onRefused(id, error as Error);
			}
		}
		this.#known.set(keyOf(id), versions);
		return versions;
	}

	#environmentOf({ variables, bindings }: DesiredVersion): Environment {
		return { variables: JSON.stringify(variables), bindings: this.#parts.checkBindings(bindings, variables) };
	}

	#version(id: FunctionId, { id: own, artifact: key, limits, site, flags }: DesiredVersion): Version {
		const { store } = this.#parts;
		// One that another toolchain had made, or that was made again, has another key than this version began with.
		const keyOfNow = () => this.#known.get(keyOf(id))?.get(own)?.desired.artifact ?? key;
		const whole = () => (keyOfNow() === "" ? Promise.resolve(null) : store.artifact(keyOfNow()));
		const artifact = async () => {
			const found = await whole();
			if (found !== null) return found;
			await this.remake(id, own);
			const made = await whole();
			if (made === null) throw new FunctionError("building", undefined, { retryAfter: 1 });
			return made;
		};
		const source = {
			key,
			artifact,
			sourceMap: (most: number) => store.sourceMap(keyOfNow(), most),
			tryStart: () => Promise.reject(new Error("it was tried where it was built")),
		};
		return new Version(id, limits, source, { id: own, site, flags });
	}
}
