import { DEFAULT_TENANT, type FunctionId, functionName, keyOf, type TenantName, tenantName } from "../../names.ts";
import { Router } from "../../router/router.ts";
import { type ConsumerSettings, missingHandler, NO_TRIGGERS, type Triggers } from "../../triggers/trigger-settings.ts";
import { ControlError } from "../control-error.ts";
import type { Sealer } from "../secrets.ts";
import {
	type Alias,
	type FunctionDocument,
	PRODUCTION,
	type ReleaseDocument,
	type VersionDocument,
} from "../store/documents.ts";
import { type Change, type Deed, type Entry, type Range, retried, type Sequence, type Store } from "../store/store.ts";
import { checkName, checkVariables } from "./environment-checks.ts";
import type { HostnamePolicy } from "./hostname-policy.ts";
import type { InstancePolicy } from "./instance-policy.ts";
import { QueuePolicy } from "./queue-policy.ts";

const MOST_HOSTNAMES = 100;

/** Variables or secrets to set, and those to remove as `null`. */
export type Patch<T> = Record<string, T | null>;

/** A version, which may not have an id yet. */
type VersionInEnvironment = Pick<VersionDocument, "variables" | "bindings" | "metadataBinding"> &
	Partial<Pick<VersionDocument, "id" | "tag" | "created">>;

/** What a function is set to that is no version's: whether it is paused, where it is reached, its tags. */
export type Settings = Pick<
	FunctionDocument,
	| "paused"
	| "provisioned"
	| "maxInstances"
	| "keep"
	| "onDomain"
	| "previews"
	| "tags"
	| "schedules"
	| "consumers"
	| "storage"
>;

/** What a change of a function comes to: it as it is to be, and what else changes with it. */
interface Changing {
	value: FunctionDocument;
	beside?: readonly Change[];
}

/** What a catalog is made of. */
export interface CatalogParts {
	store: Store;
	sealer: Sealer;
	hostnames: HostnamePolicy;
	instances: InstancePolicy;
}

/** What there is: tenants, functions, versions and releases, and how the settings of functions change. */
export class Catalog {
	readonly store: Store;
	readonly #sealer: Sealer;
	readonly #hostnames: HostnamePolicy;
	readonly #instances: InstancePolicy;
	readonly queues: QueuePolicy;

	constructor({ store, sealer, hostnames, instances }: CatalogParts) {
		this.store = store;
		this.#sealer = sealer;
		this.#hostnames = hostnames;
		this.#instances = instances;
		this.queues = new QueuePolicy(store);
	}

	/** The hostname that a function's name gives it. */
	ownHostname(id: FunctionId): string {
		return this.#hostnames.own(id);
	}

	/** Where a function is reached: what its name gives it, then its own hostnames. */
	hostnamesOf(one: FunctionDocument): string[] {
		return one.onDomain ? [this.#hostnames.own(one), ...one.hostnames] : one.hostnames;
	}

	/** The functions that a request for a hostname may be for. */
	holders(hostname: string): Promise<FunctionId[]> {
		return this.#hostnames.holders(hostname);
	}

	/** Throws ControlError `not_found`. */
	async find(id: FunctionId): Promise<Entry<"function">> {
		const entry = await this.store.get("function", keyOf(id));
		if (entry === null)
			throw new ControlError("not_found", `there is no function ${id.name} of the tenant ${id.tenant}`);
		return entry;
	}

	async functions(tenant: TenantName, range: Range = {}): Promise<FunctionDocument[]> {
		const { after, ...rest } = range;
		const prefix = `${tenant}/`;
		const entries = await this.store.list("function", { ...rest, prefix, after: after && `${prefix}${after}` });
		return entries.map(({ value }) => value);
	}

	async tenants(): Promise<TenantName[]> {
		const names = (await this.store.list("tenant")).map(({ key }) => key);
		return names.includes(DEFAULT_TENANT) ? names : [DEFAULT_TENANT, ...names];
	}

	/** A function's versions, the latest first. */
	async versions(id: FunctionId): Promise<VersionDocument[]> {
		return latestVersions(await this.store.list("version", { prefix: `${keyOf(id)}/` }));
	}

	/** One of them, by its id or by its number. Throws ControlError `not_found`. */
	async version(id: FunctionId, which: string): Promise<VersionDocument> {
		const found = (await this.store.get("version", `${keyOf(id)}/${which}`))?.value;
		const one = found ?? (await this.versions(id)).find(({ number }) => String(number) === which);
		if (one === undefined) throw new ControlError("not_found", `${id.name} has no version ${which}`);
		return one;
	}

	/** A function's releases, the latest first. */
	async releases(id: FunctionId, alias?: Alias): Promise<ReleaseDocument[]> {
		const all = latestReleases(await this.store.list("release", { prefix: `${keyOf(id)}/` }));
		return all.filter((release) => alias === undefined || release.alias === alias);
	}

	/** What an alias stands for; `null` where it stands for nothing. */
	async released(one: FunctionDocument, alias: Alias = PRODUCTION): Promise<ReleaseDocument | null> {
		if (!Object.hasOwn(one.aliases, alias)) return null;
		const release = one.aliases[alias];
		return (await this.store.get("release", `${keyOf(one)}/${release}`))?.value ?? null;
	}

	/**
	 * Changes a function, which is made where it is missing and `create` says so. `change` is called again with what
	 * others have made of it meanwhile.
	 */
	async change(
		deed: Omit<Deed, "target">,
		id: FunctionId,
		change: (before: FunctionDocument) => Changing | Promise<Changing>,
		{ create = false } = {},
	): Promise<{ value: FunctionDocument; sequence: Sequence }> {
		const key = keyOf(id);
		return retried(async () => {
			const entry = await this.store.get("function", key);
			if (entry === null && !create) await this.find(id);
			const beside: Change[] = entry === null ? await this.#introduce(id) : [];
			const { value, beside: more = [] } = await change(entry?.value ?? newFunction(id));
			value.changed = new Date().toISOString();
			const own: Change = { kind: "function", key, value, expected: entry?.revision ?? 0 };
			const sequence = await this.store.commit({ ...deed, target: key }, [...beside, own, ...more]);
			return { value, sequence };
		});
	}

	/** What has to be there for a new function: its tenant, and the hostname that its name gives it. */
	async #introduce(id: FunctionId): Promise<Change[]> {
		checkId(id);
		const { tenant } = id;
		const changes = await this.#hostnames.claims(id, [this.#hostnames.own(id)]);
		if ((await this.store.get("tenant", tenant)) === null)
			changes.push({ kind: "tenant", key: tenant, value: { created: new Date().toISOString() }, expected: 0 });
		return changes;
	}

