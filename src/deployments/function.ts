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
	/** Told of versions that run from now on, since somebody has asked for a preview. */
	onPreviewed: (versions: readonly ReleasedVersion[]) => void;
}

/** A release, and the versions that run for it in the order of its shares. */
interface Traffic {
	readonly release: Release;
	readonly versions: readonly ReleasedVersion[];
}

/** How many isolates each version with traffic has, at least and at most. */
export interface Instances {
	/** So many are started ahead of requests, and kept. */
	readonly provisioned: number;
	/** `null` for as many as its requests need. */
	readonly max: number | null;
}
const AS_NEEDED: Instances = { provisioned: 0, max: null };
/**
 * So many of a release's versions have isolates ahead of requests, as of one that takes over from another: with all of
 * them its tenant would have many times what it may have.
 */
const MOST_PROVISIONED = 2;

/** Releases beside the one that gets a function's traffic, by the names under which they are asked for. */
export type Previews = ReadonlyMap<string, Release>;
const NO_PREVIEWS: Previews = new Map();

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
	/** How many isolates each of its versions with traffic has. */
	instances = AS_NEEDED;
	readonly #nextVersion: () => VersionNumber;
	readonly #onPreviewed: (versions: readonly ReleasedVersion[]) => void;
	/** What gets its traffic. */
	#served: Traffic;
	#previews: Previews = NO_PREVIEWS;
	/** The previews that somebody has asked for. */
	#previewed = new Map<string, Traffic>();
	/** The versions of a release that is not in service. */
	#warming: readonly ReleasedVersion[] = [];
	/** The version released last is the last. */
	readonly #paces = new Map<VersionId, Pace>();

	constructor(settings: EdgeFunctionSettings) {
		const { id, tenant, number, strikes, account, release, nextVersion, onPreviewed } = settings;
		this.tenant = id.tenant;
		this.name = id.name;
		this.#tenant = tenant;
		this.tenantNumber = tenant?.number ?? -number;
		this.strikes = strikes;
		this.account = account;
		this.#nextVersion = nextVersion;
		this.#onPreviewed = onPreviewed;
		const gate = new Gate(bounds(release));
		this.gates = tenant === null ? [gate] : [gate, tenant.gate];
		this.streaming = new Rate(release.most("streamedBytesPerSecond"));
		this.requestBodyBytes = release.most("requestBodyBytes");
		this.#served = { release, versions: this.#versionsOf(release, []) };
	}

	/** What gets its traffic. */
	get release(): Release {
		return this.#served.release;
	}

	/** How many isolates of a version are to be started ahead of requests: none of one that has little of the traffic. */
	provisionedOf(version: ReleasedVersion): number {
		const { provisioned } = this.instances;
		// Of nearly every function, and asked for with its requests.
		if (provisioned === 0) return 0;
		const { release, versions } = this.#served;
		const at = versions.indexOf(version);
		const { percent = 0 } = release.shares[at] ?? {};
		if (percent === 0) return 0;
		const isAhead = (other: number, i: number) => other > percent || (other === percent && i < at);
		const ahead = release.shares.filter((other, i) => isAhead(other.percent, i));
		return ahead.length < MOST_PROVISIONED ? provisioned : 0;
	}

	/**
	 * Has a release get the traffic from now on, and others be there under names of theirs. A version that ran before
	 * with the same environment runs on, with the isolates that it has; what its versions may use together is what the
	 * most generous of those with traffic may.
	 */
	activate(release: Release, previews = NO_PREVIEWS, instances = AS_NEEDED): void {
		const { running } = this;
		this.instances = instances;
		this.#served = { release, versions: this.#versionsOf(release, running) };
		this.#warming = [];
		this.#previews = previews;
		const asked = [...this.#previewed.keys()];
		this.#previewed = new Map();
		for (const name of asked) {
			const preview = previews.get(name);
			if (preview === undefined) continue;
			const known = [...running, ...this.running];
			this.#previewed.set(name, { release: preview, versions: this.#versionsOf(preview, known) });
		}
		this.gates[0].resize(bounds(release));
		this.streaming.resize(release.most("streamedBytesPerSecond"));
		this.requestBodyBytes = release.most("requestBodyBytes");
	}

	/** Has the versions of a release run beside those in service, without traffic; one release's at a time. */
	prepare(release: Release): readonly ReleasedVersion[] {
		const { running } = this;
		const served = new Set(this.#served.versions);
		this.#warming = this.#versionsOf(release, running).filter((one) => !served.has(one));
		return this.#warming;
	}

	/** The versions of a release: those that run already, and new ones. */
	#versionsOf({ shares }: Release, running: readonly ReleasedVersion[]): ReleasedVersion[] {
		return shares.map(
			({ version, environment, start }) =>
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

	/**
	 * All of its versions that isolates may be started of: those in service, those that are prepared for it, and those
	 * that somebody has looked at. Each is there once.
	 */
	get running(): readonly ReleasedVersion[] {
		const all = new Set([...this.#served.versions, ...this.#warming]);
		for (const { versions } of this.#previewed.values()) for (const version of versions) all.add(version);
		return [...all];
	}

	/**
	 * The version that gets a request, by its share: the one that a point between 0 and 1 falls to. Where a preview is
	 * asked for, the one of that; `undefined` where there is none of its name.
	 */
	pick(point?: number, preview?: null): ReleasedVersion;
	pick(point: number | undefined, preview: string | null): ReleasedVersion | undefined;
	pick(point = Math.random(), preview: string | null = null): ReleasedVersion | undefined {
		const traffic = preview === null ? this.#served : this.#preview(preview);
		if (traffic === undefined) return undefined;
		const { release, versions } = traffic;
		return versions.length === 1 ? versions[0] : versions[release.indexAt(point)];
	}

	/** A version that may be profiled: the one of an id, or the one with the most of the traffic. */
	toProfile(id: VersionId | null): ReleasedVersion | undefined {
		if (id !== null) return this.running.find((one) => one.id === id);
		const { release, versions } = this.#served;
		const most = Math.max(...release.shares.map(({ percent }) => percent));
		return versions[release.shares.findIndex(({ percent }) => percent === most)];
	}

	/** Whether there is a preview of a name. */
	previews(name: string): boolean {
		return this.#previews.has(name);
	}

	#preview(name: string): Traffic | undefined {
		const known = this.#previewed.get(name);
		const release = this.#previews.get(name);
		if (known !== undefined || release === undefined) return known;
		const versions = this.#versionsOf(release, this.running);
		this.#previewed.set(name, { release, versions });
		this.#onPreviewed(versions);
		return { release, versions };
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
