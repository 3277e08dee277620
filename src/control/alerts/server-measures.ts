import { statfs } from "node:fs/promises";
import type { EdgeStats } from "../../feed/messages.ts";
import type { Count, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";
import type { ServerMetric } from "./metrics.ts";
import type { Sample } from "./rule.ts";

/** Samples of a metric are kept for the longest window, so many at most. */
const LONGEST_MS: Milliseconds = 86_400_000;
const MOST_SAMPLES = 10_000;

interface Point {
	time: Milliseconds;
	value: number;
}

/** How a metric of the server comes of what was sampled within a window: the last, the mean, or all of it together. */
const COMES_OF: Readonly<Record<ServerMetric, "last" | "mean" | "sum">> = {
	edges: "last",
	edgeLoopDelayMs: "mean",
	edgeFaults: "sum",
	sandboxRestarts: "sum",
	diskUsedPercent: "last",
	logEntriesLost: "sum",
	operatorReceiversFailing: "last",
};

/** How the server itself is: sampled at each evaluation, of what edges tell of themselves and of the machine. */
export class ServerMeasures {
	readonly #clock: Clock;
	readonly #points = new Map<ServerMetric, Point[]>();
	/** What edges have told last, and the worst of what they told of their event loops since the last sample. */
	readonly #edges = new Map<object, EdgeStats>();
	#loopDelayMs: Milliseconds | null = null;
	#faults: Count = 0;
	#restarts: Count = 0;
	#lost: Count = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** An edge has told how it is. */
	add(edge: object, stats: EdgeStats): void {
		const before = this.#edges.get(edge);
		// What an edge has counted before this process heard of it was told to the one before.
		if (before !== undefined) {
			this.#faults += Math.max(0, stats.faults - before.faults);
			this.#restarts += Math.max(0, stats.restarts - before.restarts);
		}
		this.#loopDelayMs = Math.max(this.#loopDelayMs ?? 0, stats.loopDelayP99 * 1000);
		this.#edges.set(edge, stats);
	}

	forget(edge: object): void {
		this.#edges.delete(edge);
	}

	/** So many records and lines were lost before they were stored. */
	lost(entries: Count): void {
		this.#lost += entries;
	}

	/** Takes a sample of everything. */
	async sample(of: { edges: Count; receiversFailing: Count; folder: string }): Promise<void> {
		this.#put("edges", of.edges);
		this.#put("operatorReceiversFailing", of.receiversFailing);
		if (this.#loopDelayMs !== null) this.#put("edgeLoopDelayMs", this.#loopDelayMs);
		this.#put("edgeFaults", this.#faults);
		this.#put("sandboxRestarts", this.#restarts);
		this.#put("logEntriesLost", this.#lost);
		[this.#loopDelayMs, this.#faults, this.#restarts, this.#lost] = [null, 0, 0, 0];
		try {
			const { blocks, bavail, bfree } = await statfs(of.folder);
			// As `df` has it: what is kept for root is nobody's.
			const used = blocks - bfree;
			if (used + bavail > 0) this.#put("diskUsedPercent", (100 * used) / (used + bavail));
		} catch {
			// There is no sample then, which the rule has a word for.
		}
	}

	#put(metric: ServerMetric, value: number): void {
		const points = this.#points.get(metric) ?? [];
		const time = this.#clock.monotonic();
		points.push({ time, value });
		const old = points.findIndex((point) => point.time > time - LONGEST_MS);
		points.splice(0, Math.max(old, points.length - MOST_SAMPLES));
		this.#points.set(metric, points);
	}

	read(metric: ServerMetric, window: Milliseconds): Sample {
		const after = this.#clock.monotonic() - window;
		const all = this.#points.get(metric) ?? [];
		const within = all.slice(all.findLastIndex(({ time }) => time <= after) + 1);
		const sum = within.reduce((added, { value }) => added + value, 0);
		const found = { last: within.at(-1)?.value, mean: sum / within.length, sum }[COMES_OF[metric]];
		// An increase that this process has not seen may have been told already, and ends no alert.
		const whole = COMES_OF[metric] === "last" || (all[0]?.time ?? Number.POSITIVE_INFINITY) <= after;
		return { value: within.length === 0 ? null : (found ?? null), requests: null, whole };
	}
}
