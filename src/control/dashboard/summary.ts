import type { Rollup } from "../../logs/calls.ts";
import { isFailure } from "../../observe/faas.ts";
import { addBindingCalls, addHistogram, countIn, newHistogram, quantile } from "../../observe/tally.ts";
import type { Bytes, Count, Seconds } from "../../units.ts";

/** What was done within some time, however many rollups tell of it. */
export class Summary {
	readonly outcomes = new Map<string, Count>();
	readonly #wall = newHistogram();
	invocations: Count = 0;
	errors: Count = 0;
	coldStarts: Count = 0;
	cpu: Seconds = 0;
	/** How often each binding was called, by its name. */
	readonly bindingCalls: Record<string, Count> = {};
	/** Of the isolate that was measured last. */
	memoryBytes: Bytes = 0;
	#measured = 0;

	add({ time, outcomes, wall, cpu, start, bindingCalls, memoryBytes }: Rollup): void {
		addBindingCalls(this.bindingCalls, bindingCalls);
		for (const [outcome, times] of Object.entries(outcomes)) {
			this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + times);
			this.invocations += times;
			if (isFailure(outcome)) this.errors += times;
		}
		addHistogram(this.#wall, wall);
		this.cpu += cpu.sum;
		this.coldStarts += countIn(start);
		if (memoryBytes > 0 && time >= this.#measured) [this.memoryBytes, this.#measured] = [memoryBytes, time];
	}

	/** Adds what another one tells of a later time. */
	merge(later: Summary): void {
		for (const [outcome, times] of later.outcomes)
			this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + times);
		addHistogram(this.#wall, later.#wall);
		this.invocations += later.invocations;
		this.errors += later.errors;
		this.coldStarts += later.coldStarts;
		this.cpu += later.cpu;
		addBindingCalls(this.bindingCalls, later.bindingCalls);
		this.memoryBytes = later.memoryBytes || this.memoryBytes;
	}

	/** How long so large a part of invocations took at most; `null` where there were none. */
	quantile(part: number): Seconds | null {
		return quantile(this.#wall, part);
	}
}
