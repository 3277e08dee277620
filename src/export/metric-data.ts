import { ValueType } from "@opentelemetry/api";
import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { faasTrigger, isFailure, isTimeout } from "../observe/faas.ts";
import type { Figure, MetricsSnapshot } from "../observe/metrics-snapshot.ts";
import type { Attributes } from "../observe/span.ts";
import { BOUNDS, countIf, countIn, type Histogram, type Tally } from "../observe/tally.ts";
import { hrTime } from "./hr-time.ts";

type Value = { attributes: Attributes; value: number };
type Measured = { attributes: Attributes; value: Histogram };
interface Named {
	name: string;
	description: string;
	unit: string;
}

/** Metrics of functions as OpenTelemetry names them, and of the platform: all counted since a time. */
export function metricsOf({ since, at, tallies, figures }: MetricsSnapshot): MetricData[] {
	const times = { startTime: hrTime(since), endTime: hrTime(at) };
	const points = <T>(values: { attributes: Attributes; value: T }[]): DataPoint<T>[] =>
		values.map((one) => ({ ...times, ...one }));
	const base = ({ name, description, unit }: Named) => ({
		descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
		aggregationTemporality: AggregationTemporality.CUMULATIVE,
	});
	const counter = (named: Named, values: Value[]): MetricData => ({
		...{ ...base(named), dataPointType: DataPointType.SUM, isMonotonic: true },
		dataPoints: points(values),
	});
	const gauge = (named: Named, values: Value[]): MetricData => ({
		...{ ...base(named), dataPointType: DataPointType.GAUGE },
		dataPoints: points(values),
	});
	const histogram = (named: Named, measured: Measured[]): MetricData => ({
		...{ ...base(named), dataPointType: DataPointType.HISTOGRAM },
		dataPoints: points(
			measured.map(({ attributes, value: { counts, sum } }) => ({
				attributes,
				value: { buckets: { boundaries: [...BOUNDS], counts }, sum, count: countIn({ counts, sum }) },
			})),
		),
	});
	const each = (read: (tally: Tally) => number, more: Attributes = {}): Value[] =>
		tallies.map((tally) => ({ attributes: { ...attributesOf(tally), ...more }, value: read(tally) }));
	const took = (of: "wall" | "cpu" | "start"): Measured[] =>
		tallies.map((tally) => ({ attributes: attributesOf(tally), value: tally[of] }));
	const outcomes = tallies.flatMap((tally) =>
		Object.entries(tally.outcomes).map(([outcome, value]) => ({
			...{ attributes: { ...attributesOf(tally), "atoll.outcome": outcome }, value },
		})),
	);
	const all = [
		counter(named("faas.invocations", "Invocations, by how they ended.", "{invocation}"), outcomes),
		counter(named("faas.errors", "Invocations that failed.", "{error}"), each(countIf(isFailure))),
		counter(
			named("faas.timeouts", "Invocations that were ended for their time.", "{timeout}"),
			each(countIf(isTimeout)),
		),
		counter(
			named("faas.coldstarts", "Invocations that had to start an isolate.", "{coldstart}"),
			each(({ start }) => countIn(start)),
		),
		histogram(named("faas.invoke_duration", "From an event to the end of all it started.", "s"), took("wall")),
		histogram(named("faas.cpu_usage", "Processor time of invocations.", "s"), took("cpu")),
		histogram(named("faas.init_duration", "How long cold starts took.", "s"), took("start")),
		gauge(
			named("faas.mem_usage", "Memory of the isolate that was measured last.", "By"),
			each((tally) => tally.memoryBytes),
		),
		counter(named("faas.net_io", "Bodies of requests and responses.", "By"), [
			...each((tally) => tally.requestBytes, { "network.io.direction": "receive" }),
			...each((tally) => tally.responseBytes, { "network.io.direction": "transmit" }),
		]),
		counter(
			named("atoll.binding_calls", "Calls of bindings, fetch among them.", "{call}"),
			each((tally) => tally.subrequests),
		),
		...figures.map((figure) => (figure.type === "counter" ? counter : gauge)(namedOf(figure), figure.values)),
	];
	return all.filter(({ dataPoints }) => dataPoints.length > 0);
}

const named = (name: string, description: string, unit: string): Named => ({ name, description, unit });

const UNITS: Record<string, string> = { seconds: "s", bytes: "By" };

/** `atoll_edge_cpu_seconds_total` is `atoll.edge_cpu`, in seconds: units and kinds stand beside the name here. */
function namedOf({ name, help }: Figure): Named {
	const [, stem, unit = ""] = /^atoll_(.*?)(?:_(seconds|bytes))?(?:_total)?$/.exec(name) ?? [];
	return named(`atoll.${stem}`, help, UNITS[unit] ?? "1");
}

function attributesOf({ tenant, function: name, event }: Tally): Attributes {
	return { "faas.name": name, "atoll.tenant": tenant, "faas.trigger": faasTrigger(event) };
}
