import type { VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import type { LaneName } from "./place.ts";
import type { PreloadEnd } from "./preload.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** An isolate that was there is looked for again after so long. */
const LOOK_MS: Milliseconds = 60_000;
/** One that was not is after this, and each time that it has gone again, or has not started, after twice as long. */
const FIRST_MS: Milliseconds = 5000;
const LONGEST_MS: Milliseconds = 600_000;

/** What is known of an isolate that is to be there. */
interface Isolate {
	/** How often in a row it was not there when it was looked for. */
	missing: number;
	/** When it is looked for next. */
	next: Milliseconds;
	/** Resolves once the look that is under way is over. */
	looking: Promise<void> | null;
	crowdedOut: boolean;
}

/** A version that is provisioned, and its isolates by where they are to be. */
interface Provision {
	version: RunnableVersion;
	lane: () => LaneName;
	readonly isolates: Map<Sandbox, Isolate>;
}

/** What provisions are told, and what does their work. */
export interface ProvisionsParts {
	/** The sandboxes in which isolates of a version that is placed in a lane are to be. */
	places: (version: RunnableVersion, lane: LaneName) => readonly Sandbox[];
	/** All in which an isolate of it need not be kept, unless they are among these. */
	others: (version: RunnableVersion) => readonly Sandbox[];
	/** Sees to it that there is an isolate, as long as that is `wanted`; `null` where it no longer is. */
	start: (version: RunnableVersion, sandbox: Sandbox, wanted: () => boolean) => Promise<PreloadEnd | null>;
	/** Told, once, of an isolate that is there and cannot be kept. */
	onCrowdedOut: (version: VersionNumber) => void;
}

/**
 * Sees to it that versions have their isolates before anybody asks for them, wherever they are to be: after a release,
 * after a sandbox was lost, and after an isolate was. One that is lost over and over is started ever less often.
 */
export class Provisions {
	readonly #parts: ProvisionsParts;
	readonly #all = new Map<VersionNumber, Provision>();

	constructor(parts: ProvisionsParts) {
		this.#parts = parts;
	}

	/** The versions that have any isolates to be kept. */
	get versions(): RunnableVersion[] {
		const all = [...this.#all.values()];
		return all
			.filter(({ version, lane }) => version.provisioned > 0 && lane() !== "probation")
			.map(({ version }) => version);
	}

	/** How many isolates of a version are to be kept may have changed. Resolves once it was seen to, well or not. */
	async set(version: RunnableVersion, lane: () => LaneName): Promise<void> {
		let one = this.#all.get(version.number);
		if (one === undefined) {
			one = { version, lane, isolates: new Map() };
			this.#all.set(version.number, one);
		}
		this.#settle(one);
		await Promise.all([...one.isolates.values()].map(({ looking }) => looking));
	}

	/** A version will get no more requests. */
	forget(version: VersionNumber): void {
		this.#all.delete(version);
	}

	/** Sandboxes have changed their places, or time has gone by. */
	settle(): void {
		for (const one of this.#all.values()) this.#settle(one);
	}

	/** An isolate of a version may be gone, since a turn of it has failed. */
	doubt(version: VersionNumber, sandbox: Sandbox): void {
		const one = this.#all.get(version);
		const isolate = one?.isolates.get(sandbox);
		if (one === undefined || isolate === undefined || isolate.missing > 1) return;
		isolate.next = 0;
		this.#settle(one);
	}

	#settle(one: Provision): void {
		const { version, lane, isolates } = one;
		const places = this.#parts.places(version, lane());
		for (const sandbox of isolates.keys()) if (!places.includes(sandbox)) isolates.delete(sandbox);
		for (const sandbox of this.#parts.others(version))
			if (!places.includes(sandbox)) sandbox.keep(version.number, false);
		for (const sandbox of places) {
			let isolate = isolates.get(sandbox);
			if (isolate === undefined) {
				isolate = { missing: 0, next: 0, looking: null, crowdedOut: false };
				isolates.set(sandbox, isolate);
			}
			sandbox.keep(version.number, true);
			if (isolate.looking === null && performance.now() >= isolate.next)
				isolate.looking = this.#look(one, sandbox, isolate);
		}
	}

	async #look({ version, isolates }: Provision, sandbox: Sandbox, isolate: Isolate): Promise<void> {
		const isWanted = () => isolates.get(sandbox) === isolate && this.#all.has(version.number);
		const end = await this.#parts.start(version, sandbox, isWanted);
		isolate.looking = null;
		if (!isWanted()) return;
		isolate.missing = end === "warm" ? 0 : isolate.missing + 1;
		const waitMs = end === "warm" ? LOOK_MS : Math.min(FIRST_MS * 2 ** (isolate.missing - 1), LONGEST_MS);
		isolate.next = performance.now() + waitMs;
		if (end === "crowded_out" && !isolate.crowdedOut) this.#parts.onCrowdedOut(version.number);
		isolate.crowdedOut = end === "crowded_out";
	}
}
