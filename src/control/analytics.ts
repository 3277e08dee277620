import type { AnalyticsDataset, AnalyticsResult, AnalyticsStep } from "../bindings/analytics/calls.ts";
import type { TenantName } from "../names.ts";
import { refusalIn, type StoredData } from "../stores/data-process.ts";
import { ControlError, type ControlErrorCode } from "./control-error.ts";

/** So many queries of a tenant wait for their turn. */
const MOST_WAITING = 20;

const CODES: Record<number, ControlErrorCode> = { 400: "invalid", 413: "too_large", 429: "too_many_queries" };

/** The data points that tenants' functions have written, as they are asked for: a data process reads queries and runs them. */
export class Analytics {
	readonly #data: StoredData;
	/** Those that run or wait, of each tenant, and the last of them. */
	readonly #tenants = new Map<TenantName, { count: number; last: Promise<unknown> }>();

	constructor(data: StoredData) {
		this.#data = data;
	}

	/** A tenant's datasets. */
	async datasets(tenant: TenantName): Promise<AnalyticsDataset[]> {
		return (await this.#ask(tenant, "datasets", { tenant })) as AnalyticsDataset[];
	}

	/** What a query gives, after those of the tenant before it. Throws ControlError for what makes no sense, or is too much. */
	async query(tenant: TenantName, sql: string): Promise<AnalyticsResult> {
		const own = this.#tenants.get(tenant) ?? { count: 0, last: Promise.resolve() };
		if (own.count > MOST_WAITING)
			throw new ControlError("too_many_queries", `${MOST_WAITING} queries wait already: ask again`, 1);
		this.#tenants.set(tenant, own);
		own.count++;
		const result = own.last.then(() => this.#run(tenant, sql));
		own.last = result.catch(() => undefined);
		try {
			return await result;
		} finally {
			if (--own.count === 0) this.#tenants.delete(tenant);
		}
	}

	async #run(tenant: TenantName, sql: string): Promise<AnalyticsResult> {
		let { query, result } = (await this.#ask(tenant, "begin", { tenant, sql })) as AnalyticsStep;
		while (result === null) ({ query, result } = (await this.#ask(tenant, "step", { tenant, query })) as AnalyticsStep);
		return result;
	}

	async #ask(tenant: TenantName, operation: string, said: object): Promise<unknown> {
		try {
			return (await this.#data.ask(tenant, { store: "analytics", operation, said })).said;
		} catch (error) {
			const { status, why } = refusalIn(error as Error) ?? { status: 0, why: "" };
			throw Object.hasOwn(CODES, status) ? new ControlError(CODES[status], why) : error;
		}
	}
}

/** A result in the form that the query asks for, and its media type. */
export function encoded({ columns, rows, format }: AnalyticsResult): { text: string; type: string } {
	const objects = () => rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i].name, value])));
	switch (format) {
		case "JSON":
			return {
				text: JSON.stringify({ meta: columns, data: objects(), rows: rows.length }),
				type: "application/json",
			};
		case "JSONEachRow":
			return { text: lines(objects().map((one) => JSON.stringify(one))), type: "application/x-ndjson" };
		case "TabSeparated":
			return { text: lines(rows.map((row) => row.map(cell).join("\t"))), type: "text/tab-separated-values" };
	}
}

function lines(all: string[]): string {
	return all.map((line) => `${line}\n`).join("");
}

const ESCAPES: Record<string, string> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "\0": "\\0" };

function cell(value: unknown): string {
	const text = Array.isArray(value) ? JSON.stringify(value) : String(value ?? "nan");
	return text.replace(/[\t\n\r\\\0]/g, (letter) => ESCAPES[letter]);
}
