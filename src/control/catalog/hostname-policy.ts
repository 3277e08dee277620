import { isIP } from "node:net";
import { Claims } from "../../deployments/claims.ts";
import { UsageError } from "../../errors.ts";
import { DEFAULT_TENANT, type FunctionId } from "../../names.ts";
import type { Hostname } from "../../router/hostname.ts";
import { ControlError } from "../control-error.ts";
import type { Change, Entry, Store } from "../store/store.ts";

/** `<preview>--<hostname>` */
const PREVIEW = /^[^.*]+?--(.+)$/;

/** Which hostnames functions have by their names, and which they may claim beside these. */
export class HostnamePolicy {
	readonly #store: Store;
	readonly domain: Hostname;

	constructor(store: Store, domain: Hostname) {
		this.#store = store;
		this.domain = domain;
	}

	/** `NAME.<domain>`, and `NAME.<tenant>.<domain>` for all tenants but the operator's own. */
	own({ tenant, name }: FunctionId): Hostname {
		const label = name.toLowerCase().replaceAll("_", "-");
		return tenant === DEFAULT_TENANT ? `${label}.${this.domain}` : `${label}.${tenant}.${this.domain}`;
	}

	/** The functions that a request for a hostname may be for: by its name, as a preview of it, or by a wildcard. */
	async holders(hostname: Hostname): Promise<FunctionId[]> {
		const labels = hostname.split(".");
		const wildcards = labels.map((_, i) => ["*", ...labels.slice(i + 1)].join("."));
		const [, below] = PREVIEW.exec(hostname) ?? [];
		const patterns = [hostname, ...(below === undefined ? [] : [below]), ...wildcards];
		const entries = await Promise.all(patterns.map((pattern) => this.#store.get("hostname", pattern)));
		return entries.flatMap((entry) => (entry === null ? [] : [entry.value]));
	}

	/**
	 * The part of a commit by which a function gets hostnames. Throws ControlError `conflict` for one that it cannot
	 * have.
	 */
	async claims(id: FunctionId, hostnames: readonly Hostname[]): Promise<Change[]> {
		if (hostnames.length === 0) return [];
		const claims = new Claims();
		for (const { key, value } of await this.#related(hostnames)) claims.claim(value, [key]);
		const changes: Change[] = [];
		for (const hostname of hostnames) {
			if (this.#isOfAnotherTenant(id, hostname))
				throw new ControlError(
					"conflict",
					`${hostname} is a place of the platform's, where only its own functions are`,
				);
			if (await this.#isPreviewOfAnother(id, hostname))
				throw new ControlError("conflict", `${hostname} is where a function of another tenant has its previews`);
			try {
				claims.claim(id, [hostname]);
			} catch (error) {
				if (!(error instanceof UsageError)) throw error;
				throw new ControlError("conflict", error.message);
			}
			const before = await this.#store.get("hostname", hostname);
			const { tenant, name } = id;
			changes.push({ kind: "hostname", key: hostname, value: { tenant, name }, expected: before?.revision ?? 0 });
		}
		return changes;
	}

	/** What is under the platform's domain is a function's by its name. A tenant may ask for what is under its own. */
	#isOfAnotherTenant(id: FunctionId, hostname: Hostname): boolean {
		const base = hostname.replace(/^\*\./, "");
		if (hostname === this.own(id) || id.tenant === DEFAULT_TENANT) return false;
		// Whoever reaches the admin port there has a cookie that browsers send to all ports.
		if (base === "localhost" || isIP(base) !== 0) return true;
		const isUnder = (domain: string) => base === domain || base.endsWith(`.${domain}`);
		return isUnder(this.domain) && !isUnder(`${id.tenant}.${this.domain}`);
	}

	/** `<preview>--<hostname>` of another tenant's hostname: a name as it stands would come first. */
	async #isPreviewOfAnother({ tenant }: FunctionId, hostname: Hostname): Promise<boolean> {
		const [, below] = PREVIEW.exec(hostname) ?? [];
		const holder = below === undefined ? null : await this.#store.get("hostname", below);
		return holder !== null && holder.value.tenant !== tenant;
	}

	/** The part by which hostnames are given back. */
	async returns(hostnames: readonly Hostname[]): Promise<Change[]> {
		const entries = await Promise.all(hostnames.map((hostname) => this.#store.get("hostname", hostname)));
		return entries
			.filter((entry) => entry !== null)
			.map(({ key, revision }): Change => ({ kind: "hostname", key, value: null, expected: revision }));
	}

	/** All that is claimed and could stand in the way: what any of some hostnames is, lies under, or has under it. */
	async #related(hostnames: readonly Hostname[]): Promise<Entry<"hostname">[]> {
		const found = new Map<string, Entry<"hostname">>();
		const look = async (key: string) => {
			const entry = await this.#store.get("hostname", key);
			if (entry !== null) found.set(key, entry);
		};
		for (const hostname of hostnames) {
			const base = hostname.replace(/^\*\./, "");
			await look(hostname);
			await look(base);
			const labels = base.split(".");
			for (let i = 0; i < labels.length; i++) await look(`*.${labels.slice(i).join(".")}`);
			// A wildcard is rare, and all that lies under it is looked for among everything.
			if (hostname.startsWith("*."))
				for (const entry of await this.#store.list("hostname"))
					if (entry.key.endsWith(`.${base}`)) found.set(entry.key, entry);
		}
		return [...found.values()];
	}
}
