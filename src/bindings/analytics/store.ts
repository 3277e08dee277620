import type { StatementSync } from "node:sqlite";
import type { DataFiles, DataStore, Done } from "../../stores/store.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import type { AnalyticsDataset, AnalyticsWrite } from "./calls.ts";
import { MOST_BLOB_BYTES, MOST_BLOBS, MOST_DOUBLES, MOST_INDEX_BYTES } from "./schema.ts";
import { Queries } from "./store/queries.ts";

/** Points are kept for so long, and so many bytes of them of a tenant, and of all; the oldest go. */
const KEPT_MS: Milliseconds = 90 * 24 * 3600_000;
const MOST_OF_TENANT: Bytes = 256 * 2 ** 20;
const MOST_IN_ALL: Bytes = 2 * 2 ** 30;
/** So many datasets a tenant has. */
const MOST_DATASETS = 100;
/** So many points are removed with each change, at least twice as many as come with most. */
const MOST_REMOVED = 2000;
/** What a point takes beside its letters. */
const POINT_BYTES: Bytes = 60;

interface Dataset {
	id: number;
	tenant: string;
	bytes: Bytes;
}

/** Data points of tenants' datasets, which may be lost. A dataset is there as soon as something is written to it. */
export class AnalyticsStore implements DataStore {
	readonly #statements;
	readonly #queries: Queries;
	/** The dataset that was looked through last for what is too old. */
	#looked = 0;

	constructor({ database }: Pick<DataFiles, "database">) {
		this.#queries = new Queries(database);
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		this.#statements = {
			dataset: prepare("SELECT id, tenant, bytes FROM analytics_datasets WHERE tenant = ? AND name = ?"),
			make: prepare("INSERT INTO analytics_datasets (tenant, name) VALUES (?, ?) RETURNING id, tenant, bytes"),
			count: prepare("SELECT count(*) AS count, total(bytes) AS bytes FROM analytics_datasets WHERE tenant = ?"),
			list: prepare(
				"SELECT name, points, bytes, dropped FROM analytics_datasets WHERE tenant = ? ORDER BY name LIMIT 1000",
			),
			next: prepare("SELECT id, tenant, bytes FROM analytics_datasets WHERE id > ? ORDER BY id LIMIT 1"),
			largest: prepare("SELECT id, tenant, bytes FROM analytics_datasets WHERE tenant = ? ORDER BY bytes DESC LIMIT 1"),
			largestOfAll: prepare("SELECT id, tenant, bytes FROM analytics_datasets ORDER BY bytes DESC LIMIT 1"),
			total: prepare("SELECT total(bytes) AS bytes FROM analytics_datasets"),
			put: prepare("INSERT INTO analytics_points (dataset, time, point) VALUES (?, ?, ?)"),
			add: prepare(
				"UPDATE analytics_datasets SET points = points + ?, bytes = bytes + ?, dropped = dropped + ? WHERE id = ?",
			),
			oldest: prepare(
				"SELECT id, octet_length(point) AS size FROM analytics_points WHERE dataset = ? AND time < ? ORDER BY time, id LIMIT ?",
			),
			remove: prepare("DELETE FROM analytics_points WHERE id = ?"),
		};
	}

	readonly reads = {
		datasets: ({ tenant }: { tenant: string }): Done => ({
			said: this.#statements.list.all(tenant) as unknown as AnalyticsDataset[],
		}),
		begin: ({ tenant, sql }: { tenant: string; sql: string }): Done => ({
			said: this.#queries.begin(tenant, sql, Date.now() - KEPT_MS),
		}),
		step: ({ tenant, query }: { tenant: string; query: string }): Done => ({ said: this.#queries.step(tenant, query) }),
	};

	readonly writes = {
		/** Writes points; what is no point, or one too many, counts as left out. */
		write: ({ tenant, points, dropped }: AnalyticsWrite, bytes: Buffer): Done => {
			const lines = points.length === 0 ? [] : bytes.toString().split("\n");
			for (const [i, { dataset, time }] of points.entries()) {
				const text = lines[i] ?? "";
				if (!isPoint(text)) dropped[dataset] = (dropped[dataset] ?? 0) + 1;
				else this.#put(tenant, dataset, time, text);
			}
			for (const [name, count] of Object.entries(dropped)) {
				const dataset = this.#dataset(tenant, name);
				if (dataset !== null) this.#statements.add.run(0, 0, count, dataset.id);
			}
			this.#tidy(tenant);
			return {};
		},
	};

	#put(tenant: string, name: string, time: Milliseconds, text: string): void {
		const dataset = this.#dataset(tenant, name);
		if (dataset === null) return;
		this.#statements.put.run(dataset.id, time, text);
		this.#statements.add.run(1, Buffer.byteLength(text) + POINT_BYTES, 0, dataset.id);
	}

	/** One by its name, which is made where it is missing; `null` where there are too many. */
	#dataset(tenant: string, name: string): Dataset | null {
		const found = this.#statements.dataset.get(tenant, name) as Dataset | undefined;
		if (found !== undefined) return found;
		const { count } = this.#statements.count.get(tenant) as { count: number };
		return count < MOST_DATASETS ? (this.#statements.make.get(tenant, name) as unknown as Dataset) : null;
	}

	/** Removes some of what is too old, or too much. */
	#tidy(tenant: string): void {
		const { next, count, largest, total, largestOfAll } = this.#statements;
		const looked = next.get(this.#looked) as Dataset | undefined;
		this.#looked = looked?.id ?? 0;
		if (looked !== undefined) this.#remove(looked, Date.now() - KEPT_MS);
		const own = count.get(tenant) as { bytes: Bytes };
		if (own.bytes > MOST_OF_TENANT) this.#remove(largest.get(tenant) as unknown as Dataset);
		const all = total.get() as { bytes: Bytes };
		if (all.bytes > MOST_IN_ALL) this.#remove(largestOfAll.get() as unknown as Dataset);
	}

	#remove({ id }: Dataset, before: Milliseconds = Number.MAX_SAFE_INTEGER): void {
		const { oldest, remove, add } = this.#statements;
		const rows = oldest.all(id, before, MOST_REMOVED) as unknown as { id: number; size: number }[];
		for (const row of rows) remove.run(row.id);
		const bytes = rows.reduce((sum, { size }) => sum + size + POINT_BYTES, 0);
		if (rows.length > 0) add.run(-rows.length, -bytes, 0, id);
	}
}

/** Whether a text is a point as an isolate writes one: nobody has read it until now. */
function isPoint(text: string): boolean {
	try {
		const [index, blobs, doubles] = JSON.parse(text) as unknown[];
		if (!areTexts([index], 1, MOST_INDEX_BYTES) || !areTexts(blobs, MOST_BLOBS, MOST_BLOB_BYTES)) return false;
		if (!Array.isArray(doubles) || doubles.length > MOST_DOUBLES) return false;
		return doubles.every((double) => double === null || typeof double === "number");
	} catch {
		return false;
	}
}

function areTexts(given: unknown, most: number, mostBytes: Bytes): boolean {
	if (!Array.isArray(given) || given.length > most) return false;
	let bytes = 0;
	for (const text of given as unknown[]) {
		if (typeof text !== "string") return false;
		bytes += Buffer.byteLength(text);
	}
	return bytes <= mostBytes;
}
