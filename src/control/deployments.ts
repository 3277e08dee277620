import { FunctionError, UsageError } from "../errors.ts";
import type { VersionNumber } from "../link/protocol.ts";
import { Router } from "../router/router.ts";
import type { Version } from "./version.ts";

interface Deployment {
	hostnames: string[];
	version: Version;
}

/** Which version serves which hostname. */
export class Deployments {
	readonly #router = new Router<Deployment>();
	readonly #byName = new Map<string, Deployment>();
	readonly #byNumber = new Map<VersionNumber, Version>();

	/** The version that serves a hostname. Throws FunctionError `hostname_not_found`. */
	lookup(hostname: string): Version {
		const deployment = this.#router.lookup(hostname);
		if (deployment === undefined) throw new FunctionError("hostname_not_found");
		return deployment.version;
	}

	find(hostname: string): Version | undefined {
		return this.#router.lookup(hostname)?.version;
	}

	/** Whether a hostname is one of the functions' own, and not just one of all that `*` would take. */
	has(hostname: string): boolean {
		return this.#router.named(hostname) !== undefined;
	}

	byNumber(number: VersionNumber): Version | undefined {
		return this.#byNumber.get(number);
	}

	get size(): number {
		return this.#byName.size;
	}

	/** Normalises hostnames and sees that no other function has them. Throws UsageError. */
	claim(name: string, hostnames: string[]): string[] {
		const patterns = [...new Set(hostnames.map((pattern) => Router.normalize(pattern)))];
		const own = this.#byName.get(name);
		for (const pattern of patterns) {
			const other = this.#router.get(pattern);
			if (other !== undefined && other !== own) {
				throw new UsageError(
					`${pattern} already leads to the function ${other.version.functionName}; remove that one first, or choose another hostname`,
				);
			}
		}
		return patterns;
	}

	/** Puts a version into service at hostnames that `claim` gave. Returns the version it replaces. */
	put(version: Version, patterns: string[]): Version | undefined {
		const before = this.#byName.get(version.functionName);
		const deployment: Deployment = { hostnames: patterns, version };
		for (const pattern of before?.hostnames ?? []) if (!patterns.includes(pattern)) this.#router.delete(pattern);
		for (const pattern of patterns) this.#router.set(pattern, deployment);
		this.#byName.set(version.functionName, deployment);
		this.#byNumber.set(version.number, version);
		if (before !== undefined) this.#byNumber.delete(before.version.number);
		return before?.version;
	}

	/** Takes a function out of service. Returns its version, if there was one of that name. */
	remove(name: string): Version | undefined {
		const deployment = this.#byName.get(name);
		if (deployment === undefined) return undefined;
		for (const pattern of deployment.hostnames) this.#router.delete(pattern);
		this.#byName.delete(name);
		this.#byNumber.delete(deployment.version.number);
		return deployment.version;
	}
}
