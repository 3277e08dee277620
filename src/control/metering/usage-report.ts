import { setImmediate as immediate } from "node:timers/promises";
import { addCounts, COUNTS, type Counts, type Day, noCounts } from "../../feed/usage.ts";
import type { FunctionName, TenantName } from "../../names.ts";
import { monthOf } from "./months.ts";
import type { UsageStore } from "./usage-store.ts";

/** What usage is added up by. */
export const GROUPINGS = ["day", "month", "function", "tenant"] as const;
type Grouping = (typeof GROUPINGS)[number];

/** What was used, in the units of prices. */
interface Usage {
	requests: number;
	cpuMs: number;
	gbSeconds: number;
	provisionedGbSeconds: number;
	bytesOut: number;
	bindingCalls: number;
	coldStarts: number;
}

/** What was used by one day, month, function or tenant. */
export interface UsageRow extends Usage {
	/** `2026-12-01`, `2026-12`, `acme/shop` or `acme`. */
	key: string;
}

export interface UsageQuery {
	/** `null` for all. */
	tenant: TenantName | null;
	from: Day;
	to: Day;
	by: Grouping;
	/** Of which functions; `null` for all. */
	functions: readonly FunctionName[] | null;
	/** The key that rows come after. */
	after: string;
	most: number;
}

/** So many rows are read at a time: other work comes between. */
const PAGE = 1000;
/** A day for each, and more than are kept. */
const MOST_DAYS = 10_000;
const MB_MS_OF_GB_SECOND = 1024 * 1000;

export function usageOf(counts: Counts): Usage {
	const of = (name: (typeof COUNTS)[number]) => counts[COUNTS.indexOf(name)];
	return {
		requests: of("requests"),
		cpuMs: of("cpuUs") / 1000,
		gbSeconds: of("memoryMbMs") / MB_MS_OF_GB_SECOND,
		provisionedGbSeconds: of("provisionedMbMs") / MB_MS_OF_GB_SECOND,
		bytesOut: of("bytesOut"),
		bindingCalls: of("bindingCalls"),
		coldStarts: of("coldStarts"),
	};
}

/** Sums of counts by a key. */
class Sums {
	readonly all = new Map<string, Counts>();

	add(key: string, more: Counts): void {
		const sum = this.all.get(key) ?? noCounts();
		addCounts(sum, more);
		this.all.set(key, sum);
	}
}

/** What each function of a tenant has used. Others have their turn meanwhile. */
export async function usageOfFunctions(
	store: UsageStore,
	tenant: TenantName,
	{ from, to }: { from: Day; to: Day },
): Promise<Map<FunctionName, Counts>> {
	const sums = new Sums();
	for (const { day } of store.totals(tenant, from, to, MOST_DAYS)) {
		let after = "";
		for (let more = true; more; ) {
			const page = store.ofDay(tenant, day, after, PAGE);
			for (const one of page) sums.add(one.function, one.counts);
			after = page.at(-1)?.function ?? "";
			more = page.length === PAGE;
			await immediate();
		}
	}
	return sums.all;
}

/** What was used, in the order of the rows' keys, and whether there is more. */
export async function usageReport(
	store: UsageStore,
	{ tenant, from, to, by, functions, after, most }: UsageQuery,
): Promise<{ rows: UsageRow[]; more: boolean }> {
	const sums = new Sums();
	const rows = () => [...sums.all].filter(([key]) => inOrder(key) > inOrder(after));
	// Tenants are looked at in their order, from where the answer begins, and no further than it goes.
	const ordered = by === "function" || by === "tenant";
	for await (const one of tenantsOf(store, tenant, ordered ? after.split("/")[0] : "")) {
		if (by === "function") {
			for (const [name, counts] of await usageOfFunctions(store, one, { from, to }))
				if (functions === null || functions.includes(name)) sums.add(`${one}/${name}`, counts);
		} else if (by === "tenant") {
			if (store.totals(one, from, to, 1).length > 0) sums.add(one, store.total(one, from, to));
		} else
			for (const { day, counts } of store.totals(one, from, to, MOST_DAYS))
				sums.add(by === "day" ? day : monthOf(day), counts);
		if (ordered && rows().length > most) break;
	}
	const sorted = rows().sort(([a], [b]) => (inOrder(a) < inOrder(b) ? -1 : 1));
	const told = sorted.slice(0, most).map(([key, counts]): UsageRow => ({ key, ...usageOf(counts) }));
	return { rows: told, more: sorted.length > most };
}

/** A tenant's functions come together: in a key as it is `a-b/c` would stand before `a/b`. */
const inOrder = (key: string) => key.replace("/", "\0");

/** Tenants of which anything is known, from one on. */
async function* tenantsOf(store: UsageStore, tenant: TenantName | null, first: string): AsyncGenerator<TenantName> {
	if (tenant !== null || first !== "") yield tenant ?? first;
	if (tenant !== null) return;
	for (let next = store.nextTenant(first); next !== null; next = store.nextTenant(next)) {
		yield next;
		await immediate();
	}
}

/** The same as CSV (RFC 4180). No cell is taken for a formula by what reads it. */
export function csvOf(rows: readonly object[], columns: readonly string[]): string {
	const cell = (value: unknown) => {
		const text = typeof value === "number" ? String(value) : guarded(String(value ?? ""));
		return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
	};
	const lines = rows.map((row) => columns.map((name) => cell((row as Record<string, unknown>)[name])).join(","));
	return `${[columns.join(","), ...lines].join("\r\n")}\r\n`;
}

/** https://owasp.org/www-community/attacks/CSV_Injection */
const guarded = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
