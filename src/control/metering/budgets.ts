import { setImmediate as immediate } from "node:timers/promises";
import type { PriceList, Pricing } from "../../config/pricing.ts";
import { type Day, dayOf } from "../../feed/usage.ts";
import type { RefusedTenant } from "../../limits/refusals.ts";
import type { TenantName } from "../../names.ts";
import type { Milliseconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { BalanceDocument, BudgetDocument } from "../store/documents.ts";
import { retried, type Store } from "../store/store.ts";
import { type BudgetState, refusalOf, spentOf, statesOf } from "./budget-state.ts";
import type { Metering } from "./metering.ts";
import { amountOf, microsOf } from "./money.ts";
import { daysOf, type Month, monthFrom, monthOf } from "./months.ts";
import { costOf } from "./prices.ts";
import type { DayUsage } from "./usage-store.ts";

const DAY_MS: Milliseconds = 24 * 3600_000;
/** So many tenants are looked at before others have their turn. */
const AT_A_TIME = 50;
/** So many credits are known by what they were called. */
const MOST_REFERENCES = 100;

export interface BudgetsParts {
	store: Store;
	metering: Metering;
	pricing: Pricing | undefined;
	log: (level: "info" | "warn" | "error", message: string) => void;
	now?: () => Milliseconds;
}

/** What is told of a tenant's budgets. */
export interface ToldBudget {
	budget: BudgetDocument | null;
	balance: { credited: string; spent: string; left: string } | null;
	currency: string | null;
	states: (BudgetState & { warned: string | null })[];
	refused: RefusedTenant | null;
}

/**
 * What tenants may use. Whose use has come to a part of it is told once; who has used all of it is refused by the edges,
 * until there is more or its day or month is over. Looked at whenever what was used has been folded.
 */
export class Budgets {
	readonly #parts: BudgetsParts;
	readonly #now: () => Milliseconds;
	readonly #unlisten: () => void;
	#budgets = new Map<TenantName, BudgetDocument>();
	#balances = new Map<TenantName, BalanceDocument>();
	/** Whether documents may have changed. */
	#stale = true;
	#day: Day = "";
	/** Tenants that are to be looked at. */
	#changed = new Set<TenantName>();
	readonly #states = new Map<TenantName, BudgetState[]>();
	readonly #refused = new Map<TenantName, RefusedTenant>();
	#told = "[]";
	#looking: Promise<void> | null = null;
	#closed = false;

	constructor(parts: BudgetsParts) {
		this.#parts = parts;
		this.#now = parts.now ?? Date.now;
		this.#unlisten = parts.store.onCommit(() => {
			this.#stale = true;
		});
		parts.metering.onFolded = (added) => this.#folded(added);
	}

	#folded(added: readonly DayUsage[]): void {
		for (const { tenant } of added) this.#changed.add(tenant);
		this.look().catch((error: Error) => {
			if (!this.#closed) this.#parts.log("error", `budgets cannot be looked at: ${error.message}`);
		});
	}

	/** Looks at all that may have changed, and tells edges whom to refuse. */
	async look(): Promise<void> {
		// One that is under way may have begun before the last change.
		await this.#looking?.catch(() => undefined);
		this.#looking ??= this.#look().finally(() => {
			this.#looking = null;
		});
		await this.#looking;
	}

	async #look(): Promise<void> {
		const now = this.#now();
		const today = dayOf(now);
		if (this.#stale) await this.#load();
		if (today !== this.#day) {
			this.#day = today;
			for (const tenant of this.#limited()) this.#changed.add(tenant);
			await this.#settle(monthOf(dayOf(now - DAY_MS))).catch((error: Error) =>
				// Until the next day they are added up.
				this.#parts.log("warn", `months that are over cannot be written off balances: ${error.message}`),
			);
		}
		const changed = this.#changed;
		this.#changed = new Set();
		let looked = 0;
		try {
			for (const tenant of changed) {
				if (this.#budgets.has(tenant) || this.#balances.has(tenant) || this.#states.has(tenant)) {
					this.#lookAt(tenant, today);
					if (++looked % AT_A_TIME === 0) await immediate();
				}
				changed.delete(tenant);
			}
		} finally {
			// Those that were not looked at are the next time.
			for (const tenant of changed) this.#changed.add(tenant);
			const refused = [...this.#refused.values()];
			const told = JSON.stringify(refused);
			if (told !== this.#told) this.#parts.metering.refuse(refused);
			this.#told = told;
		}
	}

	#limited(): Set<TenantName> {
		return new Set([...this.#budgets.keys(), ...this.#balances.keys()]);
	}

	async #load(): Promise<void> {
		this.#stale = false;
		const { store } = this.#parts;
		const before = new Map([...this.#limited()].map((tenant) => [tenant, this.#documents(tenant)]));
		this.#budgets = new Map((await store.list("budget")).map(({ key, value }) => [key, value]));
		this.#balances = new Map((await store.list("balance")).map(({ key, value }) => [key, value]));
		for (const tenant of new Set([...before.keys(), ...this.#limited()]))
			if (before.get(tenant) !== this.#documents(tenant)) this.#changed.add(tenant);
	}

	#documents(tenant: TenantName): string {
		return JSON.stringify([this.#budgets.get(tenant), this.#balances.get(tenant)]);
	}

	#lookAt(tenant: TenantName, today: Day): void {
		const states = this.#statesOf(tenant, today);
		if (states.length === 0) this.#states.delete(tenant);
		else this.#states.set(tenant, states);
		for (const one of states) if (one.state !== "ok") this.#tell(tenant, one);
		const refused = refusalOf(tenant, states);
		if (refused === null) this.#refused.delete(tenant);
		else this.#refused.set(tenant, refused);
	}

	#statesOf(tenant: TenantName, today: Day): BudgetState[] {
		const { store: usage } = this.#parts.metering;
		return statesOf({
			budget: this.#budgets.get(tenant) ?? null,
			balance: this.#balances.get(tenant) ?? null,
			prices: this.pricesOf(tenant),
			today,
			total: (from, to) => usage.total(tenant, from, to),
		});
	}

	/** Notes and logs what a budget has come to, once. */
	#tell(tenant: TenantName, { budget, period, state, used, limit }: BudgetState): void {
		const { metering, log } = this.#parts;
		const time = new Date(this.#now()).toISOString();
		if (!metering.store.warn(tenant, budget, period, state, time)) return;
		const what = state === "exhausted" ? "all of its budget, and is refused" : "most of its budget";
		log("warn", `the tenant ${tenant} has used ${what}: ${used} of ${limit} (${budget})`);
	}

	/** The prices that hold for a tenant; `null` where there are none. */
	pricesOf(tenant: TenantName): PriceList | null {
		const { pricing } = this.#parts;
		if (pricing === undefined) return null;
		return Object.hasOwn(pricing.tenants, tenant) ? pricing.tenants[tenant] : pricing.prices;
	}

	/** The same. Throws ControlError where there are none. */
	requirePrices(tenant: TenantName): { prices: PriceList; currency: string } {
		const prices = this.pricesOf(tenant);
		if (prices === null) throw new ControlError("invalid", "this server has no prices: its settings have no `pricing`");
		return { prices, currency: this.#parts.pricing?.currency ?? "" };
	}

	/** What a month that has been over for a day has cost is written off balances. */
	async #settle(last: Month): Promise<void> {
		for (const [tenant, { month }] of this.#balances) {
			if (month >= last || this.pricesOf(tenant) === null) continue;
			await this.#change(tenant, { actor: "system", action: "balance.settle" }, (balance) => {
				if (balance === null) return null;
				const spent = spentOf(balance, this.requirePrices(tenant).prices, monthFrom(last, -1), (from, to) =>
					this.#parts.metering.store.total(tenant, from, to),
				);
				return { ...balance, spent: amountOf(spent), month: last };
			});
		}
		if (this.#stale) await this.#load();
	}

	/** What there is of a tenant's budgets, as of now. */
	async told(tenant: TenantName): Promise<ToldBudget> {
		await this.#parts.metering.fresh();
		await this.look();
		const balance = this.#balances.get(tenant);
		const prices = this.pricesOf(tenant);
		const { store: usage } = this.#parts.metering;
		const states = this.#statesOf(tenant, this.#day).map((one) => {
			const noted = usage.warnings(tenant, one.period).filter(({ budget }) => budget === one.budget);
			return { ...one, warned: noted.map(({ time }) => time).sort()[0] ?? null };
		});
		const spent =
			balance === undefined || prices === null
				? null
				: spentOf(balance, prices, monthOf(this.#day), (from, to) => usage.total(tenant, from, to));
		return {
			budget: this.#budgets.get(tenant) ?? null,
			balance:
				balance === undefined || spent === null
					? null
					: {
							credited: amountOf(microsOf(balance.credited)),
							spent: amountOf(spent),
							left: amountOf(microsOf(balance.credited) - spent),
						},
			currency: this.#parts.pricing?.currency ?? null,
			states,
			refused: this.#refused.get(tenant) ?? null,
		};
	}

	/** Says what a tenant may use; `null` for as much as it likes. */
	async set(actor: string, tenant: TenantName, value: BudgetDocument | null): Promise<void> {
		const { store } = this.#parts;
		await retried(async () => {
			const expected = (await store.get("budget", tenant))?.revision ?? 0;
			if (expected === 0 && value === null) return;
			const deed = { actor, action: "budget.set", target: tenant };
			await store.commit(deed, [{ kind: "budget", key: tenant, value, expected }]);
		});
		await this.look();
	}

	/**
	 * Adds to what a tenant has paid ahead, or takes from it. The first makes it one that pays ahead: what it uses from
	 * then on is taken from its balance. A credit of a reference that was there already changes nothing.
	 */
	async credit(
		actor: string,
		tenant: TenantName,
		given: { amount: string; reference?: string | undefined },
	): Promise<void> {
		const { prices } = this.requirePrices(tenant);
		const { amount, reference } = given;
		await this.#parts.metering.fold();
		const month = monthOf(dayOf(this.#now()));
		const { from, to } = daysOf(month);
		await this.#change(tenant, { actor, action: `balance.add ${amount}` }, (before) => {
			if (reference !== undefined && before?.references.includes(reference)) return null;
			const { credited, ...rest } = before ?? {
				credited: "0",
				spent: amountOf(-costOf(this.#parts.metering.store.total(tenant, from, to), prices)),
				month,
				references: [],
			};
			const references = [...rest.references, ...(reference === undefined ? [] : [reference])].slice(-MOST_REFERENCES);
			return { ...rest, credited: amountOf(microsOf(credited) + microsOf(amount)), references };
		});
		await this.look();
	}

	/** Changes a tenant's balance, where it is as the change has seen it; `null` for no change. */
	#change(
		tenant: TenantName,
		deed: { actor: string; action: string },
		change: (before: BalanceDocument | null) => BalanceDocument | null,
	): Promise<void> {
		const { store } = this.#parts;
		return retried(async () => {
			const entry = await store.get("balance", tenant);
			const value = change(entry?.value ?? null);
			if (value === null) return;
			const expected = entry?.revision ?? 0;
			await store.commit({ ...deed, target: tenant }, [{ kind: "balance", key: tenant, value, expected }]);
		});
	}

	/** How much of their budgets tenants have used, those first that have used most. */
	ratios(most: number): { tenant: TenantName; budget: string; ratio: number }[] {
		const all = [...this.#states].flatMap(([tenant, states]) =>
			states.map(({ budget, ratio }) => ({ tenant, budget, ratio })),
		);
		return all.sort((a, b) => b.ratio - a.ratio).slice(0, most);
	}

	/** Looks at nothing more: the store is about to be closed. */
	close(): void {
		this.#closed = true;
		this.#unlisten();
		this.#parts.metering.onFolded = () => undefined;
	}
}
