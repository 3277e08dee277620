import type { Account } from "../limits/account.ts";
import { Gate } from "../limits/admission.ts";
import { Pace } from "../limits/pace.ts";
import { Rate } from "../limits/rate.ts";
import type { Strikes } from "../limits/strikes.ts";
import type { TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { FunctionId, FunctionName, TenantName } from "../names.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { isSame } from "./environment.ts";
import type { Release } from "./release.ts";
import { ReleasedVersion } from "./released-version.ts";
import type { Tenant } from "./tenant.ts";
import type { VersionId } from "./version.ts";

/** Of so many versions it is remembered how light they have proven. */
const MOST_PACES = 20;

/** What a function is made of. */
export interface EdgeFunctionSettings {
	id: FunctionId;
	/** `null` for what counts for itself alone. */
	tenant: Tenant | null;
	/** Tells it from others that count for themselves alone, from 1. */
	number: number;
	/** Those of a function of this name that was there before, where they are not forgotten. */
	strikes: Strikes;
	/** What the edge holds for its requests is held on this. */
	account: Account;
	release: Release;
	/** Gives each version that is released a number for the link. */
	nextVersion: () => VersionNumber;
}

/**
 * What lives longer than an upload: whose it is and its name, its hostnames, what its versions may use together and
 * have done, and which of them get its traffic.
 */
export class EdgeFunction implements FunctionId {
	readonly tenant: TenantName;
	readonly name: FunctionName;
	readonly #tenant: Tenant | null;
	/** Whoever it belongs to: its tenant, or itself, whose number is negative so as not to be a tenant's. */
	readonly tenantNumber: TenantNumber;
	/** Its own; its tenant has others. */
	readonly strikes: Strikes;
	/** Its own, then its tenant's: what its requests pass before they run. */
	readonly gates: readonly [Gate, ...Gate[]];
	/** How fast its streamed responses leave. */
	readonly streaming: Rate;
	/** What the edge holds for its requests. */
	readonly account: Account;
	/** How large a body may be before it is known which version gets it. */
	requestBodyBytes: Bytes;
	/** What it has claimed, in the router's form. */
	hostnames: readonly string[] = [];
	readonly #nextVersion: () => VersionNumber;
	#release: Release;
	/** In the order of the release's shares. */
	#versions: readonly ReleasedVersion[] = [];
	/** Those of a release that is not in service. */
	#warming: readonly ReleasedVersion[] = [];
	/** The version released last is the last. */
	readonly #paces = new Map<VersionId, Pace>();

	constructor({ id, tenant, number, strikes, account, release, nextVersion }: EdgeFunctionSettings) {
		this.tenant = id.tenant;
		this.name = id.name;
		this.#tenant = tenant;
		this.tenantNumber = tenant?.number ?? -number;
		this.strikes = strikes;
		this.account = account;
		this.#nextVersion = nextVersion;
		const gate = new Gate(bounds(release));
		this.gates = tenant === null ? [gate] : [gate, tenant.gate];
		this.streaming = new Rate(release.most("streamedBytesPerSecond"));
		this.requestBodyBytes = release.most("requestBodyBytes");
		this.#release = release;
		this.#versions = this.#versionsOf(release);
	}

	get release(): Release {
		return this.#release;
	}

	/**
	 * Has a release get the traffic from now on. A version that ran before with the same environment runs on, with the
	 * isolates that it has; what its versions may use together is what the most generous of them may.
	 */
	activate(release: Release): void {
		this.#versions = this.#versionsOf(release);
		this.#warming = [];
		this.#release = release;
		this.gates[0].resize(bounds(release));
		this.streaming.resize(release.most("streamedBytesPerSecond"));
		this.requestBodyBytes = release.most("requestBodyBytes");
	}

	/** Has the versions of a release run beside those in service, without traffic; one release's at a time. */
	prepare(release: Release): readonly ReleasedVersion[] {
		this.#warming = this.#versionsOf(release).filter((one) => !this.#versions.includes(one));
		return this.#warming;
	}

	#versionsOf({ environment, shares }: Release): ReleasedVersion[] {
		const { running } = this;
		return shares.map(
			({ version, start }) =>
				running.find((one) => one.version === version && isSame(one.environment, environment)) ??
				new ReleasedVersion({
					number: this.#nextVersion(),
					function: this,
					version,
					environment,
					pace: this.#pace(version.id, start.startUs),
				}),
		);
	}

	/** The same version is as light as it has proven before. */
	#pace(id: VersionId, startUs: number): Pace {
		const pace = this.#paces.get(id) ?? new Pace(startUs);
		this.#paces.delete(id);
		this.#paces.set(id, pace);
		if (this.#paces.size > MOST_PACES) this.#paces.delete(this.#paces.keys().next().value as VersionId);
		return pace;
	}

	/** All of its versions that isolates may be started of: those in service, and those that are prepared for it. */
	get running(): readonly ReleasedVersion[] {
		return [...this.#versions, ...this.#warming];
	}

	/** The version that gets a request, by its share: the one that a point between 0 and 1 falls to. */
	pick(point = Math.random()): ReleasedVersion {
		return this.#versions.length === 1 ? this.#versions[0] : this.#versions[this.#release.indexAt(point)];
	}

	/** It cost a sandbox its life, or has forged a message. */
	strike(now: Milliseconds): void {
		this.strikes.strike(now);
		this.#tenant?.strikes.strike(now);
	}

	/** Whether it has cost a sandbox its life, and that is not forgotten. */
	struck(now: Milliseconds): boolean {
		return this.strikes.count(now) > 0;
	}

	/** The same of it or of its tenant's others. */
	suspect(now: Milliseconds): boolean {
		return this.struck(now) || (this.#tenant?.strikes.count(now) ?? 0) > 0;
	}

	/** Whether it has requests, for which it may get a strike yet. */
	get busy(): boolean {
		return !this.gates[0].empty;
	}

	/** How long it is disabled still; 0 if it is not. */
	disabled(now: Milliseconds): Milliseconds {
		return Math.max(this.strikes.remaining(now), this.#tenant?.strikes.remaining(now) ?? 0);
	}
}

function bounds(release: Release) {
	return {
		concurrentRequests: release.most("concurrentRequests"),
		queuedRequests: release.most("queuedRequests"),
	};
}