	/** Sets and removes variables that all versions of a function get. */
	async setVariables(actor: string, id: FunctionId, patch: Patch<unknown>): Promise<Sequence> {
		const { sequence } = await this.change({ actor, action: "variables.set" }, id, (one) => {
			const variables = patched(one.variables, patch);
			checkVariables(variables, "variables of a function");
			return { value: { ...one, variables } };
		});
		return sequence;
	}

	/** Sets and removes a function's secrets. `create` makes the function, which has no version then. */
	async setSecrets(actor: string, id: FunctionId, patch: Patch<string>, { create = false } = {}): Promise<Sequence> {
		const sealed = Object.entries(patch).map(([name, text]) => [
			name,
			text === null
				? null
				: { sealed: this.#sealer.seal(text, `${keyOf(id)}/${name}`), changed: new Date().toISOString() },
		]);
		const change = (one: FunctionDocument) => {
			const secrets = patched(one.secrets, Object.fromEntries(sealed) as Patch<FunctionDocument["secrets"][string]>);
			checkVariables(secrets, "secrets of a function");
			return { value: { ...one, secrets } };
		};
		return (await this.change({ actor, action: "secrets.set" }, id, change, { create })).sequence;
	}

	/** A function's secrets as its versions get them. Throws UsageError for one that cannot be read. */
	secretsOf(one: FunctionDocument): Record<string, string> {
		const secrets = Object.entries(one.secrets).map(([name, { sealed }]) => [
			name,
			this.#sealer.unseal(sealed, `${keyOf(one)}/${name}`),
		]);
		return Object.fromEntries(secrets) as Record<string, string>;
	}

	/**
	 * What a version finds in `env` beside its bindings: the function's variables, then its own, then the function's
	 * secrets. What has the name of one of its bindings is not for this version: it was there first.
	 */
	environmentOf(
		one: FunctionDocument,
		version: VersionInEnvironment,
		secrets = this.secretsOf(one),
	): Record<string, unknown> {
		const { variables, bindings, metadataBinding, id = "", tag = "", created = "" } = version;
		const own = metadataBinding === "" ? {} : { [metadataBinding]: { id, tag, timestamp: created } };
		const all = Object.entries({ ...one.variables, ...variables, ...own, ...secrets });
		return Object.fromEntries(all.filter(([name]) => !Object.hasOwn(bindings, name)));
	}

	/** Gives a function hostnames of its own, in place of those that it has. */
	async setHostnames(actor: string, id: FunctionId, given: readonly string[]): Promise<Sequence> {
		if (given.length > MOST_HOSTNAMES)
			throw new ControlError("invalid", `a function may have ${MOST_HOSTNAMES} hostnames at most`);
		const hostnames = [...new Set(given.map((hostname) => normal(hostname)))];
		const { sequence } = await this.change({ actor, action: "hostnames.set" }, id, async (one) => {
			const added = hostnames.filter((hostname) => !one.hostnames.includes(hostname));
			const removed = one.hostnames.filter((hostname) => !hostnames.includes(hostname));
			const beside = [...(await this.#hostnames.claims(id, added)), ...(await this.#hostnames.returns(removed))];
			return { value: { ...one, hostnames }, beside };
		});
		return sequence;
	}

	/**
	 * Changes what is no version's. Of `keep` what is not said stays as it is. Throws ControlError `invalid` for instances
	 * that the function cannot have, and for triggers that what is released of it has no handler for; `conflict` for a
	 * queue that another function consumes.
	 */
	async set(actor: string, id: FunctionId, { keep, ...settings }: Partial<Settings>): Promise<Sequence> {
		const change = async (one: FunctionDocument) => {
			const value = { ...one, ...settings, keep: { ...one.keep, ...keep } };
			const { schedules: crons = [], consumers: queues = [], storage = [] } = settings;
			await this.#requireHandlers(one, { crons, queues, storage });
			const beside = [...(await this.#instances.claims(one, value)), ...(await this.queues.claims(one, value))];
			return { value, beside };
		};
		return (await this.change({ actor, action: "function.set" }, id, change)).sequence;
	}

	/** Has a function consume a queue, by settings in place of those that it may have for it; or no longer, by `null`. */
	async setConsumer(
		actor: string,
		id: FunctionId,
		queue: string,
		settings: ConsumerSettings | null,
	): Promise<Sequence> {
		const change = async (one: FunctionDocument) => {
			const others = one.consumers.filter((other) => other.queue !== queue);
			const added = settings === null ? [] : [settings];
			const value = { ...one, consumers: [...others, ...added] };
			await this.#requireHandlers(one, { ...NO_TRIGGERS, queues: added });
			return { value, beside: await this.queues.claims(one, value) };
		};
		return (await this.change({ actor, action: "consumers.set" }, id, change)).sequence;
	}

	/** Throws ControlError `invalid` where what is released of a function could not be called by triggers. */
	async #requireHandlers(one: FunctionDocument, triggers: Triggers): Promise<void> {
		if (missingHandler(triggers, []) === null) return;
		const shares = (await this.released(one))?.shares ?? [];
		if (shares.length === 0)
			throw new ControlError("invalid", `${one.name} has no release that could be called: deploy it first`);
		for (const { version, percent } of shares)
			if (percent > 0) refuseIfMissing(await this.version(one, version), triggers);
	}

	/** Removes a function with all its versions and releases, and gives its hostnames and queues back. */
	async remove(actor: string, id: FunctionId): Promise<Sequence> {
		const key = keyOf(id);
		return retried(async () => {
			const entry = await this.find(id);
			const changes: Change[] = [{ kind: "function", key, value: null, expected: entry.revision }];
			for (const kind of ["version", "release"] as const)
				for (const { key: own, revision } of await this.store.list(kind, { prefix: `${key}/` }))
					changes.push({ kind, key: own, value: null, expected: revision });
			const all = [this.#hostnames.own(id), ...entry.value.hostnames];
			changes.push(...(await this.#hostnames.returns(all)));
			changes.push(...(await this.queues.claims(entry.value, { ...entry.value, consumers: [], storage: [] })));
			return this.store.commit({ actor, action: "function.remove", target: key }, changes);
		});
	}
}

function newFunction({ tenant, name }: FunctionId): FunctionDocument {
	const now = new Date().toISOString();
	return {
		tenant,
		name,
		created: now,
		changed: now,
		nextNumber: 1,
		aliases: {},
		hostnames: [],
		onDomain: true,
		previews: true,
		variables: {},
		secrets: {},
		paused: false,
		provisioned: 0,
		maxInstances: null,
		keep: {},
		tags: [],
		schedules: [],
		consumers: [],
		storage: [],
	};
}

/** Throws ControlError `invalid` for a version that has not the handlers that triggers call. */
export function refuseIfMissing({ number, handlers }: VersionDocument, triggers: Triggers): void {
	const problem = missingHandler(triggers, handlers);
	if (problem !== null)
		throw new ControlError("invalid", `${problem} in version ${number}: release one that has it, or leave them out`);
}

/** Throws ControlError `invalid` for a name that no function or tenant can have. */
function checkId({ tenant, name }: FunctionId): void {
	for (const [what, schema, value] of [
		["tenant", tenantName, tenant],
		["function", functionName, name],
	] as const) {
		const { success, error } = schema.safeParse(value);
		if (!success)
			throw new ControlError("invalid", `the ${what}'s name ${JSON.stringify(value)} ${error.issues[0].message}`);
	}
}

function normal(hostname: string): string {
	const parsed = Router.parse(hostname);
	if (parsed === null) throw new ControlError("invalid", `${JSON.stringify(hostname)} is not a hostname or *.hostname`);
	return parsed;
}

function patched<T>(before: Record<string, T>, patch: Patch<T>): Record<string, T> {
	const after = { ...before };
	for (const [name, value] of Object.entries(patch)) {
		checkName(name);
		if (value === null) delete after[name];
		else after[name] = value;
	}
	return after;
}

export function latestVersions(entries: readonly Entry<"version">[]): VersionDocument[] {
	return entries.map(({ value }) => value).sort((a, b) => b.number - a.number);
}

export function latestReleases(entries: readonly Entry<"release">[]): ReleaseDocument[] {
	return entries.toSorted((a, b) => b.revision - a.revision).map(({ value }) => value);
}
