import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { type Counts, dayOf, METERING } from "../../feed/usage.ts";
import type { RefusedTenant } from "../../limits/refusals.ts";
import type { Milliseconds } from "../../units.ts";
import { type Counter, EdgeConnections } from "./edge-connections.ts";
import { Journal } from "./journal.ts";
import { ReportRoom } from "./report-room.ts";
import { type DayUsage, type Told, UsageStore } from "./usage-store.ts";

/** The folder of what was used, in the data folder, and its database. */
const FOLDER = "metering";
export const USAGE_FILE = join(FOLDER, "usage.sqlite");
/** What edges have told is folded into the database so often. */
const FOLD_MS: Milliseconds = 1000;
/** Whoever asks for all of it waits so long at most. */
const FRESH_MS: Milliseconds = 250;
/** So many counters in one transaction: other work comes between. */
const MOST_FOLDED = 1000;
/** How often what is old is looked through, and how many days of tenants go at a time. */
const TIDY_MS: Milliseconds = 3600_000;
const MOST_PRUNED = 100;
const DAY_MS: Milliseconds = 24 * 3600_000;
/** Edges that were not heard for so long are gone, if control has been there for as long as one needs to come back. */
const GONE_MS: Milliseconds = DAY_MS;
const SETTLED_MS: Milliseconds = 600_000;
/** What cannot be written is told so often. */
const COMPLAIN_MS: Milliseconds = 60_000;

export interface MeteringParts {
	/** Where its folder is. */
	data: string;
	/** For so many days it is kept what was used. */
	days: number;
	log: (level: "info" | "warn" | "error", message: string) => void;
	now?: () => Milliseconds;
}

/**
 * What functions have used, exactly once: edges tell counters that only grow, a journal has them at once, and once a
 * second they are folded into the database.
 */
