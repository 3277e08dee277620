import type { Count } from "../../units.ts";

/** Each bucket's bounds are so far from one another: a quantile is right within one in a hundred. */
const STEP = Math.log(1.02);
/** Smaller values are taken for none. */
const LEAST = 1e-6;

/** How values are spread, in little memory however many there are. */
export class Sketch {
	readonly #buckets = new Map<number, Count>();
	#none: Count = 0;
	#count: Count = 0;

	add(value: number): void {
		this.#count++;
		if (value < LEAST) {
			this.#none++;
			return;
		}
		const bucket = Math.ceil(Math.log(value) / STEP);
		this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
	}

	/** What such a share of the values stays below; `null` where there are none. */
	quantile(share: number): number | null {
		if (this.#count === 0) return null;
		let left = Math.max(1, Math.ceil(share * this.#count)) - this.#none;
		if (left <= 0) return 0;
		for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
			left -= count;
			if (left <= 0) return rounded(Math.exp((bucket - 0.5) * STEP));
		}
		return null;
	}
}

/** To three digits: the others say nothing. */
function rounded(value: number): number {
	return Number(value.toPrecision(3));
}
