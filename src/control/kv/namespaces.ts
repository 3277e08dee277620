import { randomBytes } from "node:crypto";
import type { GivenBindings } from "../../bindings/binding.ts";
import { Namespace } from "../../bindings/kv/namespace.ts";
import { NOTHING_TOLD } from "../../bindings/telling.ts";
import { type FunctionName, type TenantName, tenantName } from "../../names.ts";
import type { DataProcess } from "../../stores/data-process.ts";
import type { TriggersPatch } from "../../triggers/trigger-settings.ts";
import type { Bytes } from "../../units.ts";
import { releasedBindings } from "../catalog/released-bindings.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { tellingOf } from "../storage-tellings.ts";
import type { KvNamespaceDocument, Scope } from "../store/documents.ts";
import { type Change, type Entry, retried, type Store } from "../store/store.ts";

const MOST_NAMESPACES = 1000;

/** What namespaces are kept by. */
export interface KvNamespacesParts {
	store: Store;
	data: DataProcess;
	/** How much a tenant may store. */
	storedBytes: Bytes;
}

/** The KV namespaces that tenants have, by their ids and their titles. What is in them is kept by a data process. */
export class KvNamespaces {
	readonly #store: Store;
	readonly #data: DataProcess;
	readonly #storedBytes: Bytes;

	constructor({ store, data, storedBytes }: KvNamespacesParts) {
		this.#store = store;
		this.#data = data;
		this.#storedBytes = storedBytes;
	}

	/** A tenant's, in the order of their ids. */
	async list(tenant: TenantName): Promise<KvNamespaceDocument[]> {
		return (await this.#store.list("kvNamespace", { prefix: `${tenant}/` })).map(({ value }) => value);
	}

	/** Throws ControlError `namespace_not_found`. */
	async find(tenant: TenantName, id: string): Promise<Entry<"kvNamespace">> {
		const entry = await this.#store.get("kvNamespace", `${tenant}/${id}`);
		if (entry === null)
			throw new ControlError(
				"namespace_not_found",
				`namespace not found: the tenant ${tenant} has no KV namespace ${JSON.stringify(id)}`,
			);
		return entry;
	}

	/** What is in one, for whoever may read it or change it. Throws ControlError `namespace_not_found`. */
	async open(tenant: TenantName, id: string, scope: Scope): Promise<Namespace> {
		await this.find(tenant, id);
		if (scope === "read") return this.#opened(tenant, id);
		return this.#opened(tenant, id, await tellingOf(this.#store, tenant, { kv: id }));
	}

	#opened(tenant: TenantName, id: string, telling = NOTHING_TOLD): Namespace {
		return new Namespace(this.#data, { tenant, namespace: id }, this.#storedBytes, telling);
	}

	/** Throws ControlError `title_taken`, and `invalid` where the tenant has as many as it may. */
	create(actor: string, tenant: TenantName, title: string): Promise<KvNamespaceDocument> {
		return this.#create(actor, { tenant, id: randomBytes(16).toString("hex"), title });
	}

	#create(actor: string, given: Omit<KvNamespaceDocument, "created">): Promise<KvNamespaceDocument> {
		const { tenant, id, title } = given;
		const value = { ...given, created: new Date().toISOString() };
		const key = `${tenant}/${id}`;
		return retried(async () => {
			checked(tenantName, tenant, "the tenant's name");
			if ((await this.list(tenant)).length >= MOST_NAMESPACES)
				throw new ControlError("invalid", `a tenant may have ${MOST_NAMESPACES} KV namespaces: remove one first`);
			if ((await this.#store.get("kvRemoved", key)) !== null)
				throw new ControlError("conflict", `what was in the KV namespace ${id} is still being removed; try again`, 1);
			await this.#store.commit({ actor, action: "kv.create", target: key }, [
				{ kind: "kvNamespace", key, value, expected: 0 },
				await this.#titleFor(tenant, title, id),
			]);
			return value;
		});
	}

