import type { GivenBindings } from "../bindings/binding.ts";
import { type FunctionName, type TenantName, tenantName } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import { usersOf } from "./catalog/released-bindings.ts";
import { ControlError } from "./control-error.ts";
import { checked } from "./json.ts";
import type { Scope, TitledDocument } from "./store/documents.ts";
import { type Change, type Entry, retried, type Store } from "./store/store.ts";

/** What tenants have of one kind, as control and its callers call it. */
export interface StoreKind {
	/** The documents of those that there are, of their titles, and of those that are being removed. */
	documents:
		| { one: "kvNamespace"; title: "kvTitle"; removed: "kvRemoved" }
		| { one: "sqlDatabase"; title: "sqlTitle"; removed: "sqlRemoved" };
	/** What a commit's action begins with. */
	action: string;
	/** The type of the bindings that name one, and the setting by which they do. */
	binding: { type: string; setting: string };
	/** How many a tenant may have. */
	most: number;
	newId: () => string;
	/** What one is called. */
	what: string;
	/** Those whose codes callers branch on, each with what they are told. */
	missing: (tenant: TenantName, id: string) => ControlError;
	taken: (title: string) => ControlError;
	inUse: (functions: FunctionName[]) => ControlError;
	unknown: (id: string) => ControlError;
}

/** What is in one, which goes with it. */
export interface Droppable {
	drop(): Promise<void>;
}

export interface TitledStoresParts<Opened extends Droppable> {
	store: Store;
	kind: StoreKind;
	/** What is in one, for whoever may do so much with it, at a place in a trace. */
	open: (tenant: TenantName, id: string, scope: Scope, trace: TraceContext | null) => Opened | Promise<Opened>;
}

/**
 * What tenants have that keeps something, and that functions are bound to: KV namespaces, SQL databases. Each has an id,
 * and a title, of which no two of a tenant have the same. What is in one is kept elsewhere.
 */
export class TitledStores<Opened extends Droppable> {
	readonly #store: Store;
	readonly #kind: StoreKind;
	readonly #opened: TitledStoresParts<Opened>["open"];

	constructor({ store, kind, open }: TitledStoresParts<Opened>) {
		this.#store = store;
		this.#kind = kind;
		this.#opened = open;
	}

	/** A tenant's, in the order of their ids. */
	async list(tenant: TenantName): Promise<TitledDocument[]> {
		return (await this.#store.list(this.#kind.documents.one, { prefix: `${tenant}/` })).map(({ value }) => value);
	}

	/** Throws ControlError where it is missing. */
	async find(tenant: TenantName, id: string): Promise<Entry<StoreKind["documents"]["one"]>> {
		const entry = await this.#store.get(this.#kind.documents.one, `${tenant}/${id}`);
		if (entry === null) throw this.#kind.missing(tenant, id);
		return entry;
	}

	/** The same by what people call it, or by its id. */
	async findNamed(tenant: TenantName, named: string): Promise<Entry<StoreKind["documents"]["one"]>> {
		const title = await this.#store.get(this.#kind.documents.title, `${tenant}/${named}`);
		return this.find(tenant, title?.value.id ?? named);
	}

	/** What is in one, for whoever may do so much with it, at a place in a trace. Throws ControlError where it is missing. */
	async open(tenant: TenantName, id: string, scope: Scope, trace: TraceContext | null = null): Promise<Opened> {
		await this.find(tenant, id);
		return this.#opened(tenant, id, scope, trace);
	}

	/** Throws ControlError where the title is taken, and `invalid` where the tenant has as many as it may. */
	create(actor: string, tenant: TenantName, title: string): Promise<TitledDocument> {
		return this.#create(actor, { tenant, id: this.#kind.newId(), title });
	}

	#create(actor: string, given: Omit<TitledDocument, "created">): Promise<TitledDocument> {
		const { tenant, id, title } = given;
		const value = { ...given, created: new Date().toISOString() };
		const key = `${tenant}/${id}`;
		return retried(async () => {
			checked(tenantName, tenant, "the tenant's name");
			const { documents, action, most, what } = this.#kind;
			if ((await this.list(tenant)).length >= most)
				throw new ControlError("invalid", `a tenant may have ${most} ${what}s: remove one first`);
			if ((await this.#store.get(documents.removed, key)) !== null)
				throw new ControlError("conflict", `what was in the ${what} ${id} is still being removed; try again`, 1);
			await this.#store.commit({ actor, action: `${action}.create`, target: key }, [
				{ kind: documents.one, key, value, expected: 0 },
				await this.#titleFor(tenant, title, id),
			]);
			return value;
		});
	}

	/** Throws ControlError where it is missing, and where the title is taken. */
	rename(actor: string, tenant: TenantName, id: string, title: string): Promise<TitledDocument> {
		return retried(async () => {
			const { key, value: before, revision } = await this.find(tenant, id);
			if (before.title === title) return before;
			const value = { ...before, title };
			await this.#store.commit({ actor, action: `${this.#kind.action}.rename`, target: key }, [
				{ kind: this.#kind.documents.one, key, value, expected: revision },
				await this.#titleFor(tenant, title, id),
				...(await this.#titleOf(before)),
			]);
			return value;
		});
	}

