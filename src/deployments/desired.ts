import { setTimeout as sleep } from "node:timers/promises";
import type { Bound, GivenBindings } from "../bindings/binding.ts";
import type { ArtifactStore } from "../cache/artifact-store.ts";
import { FunctionError } from "../errors.ts";
import type { DesiredFunction, DesiredShare, DesiredVersion } from "../feed/messages.ts";
import { type FunctionId, keyOf } from "../names.ts";
import type { Milliseconds } from "../units.ts";
import type { Deployer } from "./deployer.ts";
import type { Environment } from "./environment.ts";
import { Release, type TriedShare } from "./release.ts";
import { Version } from "./version.ts";

/** A release waits so long for its first isolates. */
const WARM_MS: Milliseconds = 5000;

/** What desired state is put into service with. */
export interface DesiredParts {
	deployer: Deployer;
	store: ArtifactStore;
	checkBindings: (given: GivenBindings, env: object) => Bound[];
	/** Starts isolates of a release's versions before it is activated. */
	warm: (release: Release) => Promise<void>;
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
		const refused: DesiredFunction[] = [];
		for (const one of functions) if ((await this.#serve(one)) !== null) refused.push(one);
		// One may have waited for a hostname that another gives back.
		for (const one of refused) {
			const error = await this.#serve(one);
			if (error !== null) this.#parts.onRefused(one, error);
		}
	}

	/** The same, where these are all that there are. */
	async replace(functions: readonly DesiredFunction[]): Promise<void> {
		const wanted = new Set(functions.map(keyOf));
		const removed = [...this.#known.keys()].filter((key) => !wanted.has(key));
		await this.apply(
			functions,
			removed.map((key) => ({ tenant: key.split("/")[0], name: key.split("/")[1] })),
		);
	}

	/** Why it cannot be served, or `null`. */
	async #serve(desired: DesiredFunction): Promise<Error | null> {
		const { deployer } = this.#parts;
		const { tenant, name, hostnames, paused, shares, previews } = desired;
		try {
			if (paused) {
				this.#known.set(keyOf(desired), new Map());
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

	async #release({ tenant, name, hostnames, shares, sticky, previews, versions }: DesiredFunction): Promise<void> {
		const id: FunctionId = { tenant, name };
		const known = this.#versionsOf(id, versions);
		const releaseOf = (of: readonly DesiredShare[]) =>
			Release.tried(
				of.map(({ version, percent }) => ({ ...(known.get(version) as Known).share, percent })),
				sticky,
			);
		const releases = new Map(Object.entries(previews).map(([preview, of]) => [preview, releaseOf(of)]));
		// What was uploaded and never released has previews alone.
		const nothing = () => new Version(id, versions[0].limits, new FunctionError("hostname_not_found"));
		const release = shares.length > 0 ? releaseOf(shares) : Release.standIn(nothing());
		await Promise.race([this.#parts.warm(release), sleep(WARM_MS, undefined, { ref: false })]);
		this.#parts.deployer.activate(release, hostnames, releases);
	}

	#remove(id: FunctionId): void {
		this.#known.delete(keyOf(id));
		this.#parts.deployer.remove(id);
	}

	#versionsOf(id: FunctionId, desired: readonly DesiredVersion[]): Map<string, Known> {
		const before = this.#known.get(keyOf(id));
		const versions = new Map<string, Known>();
		for (const one of desired) {
			const known = before?.get(one.id);
			const isSame = known !== undefined && known.desired.artifact === one.artifact;
			const version = isSame ? known.share.version : this.#version(id, one);
			const { variables, bindings, start } = one;
			const environment: Environment = {
				variables: JSON.stringify(variables),
				bindings: this.#parts.checkBindings(bindings, variables),
			};
			versions.set(one.id, { desired: one, share: { version, environment, start } });
		}
		this.#known.set(keyOf(id), versions);
		return versions;
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