	/** Throws ControlError `namespace_not_found` and `title_taken`. */
	rename(actor: string, tenant: TenantName, id: string, title: string): Promise<KvNamespaceDocument> {
		return retried(async () => {
			const { key, value: before, revision } = await this.find(tenant, id);
			if (before.title === title) return before;
			const value = { ...before, title };
			await this.#store.commit({ actor, action: "kv.rename", target: key }, [
				{ kind: "kvNamespace", key, value, expected: revision },
				await this.#titleFor(tenant, title, id),
				...(await this.#titleOf(before)),
			]);
			return value;
		});
	}

	/** Has a title be a namespace's. Throws ControlError `title_taken`. */
	async #titleFor(tenant: TenantName, title: string, id: string): Promise<Change> {
		const key = `${tenant}/${title}`;
		if ((await this.#store.get("kvTitle", key)) !== null)
			throw new ControlError("title_taken", `a namespace with this account ID and title already exists: ${title}`);
		return { kind: "kvTitle", key, value: { id }, expected: 0 };
	}

	/** Gives a namespace's title back. */
	async #titleOf({ tenant, title }: KvNamespaceDocument): Promise<Change[]> {
		const key = `${tenant}/${title}`;
		const entry = await this.#store.get("kvTitle", key);
		return entry === null ? [] : [{ kind: "kvTitle", key, value: null, expected: entry.revision }];
	}

	/**
	 * Removes one with all that is in it, which goes by and by. Throws ControlError `namespace_not_found`, and
	 * `namespace_in_use` as long as a version that is released is bound to it.
	 */
	async remove(actor: string, tenant: TenantName, id: string): Promise<void> {
		const key = `${tenant}/${id}`;
		await retried(async () => {
			const { value, revision } = await this.find(tenant, id);
			const users = await this.#users(tenant, id);
			if (users.length > 0)
				throw new ControlError(
					"namespace_in_use",
					`namespace has associated scripts: ${users.join(", ")}; deploy them without it, or delete them first`,
				);
			await this.#store.commit({ actor, action: "kv.remove", target: key }, [
				{ kind: "kvNamespace", key, value: null, expected: revision },
				{ kind: "kvRemoved", key, value: { tenant, id }, expected: 0 },
				...(await this.#titleOf(value)),
			]);
		});
		await this.#empty(key);
	}

	/** Goes on with what was removed, and whose entries were not when control ended. */
	async tidy(): Promise<void> {
		for (const { key } of await this.#store.list("kvRemoved")) await this.#empty(key);
	}

	async #empty(key: string): Promise<void> {
		const entry = await this.#store.get("kvRemoved", key);
		if (entry === null) return;
		await this.#opened(entry.value.tenant, entry.value.id).drop();
		await this.#store.commit({ actor: "system", action: "kv.removed", target: key }, [
			{ kind: "kvRemoved", key, value: null, expected: entry.revision },
		]);
	}

	/** The functions of which a version is released, under any alias, that is bound to a namespace. */
	async #users(tenant: TenantName, id: string): Promise<FunctionName[]> {
		const users: FunctionName[] = [];
		for await (const { function: one, bindings } of releasedBindings(this.#store, tenant))
			if (bindings.some((bound) => idsIn(bound).includes(id))) users.push(one.name);
		return users;
	}

	/**
	 * What is to be committed with a release of versions that have these bindings, so that the namespaces that they name
	 * are not removed meanwhile. Throws ControlError `unknown_namespace` for one that is not there.
	 */
	async claims(tenant: TenantName, all: readonly GivenBindings[]): Promise<Change[]> {
		const claims: Change[] = [];
		for (const id of new Set(all.flatMap(idsIn))) {
			const entry = await this.#store.get("kvNamespace", `${tenant}/${id}`);
			if (entry === null)
				throw new ControlError(
					"unknown_namespace",
					`KV namespace '${id}' not found: make one (wrangler kv namespace create) and bind its id, or bind none and let wrangler make it`,
				);
			claims.push({ kind: "kvNamespace", key: entry.key, value: entry.value, expected: entry.revision });
		}
		return claims;
	}

	/** The same triggers with ids in place of titles. */
	async resolveTriggers<Given extends TriggersPatch>(tenant: TenantName, triggers: Given): Promise<Given> {
		if (triggers.storage === undefined) return triggers;
		const storage = [];
		for (const rule of triggers.storage) {
			const id = rule.kv === undefined ? undefined : await this.#idOf(tenant, rule.kv);
			storage.push({ ...rule, ...(id !== undefined && { kv: id }) });
		}
		return { ...triggers, storage };
	}

	/** The id of a namespace that is called by it, or by its title; or that is none. */
	async #idOf(tenant: TenantName, named: string): Promise<string> {
		if ((await this.#store.get("kvNamespace", `${tenant}/${named}`)) !== null) return named;
		return (await this.#store.get("kvTitle", `${tenant}/${named}`))?.value.id ?? named;
	}

	/** The same bindings with ids in place of titles, for those who name namespaces by these. */
	async resolve(tenant: TenantName, bindings: GivenBindings): Promise<GivenBindings> {
		const ids = new Map<unknown, string>();
		for (const named of new Set(idsIn(bindings))) ids.set(named, await this.#idOf(tenant, named));
		const resolved = Object.entries(bindings).map(([name, bound]) => [
			name,
			bound.type === "kv" && ids.has(bound.id) ? { ...bound, id: ids.get(bound.id) } : bound,
		]);
		return Object.fromEntries(resolved) as GivenBindings;
	}

	/** Makes those that bindings name and that are not there yet: their titles are what they are called by. */
	async introduce(actor: string, tenant: TenantName, bindings: GivenBindings): Promise<void> {
		for (const id of new Set(idsIn(bindings)))
			if ((await this.#store.get("kvNamespace", `${tenant}/${id}`)) === null)
				await this.#create(actor, { tenant, id, title: id });
	}
}

/** The ids of namespaces that bindings name. What is no id is for others to refuse. */
function idsIn(bindings: GivenBindings): string[] {
	return Object.values(bindings).flatMap(({ type, id }) => (type === "kv" && typeof id === "string" ? [id] : []));
}
