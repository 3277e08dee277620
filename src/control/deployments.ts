import { FunctionError } from "../errors.ts";
import type { VersionNumber } from "../link/protocol.ts";
import { type FunctionId, keyOf, type TenantName } from "../names.ts";
import { type Hostname, normalizeHostname } from "../router/hostname.ts";
import { Router } from "../router/router.ts";
import { Claims } from "./claims.ts";
import type { Version } from "./version.ts";

/** What a request is for: a function, or whichever serves a hostname. */
export interface Target {
	to: FunctionId | null;
	hostname: Hostname;
}

export interface Deployment {
	/** What it has claimed, in the router's form. */
	hostnames: string[];
	version: Version;
}

/** Which version serves which hostname. */
export class Deployments {
	readonly claims = new Claims();
	readonly #router = new Router<Deployment>();
	readonly #byFunction = new Map<string, Deployment>();
	readonly #byNumber = new Map<VersionNumber, Version>();

	/** The version that serves a request. Throws FunctionError `hostname_not_found` or `function_not_found`. */
	lookup(target: Target): Version {
		const version = this.find(target);
		if (version === undefined)
			throw new FunctionError(target.to === null ? "hostname_not_found" : "function_not_found");
		return version;
	}

	find({ to, hostname }: Target): Version | undefined {
		return (to === null ? this.#router.lookup(hostname) : this.#byFunction.get(keyOf(to)))?.version;
	}

	get(id: FunctionId): Deployment | undefined {
		return this.#byFunction.get(keyOf(id));
	}

	all(): Iterable<Deployment> {
		return this.#byFunction.values();
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
		return normal !== null && this.#router.named(normal)?.version.function.tenant === tenant ? normal : null;
	}

	byNumber(number: VersionNumber): Version | undefined {
		return this.#byNumber.get(number);
	}

	/** The ids of all versions in service. */
	ids(): Set<string> {
		return new Set([...this.#byNumber.values()].map(({ id }) => id));
	}

	get size(): number {
		return this.#byFunction.size;
	}

	/** Puts a version into service at hostnames that it has claimed. Returns the version it replaces. */
	put(version: Version, hostnames: string[]): Version | undefined {
		const id = version.function;
		const before = this.#withdraw(id);
		const deployment: Deployment = { hostnames, version };
		for (const pattern of hostnames) this.#router.set(pattern, deployment);
		this.#byFunction.set(keyOf(id), deployment);
		this.#byNumber.set(version.number, version);
		return before;
	}

	/**
	 * Takes a function out of service, and gives its hostnames back. Returns its version, if there was one of that
	 * name.
	 */
	remove(id: FunctionId): Version | undefined {
		return this.#withdraw(id);
	}

	#withdraw(id: FunctionId): Version | undefined {
		const deployment = this.#byFunction.get(keyOf(id));
		if (deployment === undefined) return undefined;
		const { hostnames, version } = deployment;
		for (const pattern of hostnames) this.#router.delete(pattern);
		this.claims.release(hostnames);
		this.#byFunction.delete(keyOf(id));
		this.#byNumber.delete(version.number);
		return version;
	}
}
