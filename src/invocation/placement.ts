import type { ReleasedVersion } from "../deployments/released-version.ts";
import { FunctionError } from "../errors.ts";
import { overloaded } from "../limits/overload.ts";
import type { Recycles } from "../limits/recycles.ts";
import type { Refusals } from "../limits/refusals.ts";
import type { AttemptFailure, AttemptReport } from "../link/protocol.ts";
import type { FunctionId } from "../names.ts";
import { type Place, placesOf } from "../pool/place.ts";
import type { SandboxPool } from "../pool/pool.ts";
import type { Sandbox } from "../pool/sandbox.ts";
import type { Milliseconds } from "../units.ts";

/** What of a version decides where it may run. */
export interface Placeable extends Pick<ReleasedVersion, "struck"> {
	readonly function: FunctionId;
	readonly pace: Pick<ReleasedVersion["pace"], "lane">;
}

/**
 * What an invocation does after an attempt that has failed: it makes another, in the heavy lane from then on
 * (`cut`); or another if it may still, since it was not to blame, and ends with an error `otherwise`; or ends with
 * an error.
 */
export type AfterFailure = "cut" | { otherwise: FunctionError } | FunctionError;

/** What an event ends with whose sandbox, or isolate, was lost under it, and which cannot be run again. */
export const sandboxLost = () => new FunctionError("sandbox_lost", undefined, { retryAfter: 1 });

/**
 * Which sandboxes a version may share, and with whom, and what becomes of it by how its attempts end: its pace, its
 * strikes, the wait after a failed start. Decided here and nowhere else.
 */
export class Placement {
	readonly #pool: SandboxPool;
	readonly #recycles: Recycles;
	readonly #refusals: Refusals;

	constructor(pool: SandboxPool, recycles: Recycles, refusals: Refusals) {
		this.#pool = pool;
		this.#recycles = recycles;
		this.#refusals = refusals;
	}

	/** Why a version may not run now, anywhere; `null` if it may. */
	refusal(version: ReleasedVersion): FunctionError | null {
		const now = Date.now();
		const refusal = this.#refusals.of(version.function.tenant, now) ?? version.refusal(now);
		if (refusal !== null) return refusal;
		const wait = this.#recycles.remaining(now);
		return wait > 0 && version.suspect(now)
			? overloaded("functions have cost too many sandboxes within a minute, and this one is not proven", wait / 1000)
			: null;
	}

	/** The place of a version. Whatever its pace, it is in the heavy lane if its event was `cut` in the normal one. */
	static of(version: Placeable, cut: boolean): Place {
		const places = placesOf(version.function.tenant);
		if (version.struck) return places.probation;
		return cut ? places.heavy : places[version.pace.lane];
	}

	/**
	 * The sandbox at a place where an attempt at a version is to run, or why there is none. One that is `bound` there
	 * runs in nothing that is lent to the version: it could not be cut, or was cut already.
	 */
	sandbox(version: ReleasedVersion, place: Place, bound: boolean): Sandbox | FunctionError {
		const sandbox = this.#pool.sandbox(version, place, bound);
		if (sandbox !== null) return sandbox;
		const why = place.lane === "probation" ? "another function is on probation" : "no sandbox has started";
		return overloaded(why, 1);
	}

	/** At what turns of a version are cut in a sandbox, to run in the heavy lane instead; 0 if they are not. */
	cutMs(version: ReleasedVersion, place: Place, sandbox: Sandbox): Milliseconds {
		return this.#pool.cutMs(version, place, sandbox);
	}

	/** Sees to it that a version has as many isolates ahead of requests as it is to have. Resolves once it was tried. */
	provision(version: ReleasedVersion): Promise<void> {
		return this.#pool.provision(version, () => Placement.of(version, false));
	}

	/** An attempt is done. */
	done(version: ReleasedVersion, report: AttemptReport): void {
		version.pace.note(report.light);
		version.demand.note(report);
		if (report.cold) version.backoff.succeeded();
		else if (!report.light) this.#computes(version);
	}

	#computes(version: ReleasedVersion): void {
		this.#pool.computes(version, placesOf(version.function.tenant).heavy);
	}

	/** An attempt has failed. */
	failed(version: ReleasedVersion, { code, message, stack }: AttemptFailure, report: AttemptReport): AfterFailure {
		const { pace } = version;
		if (code === "too_heavy") {
			// The first turn of a cold isolate says little of those after it; and one that was light has only waited
			// for a core.
			if (report.cold) pace.note(report.light);
			else if (!report.light) pace.cut();
			version.demand.cut(report);
			this.#computes(version);
			return "cut";
		}
		if (code === "isolate_lost" || code === "crowded_out") return { otherwise: sandboxLost() };
		if (code === "starved") return { otherwise: new FunctionError("cpu_limit_exceeded", message) };
		pace.note(false); // However little it used before it failed: what cannot start has not proven light.
		version.demand.long();
		this.#computes(version);
		const error = new FunctionError(code === "forged" ? "invalid_response" : code, message, { stack });
		if (
			code === "startup_failed" ||
			code === "startup_cpu_limit_exceeded" ||
			(code === "memory_limit_exceeded" && !report.cold && report.cpuUs === 0)
		) {
			version.backoff.failed(Date.now());
			version.startFailure = error;
		}
		return error;
	}

	/** A version has made its isolate say what the prelude never says. */
	forged(version: ReleasedVersion): void {
		version.function.strike(Date.now());
	}

	/** A version has cost a sandbox its life; `undefined` for one that is no longer in service. */
	culprit(version: ReleasedVersion | undefined): void {
		const now = Date.now();
		version?.function.strike(now);
		this.#recycles.note(now);
	}
}
