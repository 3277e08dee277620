import { type Histogram, newHistogram, type Sums } from "../../observe/tally.ts";
import type { Count } from "../../units.ts";

/** As it is stored: of histograms only the buckets that have something. */
export function textOf(sums: Sums): string {
	const { outcomes, wall, cpu, start, requestBytes, responseBytes, subrequests, bindingCalls, memoryBytes } = sums;
	const numbers = [requestBytes, responseBytes, subrequests, memoryBytes];
	return JSON.stringify([outcomes, sparse(wall), sparse(cpu), sparse(start), ...numbers, bindingCalls]);
}

type Sparse = [sum: number, ...bucketsAndCounts: number[]];

function sparse({ counts, sum }: Histogram): Sparse {
	return [sum, ...counts.flatMap((count, bucket) => (count === 0 ? [] : [bucket, count]))];
}

function dense([sum, ...pairs]: Sparse): Histogram {
	const histogram = newHistogram();
	histogram.sum = sum;
	for (let i = 0; i < pairs.length; i += 2) histogram.counts[pairs[i]] = pairs[i + 1];
	return histogram;
}

/** What `textOf` has made a text of. */
export function sumsIn(text: string): Sums {
	const [outcomes, wall, cpu, start, requestBytes, responseBytes, subrequests, memoryBytes, bindingCalls] = JSON.parse(
		text,
	) as [...[Record<string, Count>, Sparse, Sparse, Sparse], ...[number, number, number, number, Record<string, Count>]];
	return {
		...{ outcomes, wall: dense(wall), cpu: dense(cpu), start: dense(start) },
		...{ requestBytes, responseBytes, subrequests, bindingCalls, memoryBytes },
	};
}
