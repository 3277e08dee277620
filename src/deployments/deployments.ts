import type { SiteSource } from "../assets/asset-config.ts";
import { FunctionError } from "../errors.ts";
import type { VersionNumber } from "../link/protocol.ts";
import { type FunctionId, keyOf, type TenantName } from "../names.ts";
import { type Hostname, normalizeHostname } from "../router/hostname.ts";
import { Router } from "../router/router.ts";
import { Claims } from "./claims.ts";
import type { EdgeFunction } from "./function.ts";
import type { ReleasedVersion } from "./released-version.ts";
import { type Asker, pointOf } from "./stickiness.ts";

/** What a request is for: a function that is named, or whichever serves a hostname. */
export interface Target {
	to: FunctionId | null;
	hostname: Hostname;
}

const NONE = { shares: [], sticky: null };

/** Which function serves which hostname. */
export class Deployments {
	readonly claims = new Claims();
	readonly #router = new Router<EdgeFunction>();
	readonly #functions = new Map<string, EdgeFunction>();
	readonly #byNumber = new Map<VersionNumber, ReleasedVersion>();

	/** The version that a request is for. Throws FunctionError `hostname_not_found` or `function_not_found`. */
	pick(target: Target & Asker): ReleasedVersion {
		const found = this.find(target);
		const { shares, sticky } = found?.release ?? NONE;
		const point = shares.length > 1 ? pointOf(target, sticky) : undefined;
		const version = found?.pick(point, target.to === null ? this.#preview(target.hostname) : null);
		if (version !== undefined) return version;
		throw new FunctionError(target.to === null ? "hostname_not_found" : "function_not_found");
	}

	/** The function that a request is for. */
	find({ to, hostname }: Target): EdgeFunction | undefined {
		if (to !== null) return this.get(to);
		const preview = this.#preview(hostname);
		return preview === null ? this.#router.lookup(hostname) : this.#router.get(hostname.slice(preview.length + 2));
	}

	/**
	 * `<preview>--<hostname>`: the preview's name, where there is one of a function at that hostname. A name that a
	 * function has as it stands comes first.
	 */
	#preview(hostname: Hostname): string | null {
		const end = hostname.indexOf("--");
		if (end <= 0 || this.#router.get(hostname) !== undefined) return null;
		const preview = hostname.slice(0, end);
		return this.#router.get(hostname.slice(end + 2))?.previews(preview) ? preview : null;
	}

	/** Where functions are reached, for a person who has asked at another place. */
	get hostnames(): Hostname[] {
		return [...this.#functions.values()].flatMap(({ hostnames }) => hostnames).sort();
	}

	all(): Iterable<EdgeFunction> {
		return this.#functions.values();
	}

	/**
	 * The hostname in its normal form where a function of a tenant may be reached by it within the process: that is,
	 * where it is one of the tenant's own, and not just one of all that `*` would take. Else `null`: whatever is
	 * another tenant's is reached as from outside, over the network, so that a tenant which has claimed a name gets
	 * nothing that was meant for whoever has it in the DNS. Functions that one tenant hands to another will be
	 * reachable from here too.
	 */
	within(tenant: TenantName, hostname: string): string | null {
		const normal = normalizeHostname(hostname);
		return normal !== null && this.#router.named(normal)?.tenant === tenant ? normal : null;
	}

	/** The function of a name, if it is in service. */
	get(id: FunctionId): EdgeFunction | undefined {
		return this.#functions.get(keyOf(id));
	}

	byNumber(number: VersionNumber): ReleasedVersion | undefined {
		return this.#byNumber.get(number);
	}

	/** The keys of all artifacts in service. */
	artifacts(): Set<string> {
		const keys = new Set<string>();
		for (const { version } of this.#byNumber.values())
			if (!(version.source instanceof FunctionError)) keys.add(version.source.key);
		return keys;
	}

	/** The sites of all versions in service. */
	sites(): SiteSource[] {
		return [...this.#byNumber.values()].flatMap(({ version: { site } }) => site ?? []);
	}

	get size(): number {
		return this.#functions.size;
	}

	/**
	 * Puts a function, or what has become of it, into service at hostnames that it has claimed. Gives back those
	 * before.
	 */
	put(one: EdgeFunction, hostnames: readonly string[]): void {
		this.#unroute(one);
		one.hostnames = hostnames;
		for (const pattern of hostnames) this.#router.set(pattern, one);
		this.#functions.set(keyOf(one), one);
	}

	/** Takes a function out of service, and gives its hostnames back. */
	remove(one: EdgeFunction): void {
		this.#unroute(one);
		this.#functions.delete(keyOf(one));
	}

	#unroute(one: EdgeFunction): void {
		for (const pattern of one.hostnames) this.#router.delete(pattern);
		this.claims.release(one.hostnames);
		one.hostnames = [];
	}

	/** From now on these versions run, and those do not; what is in both runs on. */
	exchange(before: readonly ReleasedVersion[], after: readonly ReleasedVersion[]): void {
		for (const { number } of before) this.#byNumber.delete(number);
		for (const version of after) this.#byNumber.set(version.number, version);
	}
}
