import type { Milliseconds } from "../../units.ts";
import type { LogQuery, LogResult } from "../calls.ts";
import type { Segments } from "../store/segments.ts";
import { Search } from "./search.ts";

/** A query runs for so long, and others have their turn: other tenants' queries, and what is to be stored. */
const STEP_MS: Milliseconds = 5;

interface Running {
	search: Search;
	resolve: (result: LogResult) => void;
	reject: (error: unknown) => void;
}

/** Queries as they run, one tenant's after another's. */
export class Searches {
	readonly #segments: Segments;
	/** By whose they are; empty for those of all tenants. Whoever is first is next. */
	readonly #running = new Map<string, Running[]>();
	#isPlanned = false;

	constructor(segments: Segments) {
		this.#segments = segments;
	}

	/** Throws QueryError or Refused for a query that makes no sense. */
	run(query: LogQuery): Promise<LogResult> {
		const search = new Search(this.#segments, query);
		const { promise, resolve, reject } = Promise.withResolvers<LogResult>();
		const whose = query.tenant ?? "";
		const own = this.#running.get(whose) ?? [];
		own.push({ search, resolve, reject });
		this.#running.set(whose, own);
		this.#plan();
		return promise;
	}

	#plan(): void {
		if (this.#isPlanned || this.#running.size === 0) return;
		this.#isPlanned = true;
		setImmediate(() => {
			this.#isPlanned = false;
			this.#step();
			this.#plan();
		});
	}

	#step(): void {
		const [[whose, own]] = this.#running;
		const one = own.shift() as Running;
		this.#running.delete(whose);
		let ended = true;
		try {
			ended = one.search.step(performance.now() + STEP_MS);
			if (ended) one.resolve(one.search.result());
		} catch (error) {
			one.reject(error);
		}
		// Both it and its tenant go to the end of the line.
		if (!ended) own.push(one);
		if (own.length > 0) this.#running.set(whose, own);
	}
}
