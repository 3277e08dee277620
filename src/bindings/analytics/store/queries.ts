import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Refused } from "../../../stores/store.ts";
import type { Milliseconds, Seconds } from "../../../units.ts";
import type { AnalyticsStep } from "../calls.ts";
import { parse } from "./parser.ts";
import { type Row, Running } from "./query.ts";

/** One step takes no longer than this, as far as it can tell, and looks at so many points. */
const STEP_MS: Milliseconds = 5;
const STEP_POINTS = 500;
/** A query runs for so long at most, and is forgotten once nobody has asked for its next step for so long. */
const MOST_MS: Milliseconds = 30_000;
const IDLE_MS: Milliseconds = 10_000;
/** So many of a tenant run at a time, and so many in all, of which the first one makes room for another tenant's. */
const MOST_OF_TENANT = 2;
const MOST_IN_ALL = 16;

interface Stored {
	id: number;
	time: Milliseconds;
	point: string;
}

interface Open {
	tenant: string;
	running: Running;
	dataset: { id: number; name: string } | null;
	/** The last point that was looked at. */
	time: Milliseconds;
	id: number;
	to: Milliseconds;
	beganAt: Milliseconds;
	usedAt: Milliseconds;
}

/** Queries as they run, a few milliseconds at a time: others are asked for meanwhile. */
export class Queries {
	readonly #points: StatementSync;
	readonly #datasets: StatementSync;
	readonly #open = new Map<string, Open>();
	#count = 0;

	constructor(database: DatabaseSync) {
		this.#points = database.prepare(
			`SELECT id, time, point FROM analytics_points WHERE dataset = ? AND (time, id) > (?, ?) AND time <= ?
			ORDER BY time, id LIMIT ${STEP_POINTS}`,
		);
		this.#datasets = database.prepare("SELECT id, name FROM analytics_datasets WHERE tenant = ? ORDER BY name");
	}

	/** Begins a query over the points since a time. Throws Refused for one that makes no sense. */
	begin(tenant: string, sql: string, since: Milliseconds): AnalyticsStep {
		const query = parse(sql);
		const datasets = this.#datasets.all(tenant) as { id: number; name: string }[];
		if ("tables" in query) {
			const rows = datasets.map(({ name }) => [name]);
			return { query: "", result: { columns: [{ name: "dataset", type: "String" }], rows, format: query.format } };
		}
		const dataset = datasets.find(({ name }) => name === query.dataset) ?? null;
		if (dataset === null && query.dataset !== null)
			throw new Refused(`400 there is no dataset ${JSON.stringify(query.dataset.slice(0, 100))}`);
		const now = Date.now();
		const running = new Running(query, Math.floor(now / 1000) as Seconds);
		const { from, to } = running.times;
		this.#admit(tenant, now);
		const id = String(++this.#count);
		// A time is told in seconds, and kept in milliseconds.
		const times = { time: Math.max(from * 1000, since) - 1, id: Number.MAX_SAFE_INTEGER, to: to * 1000 + 999 };
		this.#open.set(id, { tenant, running, dataset, ...times, beganAt: now, usedAt: now });
		return this.step(tenant, id);
	}

	#admit(tenant: string, now: Milliseconds): void {
		for (const [id, { usedAt }] of this.#open) if (usedAt < now - IDLE_MS) this.#open.delete(id);
		const own = [...this.#open.values()].filter((one) => one.tenant === tenant).length;
		if (own >= MOST_OF_TENANT) throw new Refused("429 too many queries at a time: ask again when another has ended");
		const [first] = this.#open.keys();
		if (this.#open.size >= MOST_IN_ALL) this.#open.delete(first);
	}

	/** Goes on with one. */
	step(tenant: string, id: string): AnalyticsStep {
		const open = this.#open.get(id);
		if (open === undefined || open.tenant !== tenant)
			throw new Refused("429 the query had to make room for others: ask again");
		try {
			open.usedAt = Date.now();
			if (open.usedAt > open.beganAt + MOST_MS)
				throw new Refused(`413 the query has taken more than ${MOST_MS / 1000} s: let it look at less`);
			if (!this.#isDone(open)) return { query: id, result: null };
			this.#open.delete(id);
			return { query: id, result: open.running.result() };
		} catch (error) {
			this.#open.delete(id);
			throw error;
		}
	}

	#isDone(open: Open): boolean {
		const { running, dataset, to } = open;
		// A query of no dataset is one of one row.
		if (dataset === null) return running.add({ dataset: "", time: 0, index: "", blobs: [], doubles: [] }) || true;
		const until = performance.now() + STEP_MS;
		const points = this.#points.all(dataset.id, open.time, open.id, Math.min(to, Number.MAX_SAFE_INTEGER));
		for (const { id, time, point } of points as unknown as Stored[]) {
			[open.time, open.id] = [time, id];
			if (running.add(rowOf(dataset.name, time, point))) return true;
			if (performance.now() > until) return false;
		}
		return points.length < STEP_POINTS;
	}
}

function rowOf(dataset: string, time: Milliseconds, point: string): Row {
	const [index, blobs, doubles] = JSON.parse(point) as [string, string[], (number | null)[]];
	return { dataset, time: Math.floor(time / 1000), index, blobs, doubles };
}
