import type { TenantName } from "../names.ts";
import { problemOfSecret, type Rule, type SchemeName, type Source, sourceName } from "../sources/source-settings.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { ControlError } from "./control-error.ts";
import { checked } from "./json.ts";
import type { Sealer } from "./secrets.ts";
import type { SourceDocument } from "./store/documents.ts";
import { type Change, type Changed, type Entry, retried, type Sequence } from "./store/store.ts";

const MOST_SOURCES = 100;
/** So many are told to edges at a time. */
const PAGE = 50;

/** What sources are kept by. */
export interface EventSourcesParts {
	catalog: Catalog;
	sealer: Sealer;
	/** Told of one whose secrets cannot be read: it stays as it is at the edges. */
	onUnreadable: (key: string, error: Error) => void;
}

/** What a source is to be; without secrets it keeps those that it has. */
export interface GivenSource {
	scheme: SchemeName;
	secrets?: string[] | undefined;
	rules: Rule[];
}

/** Where tenants' events come from: how they are signed, and whom they are for. */
export class EventSources {
	readonly #parts: EventSourcesParts;

	constructor(parts: EventSourcesParts) {
		this.#parts = parts;
	}

	get #store() {
		return this.#parts.catalog.store;
	}

	/** A tenant's, in the order of their names. */
	async list(tenant: TenantName): Promise<SourceDocument[]> {
		return (await this.#store.list("source", { prefix: `${tenant}/` })).map(({ value }) => value);
	}

	/** One of them. Throws ControlError `not_found`. */
	async find(tenant: TenantName, name: string): Promise<Entry<"source">> {
		const entry = await this.#store.get("source", `${tenant}/${name}`);
		if (entry === null)
			throw new ControlError("not_found", `the tenant ${tenant} has no source ${JSON.stringify(name)}`);
		return entry;
	}

	/**
	 * Has there be a source, in place of what it may have been. Throws ControlError `invalid` for secrets that its scheme
	 * cannot use, and `not_found` for a function that is not there.
	 */
	async put(actor: string, tenant: TenantName, given: string, what: GivenSource): Promise<Sequence> {
		const { scheme, secrets, rules } = what;
		const name = checked(sourceName, given, "the source's name");
		for (const secret of secrets ?? []) {
			const problem = problemOfSecret(scheme, secret);
			if (problem !== null) throw new ControlError("invalid", `secrets: one of ${scheme} ${problem}`);
		}
		const key = `${tenant}/${name}`;
		return retried(async () => {
			const entry = await this.#store.get("source", key);
			if (entry === null && secrets === undefined)
				throw new ControlError("invalid", "secrets: a new source needs one at least");
			if (entry !== null && entry.value.scheme !== scheme && secrets === undefined)
				throw new ControlError("invalid", "secrets: another scheme needs others");
			if (entry === null && (await this.list(tenant)).length >= MOST_SOURCES)
				throw new ControlError("invalid", `a tenant may have ${MOST_SOURCES} sources: remove one first`);
			const changed = new Date().toISOString();
			const sealed = secrets?.map((secret) => ({ sealed: this.#parts.sealer.seal(secret, placeOf(key)), changed }));
			const value: SourceDocument = {
				...{ tenant, name, scheme, rules },
				secrets: sealed ?? entry?.value.secrets ?? [],
				created: entry?.value.created ?? changed,
			};
			const own: Change = { kind: "source", key, value, expected: entry?.revision ?? 0 };
			return this.#store.commit({ actor, action: "source.set", target: key }, [own, ...(await this.#beside(value))]);
		});
	}

	/** What has to be there for a source: the queues that its rules name. Its functions have to be there already. */
	async #beside({ tenant, rules }: SourceDocument): Promise<Change[]> {
		for (const { function: name } of rules) if (name !== undefined) await this.#parts.catalog.find({ tenant, name });
		const queues = rules.flatMap(({ queue, deadLetterQueue }) => [queue ?? [], deadLetterQueue ?? []].flat());
		return this.#parts.catalog.queues.introduce(tenant, queues);
	}

	/** Throws ControlError `not_found`. */
	async remove(actor: string, tenant: TenantName, name: string): Promise<Sequence> {
		return retried(async () => {
			const { key, revision } = await this.find(tenant, name);
			return this.#store.commit({ actor, action: "source.remove", target: key }, [
				{ kind: "source", key, value: null, expected: revision },
			]);
		});
	}

	/** All of them as edges know them, some at a time. */
	async *all(): AsyncGenerator<Source[]> {
		const next = (after: string) => this.#store.list("source", { after, limit: PAGE });
		for (let page = await next(""); page.length > 0; page = await next(page[page.length - 1].key))
			yield this.#told(page.map(({ value }) => value));
	}

	/** Those that have changed. */
	async *some(changed: readonly Changed[]): AsyncGenerator<Source[]> {
		const there = changed.filter(({ kind, value }) => kind === "source" && value !== null);
		for (let at = 0; at < there.length; at += PAGE)
			yield this.#told(there.slice(at, at + PAGE).map(({ value }) => value as SourceDocument));
	}

	#told(sources: SourceDocument[]): Source[] {
		return sources.flatMap(({ tenant, name, scheme, secrets, rules }): Source[] => {
			const key = `${tenant}/${name}`;
			try {
				const open = secrets.map(({ sealed }) => this.#parts.sealer.unseal(sealed, placeOf(key)));
				return [{ tenant, name, scheme, secrets: open, rules }];
			} catch (error) {
				this.#parts.onUnreadable(key, error as Error);
				return [];
			}
		});
	}
}

/** Where a source's secrets belong: no function's are there. */
const placeOf = (key: string) => `source:${key}`;