	/** Has a title be the one's of an id. Throws ControlError where it is taken. */
	async #titleFor(tenant: TenantName, title: string, id: string): Promise<Change> {
		const key = `${tenant}/${title}`;
		if ((await this.#store.get(this.#kind.documents.title, key)) !== null) throw this.#kind.taken(title);
		return { kind: this.#kind.documents.title, key, value: { id }, expected: 0 };
	}

	/** Gives a title back. */
	async #titleOf({ tenant, title }: TitledDocument): Promise<Change[]> {
		const key = `${tenant}/${title}`;
		const { title: kind } = this.#kind.documents;
		const entry = await this.#store.get(kind, key);
		return entry === null ? [] : [{ kind, key, value: null, expected: entry.revision }];
	}

	/**
	 * Removes one with all that is in it, which goes by and by. Throws ControlError where it is missing, and as long as a
	 * version that is released is bound to it.
	 */
	async remove(actor: string, tenant: TenantName, id: string): Promise<void> {
		const key = `${tenant}/${id}`;
		await retried(async () => {
			const { value, revision } = await this.find(tenant, id);
			const users = await usersOf(this.#store, tenant, (bound) => this.#idsIn(bound).includes(id));
			if (users.length > 0) throw this.#kind.inUse(users);
			const { documents, action } = this.#kind;
			await this.#store.commit({ actor, action: `${action}.remove`, target: key }, [
				{ kind: documents.one, key, value: null, expected: revision },
				{ kind: documents.removed, key, value: { tenant, id }, expected: 0 },
				...(await this.#titleOf(value)),
			]);
		});
		await this.#empty(key);
	}

	/** Goes on with those that were removed, and whose content was not when control ended. */
	async tidy(): Promise<void> {
		for (const { key } of await this.#store.list(this.#kind.documents.removed)) await this.#empty(key);
	}

	async #empty(key: string): Promise<void> {
		const { removed: kind } = this.#kind.documents;
		const entry = await this.#store.get(kind, key);
		if (entry === null) return;
		await (await this.#opened(entry.value.tenant, entry.value.id, "read", null)).drop();
		await this.#store.commit({ actor: "system", action: `${this.#kind.action}.removed`, target: key }, [
			{ kind, key, value: null, expected: entry.revision },
		]);
	}

	/**
	 * What is to be committed with a release of versions that have these bindings, so that those that they name are
	 * not removed meanwhile. Throws ControlError for one that is not there.
	 */
	async claims(tenant: TenantName, all: readonly GivenBindings[]): Promise<Change[]> {
		const claims: Change[] = [];
		for (const id of new Set(all.flatMap((bindings) => this.#idsIn(bindings)))) {
			const { one: kind } = this.#kind.documents;
			const entry = await this.#store.get(kind, `${tenant}/${id}`);
			if (entry === null) throw this.#kind.unknown(id);
			claims.push({ kind, key: entry.key, value: entry.value, expected: entry.revision });
		}
		return claims;
	}

	/** The id of one that is called by it, or by its title; or that is none. */
	async idOf(tenant: TenantName, named: string): Promise<string> {
		const { one, title } = this.#kind.documents;
		if ((await this.#store.get(one, `${tenant}/${named}`)) !== null) return named;
		return (await this.#store.get(title, `${tenant}/${named}`))?.value.id ?? named;
	}

	/** The same bindings with ids in place of titles, for those who name them by these. */
	async resolve(tenant: TenantName, bindings: GivenBindings): Promise<GivenBindings> {
		const ids = new Map<unknown, string>();
		for (const named of new Set(this.#idsIn(bindings))) ids.set(named, await this.idOf(tenant, named));
		const { type, setting } = this.#kind.binding;
		const resolved = Object.entries(bindings).map(([name, bound]) => [
			name,
			bound.type === type && ids.has(bound[setting]) ? { ...bound, [setting]: ids.get(bound[setting]) } : bound,
		]);
		return Object.fromEntries(resolved) as GivenBindings;
	}

	/** Makes those that bindings name and that are not there yet: their titles are what they are called by. */
	async introduce(actor: string, tenant: TenantName, bindings: GivenBindings): Promise<void> {
		for (const id of new Set(this.#idsIn(bindings)))
			if ((await this.#store.get(this.#kind.documents.one, `${tenant}/${id}`)) === null)
				await this.#create(actor, { tenant, id, title: id });
	}

	/** The ids that bindings name. What is no id is for others to refuse. */
	#idsIn(bindings: GivenBindings): string[] {
		const { type, setting } = this.#kind.binding;
		return Object.values(bindings).flatMap((bound) => {
			const id = bound[setting];
			return bound.type === type && typeof id === "string" ? [id] : [];
		});
	}
}

/** What versions are bound to, of one kind. */
type BoundKind = Pick<TitledStores<Droppable>, "claims" | "introduce">;

/** All kinds of them together, as versions are bound to them. */
export class BoundStores {
	readonly #titled: readonly TitledStores<Droppable>[];
	readonly #all: readonly BoundKind[];

	/** Those that have titles, and others. */
	constructor(titled: readonly TitledStores<Droppable>[], others: readonly BoundKind[]) {
		this.#titled = titled;
		this.#all = [...titled, ...others];
	}

	async claims(tenant: TenantName, all: readonly GivenBindings[]): Promise<Change[]> {
		const claims: Change[] = [];
		for (const kind of this.#all) claims.push(...(await kind.claims(tenant, all)));
		return claims;
	}

	async resolve(tenant: TenantName, bindings: GivenBindings): Promise<GivenBindings> {
		let resolved = bindings;
		for (const kind of this.#titled) resolved = await kind.resolve(tenant, resolved);
		return resolved;
	}

	async introduce(actor: string, tenant: TenantName, bindings: GivenBindings): Promise<void> {
		for (const kind of this.#all) await kind.introduce(actor, tenant, bindings);
	}

	async tidy(): Promise<void> {
		for (const kind of this.#titled) await kind.tidy();
	}
}