export class Metering {
	readonly store: UsageStore;
	readonly reports = new ReportRoom();
	/** So much more is known to be used. Called at least once a second, with nothing where there is nothing. */
	onFolded: (added: readonly DayUsage[]) => void = () => undefined;
	readonly #parts: MeteringParts;
	readonly #now: () => Milliseconds;
	readonly #journal: Journal;
	readonly #edges = new EdgeConnections({
		onTold: (counters) => this.#onTold(counters),
		onForgotten: (edge, epoch, before) => this.#tried(() => this.store.forget(edge, epoch, before)),
	});
	/** What is not in the database yet. */
	#pending = new Map<Counter, Counts>();
	/** What is not in the journal yet. */
	#unwritten: Told[] = [];
	#folding: Promise<void> | null = null;
	#freshening: Promise<void> | null = null;
	#foldedAt = Number.NEGATIVE_INFINITY;
	#timer: NodeJS.Timeout | null = null;
	readonly #tidying: NodeJS.Timeout;
	readonly #began: Milliseconds;
	#complainedAt = Number.NEGATIVE_INFINITY;
	#closed = false;

	private constructor(parts: MeteringParts, store: UsageStore, journal: Journal) {
		this.#parts = parts;
		this.#now = parts.now ?? Date.now;
		this.#began = this.#now();
		this.store = store;
		this.#journal = journal;
		this.#tidying = setInterval(() => void this.tidy(), TIDY_MS).unref();
	}

	/** Opens its folder, and folds what a process before has left in a journal. Throws UsageError where that cannot be. */
	static async open(parts: MeteringParts): Promise<Metering> {
		const folder = join(parts.data, FOLDER);
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const store = UsageStore.open(join(parts.data, USAGE_FILE));
		const journal = new Journal(folder, (error) => metering.#complain("written", error));
		const metering: Metering = new Metering(parts, store, journal);
		const { told, torn } = journal.recover();
		if (torn > 0)
			parts.log("warn", `the journal of what is used has ${torn} lines that are not whole, and are ignored`);
		for (const { counts, ...counter } of told) metering.#pending.set(counter, counts);
		await metering.fold();
		metering.#next();
		return metering;
	}

	listen(path = METERING): Promise<void> {
		return this.#edges.listen(path);
	}

	#onTold(counters: readonly [Counter, Counts][]): void {
		// What comes in one piece of the socket's is written at once.
		if (this.#unwritten.length === 0) queueMicrotask(() => this.#write());
		for (const [counter, counts] of counters) {
			this.#pending.set(counter, counts);
			this.#unwritten.push({ ...counter, counts });
		}
	}

	#write(): void {
		const unwritten = this.#unwritten;
		this.#unwritten = [];
		if (unwritten.length > 0) this.#journal.write(unwritten);
	}

	#next(): void {
		this.#timer = setTimeout(() => void this.#turn(), FOLD_MS).unref();
	}

	async #turn(): Promise<void> {
		try {
			await this.fold();
		} catch (error) {
			this.#complain("folded", error as Error);
		}
		if (!this.#closed) this.#next();
	}

	/** The same as `fold`, but no more often than a few times a second, however many ask: each time is one for the disk. */
	async fresh(): Promise<void> {
		this.#freshening ??= sleep(Math.max(0, this.#foldedAt + FRESH_MS - performance.now())).then(() => {
			this.#freshening = null;
			return this.fold();
		});
		await this.#freshening;
	}

	/** Has all that was told so far in the database. What cannot be written now is kept, and written with what comes. */
	async fold(): Promise<void> {
		// One that is under way may have begun before the last was told.
		await this.#folding;
		this.#folding ??= this.#fold().finally(() => {
			this.#folding = null;
		});
		await this.#folding;
	}

	async #fold(): Promise<void> {
		this.#write();
		this.#foldedAt = performance.now();
		const added: DayUsage[] = [];
		const batch = this.#pending;
		if (batch.size > 0) {
			this.#pending = new Map();
			this.#journal.rotate();
			this.#edges.take();
			const told = [...batch].map(([counter, counts]): Told => ({ ...counter, counts }));
			try {
				for (let at = 0; at < told.length; at += MOST_FOLDED) {
					if (at > 0) await immediate();
					const folded = this.store.fold(told.slice(at, at + MOST_FOLDED), this.#now());
					added.push(...folded.added);
					for (const edge of folded.gone)
						this.#complain("believed", new Error(`the edge ${edge} was not heard for a day, and is taken for gone`));
				}
				this.#journal.folded();
				this.#edges.kept();
			} catch (error) {
				// What has come meanwhile is more than what was there before.
				for (const [counter, counts] of this.#pending) batch.set(counter, counts);
				this.#pending = batch;
				this.#journal.unfolded([...batch].map(([counter, counts]): Told => ({ ...counter, counts })));
				this.#complain("kept in the database", error as Error);
			}
		}
		this.onFolded(added);
	}

	#complain(what: string, { message }: Error): void {
		const now = performance.now();
		if (now < this.#complainedAt + COMPLAIN_MS) return;
		this.#complainedAt = now;
		this.#parts.log("error", `what functions use cannot be ${what}, and is kept in memory: ${message}`);
	}

	/** What can be done later as well. */
	#tried(work: () => void): void {
		try {
			work();
		} catch (error) {
			this.#complain("looked through", error as Error);
		}
	}

	/** Removes days that are kept no longer, and what is known of edges that are gone. */
	async tidy(): Promise<void> {
		const now = this.#now();
		const { edges } = this.#edges;
		let more = true;
		this.#tried(() => {
			this.store.heard(edges, now);
			if (now > this.#began + SETTLED_MS) this.store.leave(now - GONE_MS, edges);
		});
		while (more && !this.#closed) {
			more = false;
			this.#tried(() => {
				more = this.store.prune(dayOf(now - this.#parts.days * DAY_MS), MOST_PRUNED);
			});
			await immediate();
		}
	}

	/** Writes a copy of what was used up to now to a file that is not there yet. */
	async backup(path: string): Promise<void> {
		await this.fold();
		await this.store.backup(path);
	}

	/** These tenants' functions are not to run, on any edge. */
	refuse(tenants: RefusedTenant[]): void {
		this.#edges.refuse(tenants);
	}

	/** Takes no more edges, waits so long for the last words of those that are there, and folds all of it. */
	async close(ms: Milliseconds): Promise<void> {
		await this.#edges.close(ms);
		this.#closed = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		clearInterval(this.#tidying);
		await this.fold();
		this.#journal.close();
		this.store.close();
	}
}
