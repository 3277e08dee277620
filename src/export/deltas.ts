import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";

type HistogramValue = Extract<MetricData, { dataPointType: DataPointType.HISTOGRAM }>["dataPoints"][number]["value"];
type Counted = number | HistogramValue;

/**
 * What was counted since the last time, of what is counted since a beginning:
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality. What has not changed is left out.
 */
export class Deltas {
	#last = new Map<string, DataPoint<Counted>>();

	/** Gauges are as they are. */
	of(metrics: readonly MetricData[]): MetricData[] {
		const now = new Map<string, DataPoint<Counted>>();
		const since = <T extends Counted>({ descriptor }: MetricData, points: DataPoint<T>[]): DataPoint<T>[] =>
			points.flatMap((point) => {
				const key = `${descriptor.name} ${JSON.stringify(point.attributes)}`;
				now.set(key, point);
				return this.#since(key, point) ?? [];
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
		this.#last = now;
		return changed.filter(({ dataPoints }) => dataPoints.length > 0);
	}

	#since<T extends Counted>(key: string, point: DataPoint<T>): DataPoint<T> | null {
		const last = this.#last.get(key) as DataPoint<T> | undefined;
		// It is counted from the beginning, for the first time or again.
		if (last === undefined || countOf(point.value) < countOf(last.value)) return point;
		if (countOf(point.value) === countOf(last.value)) return null;
		return { ...point, startTime: last.endTime, value: difference(point.value, last.value) };
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
