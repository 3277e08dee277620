import { type FunctionName, type TenantName, tenantOfKey } from "../../names.ts";
import type { EpochMs, Milliseconds } from "../../units.ts";
import type {
	AlertReceiverDocument,
	AlertRuleDocument,
	AlertSilenceDocument,
	FunctionDocument,
	Kind,
} from "../store/documents.ts";
import type { Sequence, Store } from "../store/store.ts";
import { DEFAULT_RULES } from "./default-rules.ts";
import { FUNCTION_METRICS } from "./metrics.ts";
import type { Receiver } from "./receivers/receiver.ts";
import { isForTenant, type Rule, scopeOf, windowOf } from "./rule.ts";
import type { Silence } from "./silence.ts";

/** So many documents are read at a time. */
const PAGE = 100;

type Kept = "alertRule" | "alertReceiver" | "alertSilence" | "function";
const KINDS: readonly Kept[] = ["alertRule", "alertReceiver", "alertSilence", "function"];
const isKept = (kind: Kind): kind is Kept => KINDS.some((one) => one === kind);

/** A key's parts; the tenant of the operator's own is empty. */
const partsOf = (key: string): [owner: string, name: string] => {
	const owner = tenantOfKey(key);
	return [owner, key.slice(owner.length + 1)];
};

const createdAt = (document: FunctionDocument | null) => document && (Date.parse(document.created) || 0);

function ruleOf(document: AlertRuleDocument | null): Rule | null {
	if (document === null) return null;
	const { name, tenant, settings } = document;
	return { ...settings, name, origin: tenant === null ? "operator" : "tenant" };
}

function silenceOf(document: AlertSilenceDocument | null): Silence | null {
	if (document === null) return null;
	const { id, tenant: owner, matchers, from, until } = document;
	return { id, owner, matchers, from: Date.parse(from), until: Date.parse(until) };
}

/** By owner and name: an operator's are under the empty owner. */
class Shelf<T> {
	readonly #all = new Map<string, Map<string, T>>();

	set(key: string, value: T | null): void {
		const [owner, name] = partsOf(key);
		const own = this.#all.get(owner) ?? new Map<string, T>();
		if (value === null) own.delete(name);
		else own.set(name, value);
		if (own.size === 0) this.#all.delete(owner);
		else this.#all.set(owner, own);
	}

	of(owner: string): ReadonlyMap<string, T> {
		return this.#all.get(owner) ?? new Map();
	}

	owners(): string[] {
		return [...this.#all.keys()];
	}

	clear(): void {
		this.#all.clear();
	}
}

/** What rules, receivers and silences there are, and functions, as the store has them: followed, and held in memory. */
export class Book {
	readonly #store: Store;
	readonly #configured: readonly Receiver[];
	readonly #read: (document: AlertReceiverDocument) => Receiver;
	readonly #rules = new Shelf<Rule>();
	readonly #receivers = new Shelf<Receiver>();
	readonly #silences = new Shelf<Silence>();
	/** When each was made. */
	readonly #functions = new Shelf<EpochMs>();
	/** The rules of tenants, put together once. */
	readonly #effective = new Map<TenantName, Rule[]>();
	#sequence: Sequence = 0;
	#following: Promise<boolean> = Promise.resolve(false);

	/** `read` makes a receiver of its document. */
	constructor(store: Store, configured: readonly Receiver[], read: (document: AlertReceiverDocument) => Receiver) {
		this.#store = store;
		this.#read = read;
		this.#configured = configured;
	}

	/** Hears of what was committed since. Returns whether anything of it matters here. */
	follow(): Promise<boolean> {
		this.#following = this.#following.then(
			() => this.#follow(),
			() => this.#follow(),
		);
		return this.#following;
	}

	async #follow(): Promise<boolean> {
		const now = this.#store.sequence;
		if (now === this.#sequence && now > 0) return false;
		const changes = this.#sequence === 0 ? null : await this.#store.changes(this.#sequence);
		if (changes === null) await this.#readAll();
		const ours = (changes ?? []).filter(({ kind }) => isKept(kind));
		for (const { kind, key, value } of ours) this.#take(kind as Kept, key, value);
		this.#sequence = now;
		if (changes === null || ours.length > 0) this.#effective.clear();
		return changes === null || ours.some(({ kind }) => kind !== "function");
	}

