import type { HrTime } from "@opentelemetry/api";
import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";

/** What is not there so often in a row is forgotten. */
const MOST_MISSED = 60;

type HistogramValue = Extract<MetricData, { dataPointType: DataPointType.HISTOGRAM }>["dataPoints"][number]["value"];
type Counted = number | HistogramValue;

/**
 * What was counted since the last time, of what is counted since a beginning:
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality. What has not changed is left out.
 */
export class Deltas {
	/** What was told last of each, and how often it was not there since. */
	readonly #last = new Map<string, { point: DataPoint<Counted>; missed: number }>();
	/** When that was. */
	#until: HrTime | null = null;

	/** Gauges are as they are. */
	of(metrics: readonly MetricData[]): MetricData[] {
		for (const one of this.#last.values()) one.missed++;
		let until = this.#until;
		const since = <T extends Counted>({ descriptor }: MetricData, points: DataPoint<T>[]): DataPoint<T>[] =>
			points.flatMap((point) => {
				const key = `${descriptor.name} ${JSON.stringify(point.attributes)}`;
				until = point.endTime;
				const changed = this.#since(point, this.#last.get(key)?.point as DataPoint<T> | undefined);
				this.#last.set(key, { point, missed: 0 });
				return changed ?? [];
			});
		const aggregationTemporality = AggregationTemporality.DELTA;
		const changed = metrics.map((metric): MetricData => {
			switch (metric.dataPointType) {
				case DataPointType.SUM:
					return { ...metric, aggregationTemporality, dataPoints: since(metric, metric.dataPoints) };
				case DataPointType.HISTOGRAM:
					return { ...metric, aggregationTemporality, dataPoints: since(metric, metric.dataPoints) };
				default:
					return metric;
			}
		});
		this.#until = until;
		for (const [key, { missed }] of this.#last) if (missed > MOST_MISSED) this.#last.delete(key);
		return changed.filter(({ dataPoints }) => dataPoints.length > 0);
	}

	#since<T extends Counted>(point: DataPoint<T>, last: DataPoint<T> | undefined): DataPoint<T> | null {
		const startTime = this.#until ?? point.startTime;
		// It is counted from a beginning that was after the last time, for the first time or again.
		if (last === undefined || countOf(point.value) < countOf(last.value)) return { ...point, startTime };
		if (countOf(point.value) === countOf(last.value)) return null;
		return { ...point, startTime, value: difference(point.value, last.value) };
	}
}

const countOf = (value: Counted): number => (typeof value === "number" ? value : value.count);

function difference<T extends Counted>(now: T, before: T): T;
function difference(now: Counted, before: Counted): Counted {
	if (typeof now === "number" || typeof before === "number") return (now as number) - (before as number);
	const { boundaries, counts } = now.buckets;
	return {
		buckets: { boundaries, counts: counts.map((count, i) => count - before.buckets.counts[i]) },
		sum: (now.sum ?? 0) - (before.sum ?? 0),
		count: now.count - before.count,
	};
}
