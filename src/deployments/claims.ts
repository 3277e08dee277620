import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { UsageError } from "../errors.ts";
import { DEFAULT_TENANT, type FunctionId, type TenantName } from "../names.ts";
import { isPublicSuffix } from "../router/public-suffix.ts";
import { Router } from "../router/router.ts";

/** A hostname, `*.suffix` or `*`, in the router's form. */
type Pattern = string;

interface Holder extends FunctionId {
	/** A function that is deployed anew claims its hostnames once more, until the version before it is gone. */
	claims: number;
}

/**
 * Which function has which hostnames. They belong to the tenant that claimed them first, and with a wildcard goes all
 * that lies under it and the name above it: nobody else may have `api.shop.test` or `shop.test` beside `*.shop.test`,
 * whichever came first.
 */
export class Claims {
	readonly #holders = new Map<Pattern, Holder>();
	/** How many claims each tenant has under a name, at whatever depth. */
	readonly #below = new Map<string, Map<TenantName, number>>();

	/** Gives a function hostnames, all or none, until `release`. Throws UsageError for one that it cannot have. */
	claim(claimant: FunctionId, hostnames: readonly string[]): Pattern[] {
		const patterns = [...new Set(hostnames.map((hostname) => Router.normalize(hostname)))];
		for (const pattern of patterns) {
			const refusal = this.#refusal(claimant, pattern);
			if (refusal !== null) throw new UsageError(refusal, "hostname_refused");
		}
		for (const pattern of patterns) this.#take(claimant, pattern);
		return patterns;
	}

	/** Those of some hostnames that a function could claim. */
	available(claimant: FunctionId, hostnames: readonly string[]): string[] {
		return hostnames.filter((hostname) => {
			const pattern = Router.parse(hostname);
			return pattern !== null && this.#refusal(claimant, pattern) === null;
		});
	}

	/** Takes back what `claim` gave. */
	release(patterns: readonly Pattern[]): void {
		for (const pattern of patterns) {
			const holder = this.#holders.get(pattern) as Holder;
			if (--holder.claims > 0) continue;
			this.#holders.delete(pattern);
			for (const name of namesAbove(pattern)) this.#count(name, holder.tenant, -1);
		}
	}

	#take(claimant: FunctionId, pattern: Pattern): void {
		const holder = this.#holders.get(pattern);
		if (holder !== undefined) {
			holder.claims++;
			return;
		}
		const { tenant, name } = claimant;
		this.#holders.set(pattern, { tenant, name, claims: 1 });
		for (const above of namesAbove(pattern)) this.#count(above, tenant, 1);
	}

	#count(name: string, tenant: TenantName, more: 1 | -1): void {
		const tenants = this.#below.get(name) ?? new Map<TenantName, number>();
		const claims = (tenants.get(tenant) ?? 0) + more;
		if (claims > 0) tenants.set(tenant, claims);
		else tenants.delete(tenant);
		if (tenants.size > 0) this.#below.set(name, tenants);
		else this.#below.delete(name);
	}

	/** Why a function cannot have a pattern, or `null`. Tells of another tenant that there is one, and no more. */
	#refusal({ tenant, name }: FunctionId, pattern: Pattern): string | null {
		const refusal = (why: string) => `${tenant} cannot have the hostname ${pattern}: ${why}`;
		const isWildcard = pattern.startsWith("*.");
		const base = isWildcard ? pattern.slice(2) : pattern;
		if (isPublicSuffix(base)) return refusal(`${base} is a public suffix, under which everybody may have names`);
		if (tenant !== DEFAULT_TENANT && (!base.includes(".") || isIP(domainToASCII(base)) !== 0))
			return refusal(`*, addresses and names without a dot are the operator's, whose tenant is ${DEFAULT_TENANT}`);

		const holder = this.#holders.get(pattern);
		if (holder?.tenant === tenant && holder.name !== name)
			return `${pattern} already leads to the function ${holder.name}; remove that one first, or choose another hostname`;
		const isAnothers = (other: Pattern) => (this.#holders.get(other)?.tenant ?? tenant) !== tenant;
		if (isAnothers(pattern)) return refusal("it belongs to another tenant");
		if (namesAbove(pattern).some((above) => isAnothers(`*.${above}`)))
			return refusal("it is under a wildcard of another tenant");
		const beside = isWildcard ? base : `*.${base}`;
		if (isAnothers(beside)) return refusal(`another tenant has ${beside}`);
		const below = isWildcard ? [...(this.#below.get(base)?.keys() ?? [])] : [];
		return below.some((other) => other !== tenant) ? refusal("another tenant has hostnames under it") : null;
	}
}

/** `a.b.test`: `b.test`, `test`. And so for `*.b.test`, which is as any name under `b.test`. */
function namesAbove(pattern: Pattern): string[] {
	const labels = pattern.split(".");
	return labels.slice(1).map((_, i) => labels.slice(i + 1).join("."));
}
