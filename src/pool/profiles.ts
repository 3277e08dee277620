import type { VersionNumber } from "../link/protocol.ts";
import { Profile, type ProfileBounds, type ProfiledVersion, type ProfileParts } from "./profile.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** So many are taken at a time. */
const MOST = 2;

/**
 * Takes CPU profiles of versions, each in a sandbox of its own, which has the processor when nobody else wants it and
 * ends with the profile. The version's requests go there meanwhile, unless too many wait there; those that are lost
 * with it are run again at home, and nothing that happens to it is held against the function.
 */
export class Profiles {
	readonly #parts: ProfileParts;
	readonly #all = new Set<Profile>();
	#closed = false;

	constructor(parts: ProfileParts) {
		this.#parts = parts;
	}

	/** Where the next attempt at a version runs, if not at home. */
	sandbox(version: RunnableVersion): Sandbox | null {
		if (this.#all.size === 0) return null;
		for (const profile of this.#all) {
			const sandbox = profile.version.number === version.number ? profile.admit() : null;
			if (sandbox !== null) return sandbox;
		}
		return null;
	}

	/** Takes one. Rejects where it comes to nothing, and where others are being taken. */
	async take(version: ProfiledVersion, bounds: ProfileBounds): Promise<Uint8Array> {
		if (this.#closed) throw new Error("the runtime is closing");
		const all = [...this.#all];
		if (all.length >= MOST) throw new Error(`${MOST} profiles are being taken, or end; try again in a minute`);
		if (all.some((one) => one.version.tenantNumber === version.tenantNumber))
			throw new Error("one of the tenant's is being taken, or ends; try again in a minute");
		const profile = new Profile(version, bounds, this.#parts);
		this.#all.add(profile);
		try {
			return await profile.take();
		} finally {
			void profile.end().then(() => this.#all.delete(profile));
		}
	}

	/** A version will get no more requests. */
	unload(version: VersionNumber): void {
		for (const profile of this.#all)
			if (profile.version.number === version) profile.fail("the version is not served any more");
	}

	pids(): number[] {
		return [...this.#all].map(({ pid }) => pid).filter((pid) => pid > 0);
	}

	async close(): Promise<void> {
		this.#closed = true;
		await Promise.all([...this.#all].map((profile) => profile.close()));
	}
}