	async #readAll(): Promise<void> {
		for (const shelf of [this.#rules, this.#receivers, this.#silences, this.#functions]) shelf.clear();
		for (const one of this.#configured) this.#receivers.set(one.key, one);
		for (const kind of KINDS) {
			for (let after = ""; ; ) {
				const page = await this.#store.list(kind, { after, limit: PAGE });
				for (const { key, value } of page) this.#take(kind, key, value);
				if (page.length < PAGE) break;
				after = page[page.length - 1].key;
				await new Promise((resolve) => setImmediate(resolve));
			}
		}
	}

	#take(kind: Kept, key: string, value: unknown): void {
		if (kind === "function") this.#functions.set(key, createdAt(value as FunctionDocument | null));
		else if (kind === "alertRule") this.#rules.set(key, ruleOf(value as AlertRuleDocument | null));
		else if (kind === "alertSilence") this.#silences.set(key, silenceOf(value as AlertSilenceDocument | null));
		// What the server's settings name is no document's.
		else if (!this.#configured.some((one) => one.key === key))
			this.#receivers.set(key, value === null ? null : this.#read(value as AlertReceiverDocument));
	}

	/**
	 * The rules that hold for a tenant, or for the server where that is empty. One of the tenant's own takes the place of
	 * a default one; one that the operator has made holds beside it.
	 */
	rulesOf(owner: TenantName | ""): Rule[] {
		const known = this.#effective.get(owner);
		if (known !== undefined) return known;
		const all = new Map<string, Rule>([...DEFAULT_RULES, ...this.#rules.of("")]);
		const isServers = (rule: Rule) => scopeOf(rule) === "server";
		const shared = [...all.values()].filter((rule) =>
			owner === "" ? isServers(rule) : !isServers(rule) && isForTenant(rule, owner),
		);
		const own = owner === "" ? [] : [...this.#rules.of(owner).values()];
		const isHeld = ({ origin, name }: Rule) => origin === "operator" || !this.#rules.of(owner).has(name);
		const effective = [...own, ...(owner === "" ? shared : shared.filter(isHeld))];
		this.#effective.set(owner, effective);
		return effective;
	}

	/** Whether a rule is one of the operator's that a tenant does not see, since it has one of that name of its own. */
	isReplaced(tenant: TenantName, { origin, name }: Pick<Rule, "origin" | "name">): boolean {
		return origin === "operator" && this.#rules.of(tenant).has(name);
	}

	/** Those of the operator's that are for all tenants, and what there is without them. */
	operatorRules(): Rule[] {
		return [...new Map<string, Rule>([...DEFAULT_RULES, ...this.#rules.of("")]).values()];
	}

	/** Tenants that have rules of their own. */
	ruling(): TenantName[] {
		return this.#rules.owners().filter((owner) => owner !== "");
	}

	receiversOf(owner: string): ReadonlyMap<string, Receiver> {
		return this.#receivers.of(owner);
	}

	receiver(key: string): Receiver | undefined {
		const [owner, name] = partsOf(key);
		return this.#receivers.of(owner).get(name);
	}

	/** Who has receivers; the operator is the empty one. */
	receiving(): string[] {
		return this.#receivers.owners();
	}

	silencesOf(owner: string): ReadonlyMap<string, Silence> {
		return this.#silences.of(owner);
	}

	tenants(): TenantName[] {
		return this.#functions.owners();
	}

	functionsOf(tenant: TenantName): FunctionName[] {
		return [...this.#functions.of(tenant).keys()];
	}

	hasFunction(tenant: TenantName, name: FunctionName): boolean {
		return this.#functions.of(tenant).has(name);
	}

	/** When a function was made; 0 where there is none. */
	createdAt(tenant: TenantName, name: FunctionName): EpochMs {
		return this.#functions.of(tenant).get(name) ?? 0;
	}

	/** For how long rules look back at what functions do. */
	windows(): Set<Milliseconds> {
		const found = new Set<Milliseconds>();
		for (const owner of ["", ...this.#rules.owners()])
			for (const rule of owner === "" ? this.operatorRules() : this.#rules.of(owner).values())
				if (rule.enabled && rule.metric !== undefined && Object.hasOwn(FUNCTION_METRICS, rule.metric))
					found.add(windowOf(rule));
		return found;
	}
}
