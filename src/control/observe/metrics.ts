import { AggregatorRegistry, collectDefaultMetrics, Registry } from "prom-client";
import type { EdgeStats } from "../../feed/messages.ts";
import { keyOf } from "../../names.ts";
import { faasTrigger, isFailure, isTimeout } from "../../observe/faas.ts";
import type { Figure, MetricsSnapshot } from "../../observe/metrics-snapshot.ts";
import type { SpanCounts } from "../../observe/span.ts";
import { addSums, BOUNDS, countIf, countIn, type Histogram, Tallies, type Tally } from "../../observe/tally.ts";

/** So many functions and kinds of their events have series of their own; all others have one together. */
const MOST_SERIES = 1000;

type Labels = Record<string, string | number>;

/** One series of a metric; a histogram has several kinds of them, by what stands behind its name. */
interface Value {
	labels: Labels;
	value: number;
	suffix?: string;
}

/** A metric as prom-client's registries exchange it. */
interface Metric {
	name: string;
	help: string;
	type: "counter" | "gauge" | "histogram";
	aggregator: "sum";
	values: { labels: Labels; value: number; metricName?: string }[];
}

/** What is told of each edge: a field of its stats, as a metric. */
const OF_EDGE: [field: keyof EdgeStats, type: "gauge" | "counter", name: string, help: string][] = [
	["functions", "gauge", "atoll_functions", "Functions in service."],
	["inFlight", "gauge", "atoll_requests_in_flight", "Requests that are being worked on."],
	["sandboxes", "gauge", "atoll_sandboxes", "Sandbox processes at work."],
	["lent", "gauge", "atoll_sandboxes_lent", "Sandboxes that serve a function beside those at home there."],
	["restarts", "counter", "atoll_sandbox_restarts_total", "Sandboxes that were lost and replaced."],
	["isolates", "gauge", "atoll_isolates", "Isolates that are warm."],
	["bytes", "gauge", "atoll_isolate_memory_bytes", "Memory of warm isolates, as V8 counts it."],
	["hits", "counter", "atoll_isolate_hits_total", "Events that found an isolate warm."],
	["coldStarts", "counter", "atoll_isolate_starts_total", "Isolates that were started."],
	["evictions", "counter", "atoll_isolate_evictions_total", "Isolates that made room for others."],
	["heldBytes", "gauge", "atoll_held_bytes", "What the edge holds for functions and their clients."],
	["faults", "counter", "atoll_edge_faults_total", "Mistakes of the edge's own; its log has each."],
	["decompressions", "counter", "atoll_decompressions_total", "Steps of decompressing subrequests' bodies."],
	["mappings", "counter", "atoll_source_mappings_total", "Stacks and source maps that were read."],
	["heapBytes", "gauge", "atoll_edge_heap_bytes", "Heap of the edge's process that is used."],
	["residentBytes", "gauge", "atoll_edge_resident_memory_bytes", "Resident memory of the edge's process."],
	["cpuSeconds", "counter", "atoll_edge_cpu_seconds_total", "Processor time of the edge's process."],
];

/** How late the edge's event loop was within the last second, by quantile. */
const LOOP_DELAYS = [
	["0.5", "loopDelayP50"],
	["0.99", "loopDelayP99"],
	["1", "loopDelayMax"],
] as const;

/**
 * What edges tell of functions and of themselves, for Prometheus. Functions' metrics have the names and units of
 * OpenTelemetry's conventions for FaaS (https://opentelemetry.io/docs/specs/semconv/faas/faas-metrics/); atoll's own begin
 * with `atoll_`. However many functions and outcomes there are, series are bounded.
 */
export class Metrics {
	readonly #tallies = new Tallies(MOST_SERIES);
	/** By whoever told it, as long as it is there. */
	readonly #edges = new Map<object, EdgeStats>();
	/** What control tells of itself, and of what it alone knows. */
	readonly own = new Registry();
	readonly #since = Date.now();
	/** What has become of spans; `null` where none are exported. */
	spans: SpanCounts | null = null;

	constructor() {
		collectDefaultMetrics({ register: this.own, prefix: "atoll_control_" });
	}

	get contentType(): string {
		return this.own.contentType;
	}

	/** An edge has told what functions have done, and how it is. */
	add(edge: object, tallies: readonly Tally[], stats: EdgeStats): void {
		// Series are of functions, whose versions come and go.
		for (const tally of tallies) addSums(this.#tallies.of({ ...tally, version: "" }), tally);
		this.#edges.set(edge, stats);
	}

	/** How edges are, as they told last. */
	get edges(): EdgeStats[] {
		return [...this.#edges.values()];
	}

	/** Functions that are no more have no series: `has` says by their keys which there are. */
	retain(has: (key: string) => boolean): void {
		this.#tallies.retain(({ tenant, function: name }) => name === "" || has(keyOf({ tenant, name })));
	}

	/** An edge is gone. */
	forget(edge: object): void {
		this.#edges.delete(edge);
	}

	/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
	async text(): Promise<string> {
		const all = [...this.#ofFunctions(), ...this.#ofEdges()].filter(({ values }) => values.length > 0);
		const told = await AggregatorRegistry.aggregate([all]).metrics();
		return `${told}\n${await this.own.metrics()}`;
	}

	#ofFunctions(): Metric[] {
		const tallies = [...this.#tallies.values()];
		const each = (read: (tally: Tally) => number, more: Labels = {}) =>
			tallies.map((tally) => ({ labels: { ...labelsOf(tally), ...more }, value: read(tally) }));
		const outcomes = tallies.flatMap((tally) =>
			Object.entries(tally.outcomes).map(([outcome, value]) => ({ labels: { ...labelsOf(tally), outcome }, value })),
		);
		const times = (of: "wall" | "cpu" | "start") => tallies.flatMap((tally) => seriesOf(labelsOf(tally), tally[of]));
		return [
			metric("counter", "faas_invocations_total", "Invocations, by how they ended.", outcomes),
			metric("counter", "faas_errors_total", "Invocations that failed.", each(countIf(isFailure))),
			metric("counter", "faas_timeouts_total", "Invocations that were ended for their time.", each(countIf(isTimeout))),
			metric(
				"counter",
				"faas_coldstarts_total",
				"Invocations that had to start an isolate.",
				each((one) => countIn(one.start)),
			),
			metric("histogram", "faas_invoke_duration_seconds", "From an event to the end of all it started.", times("wall")),
			metric("histogram", "faas_cpu_usage_seconds", "Processor time of invocations.", times("cpu")),
			metric("histogram", "faas_init_duration_seconds", "How long cold starts took.", times("start")),
			metric(
				"gauge",
				"faas_mem_usage_bytes",
				"Memory of the isolate that was measured last.",
				each((one) => one.memoryBytes),
			),
			metric("counter", "faas_net_io_bytes_total", "Bodies of requests and responses.", [
				...each((one) => one.requestBytes, { direction: "receive" }),
				...each((one) => one.responseBytes, { direction: "transmit" }),
			]),
			metric(
				"counter",
				"atoll_binding_calls_total",
				"Calls of bindings, fetch among them.",
				each((one) => one.subrequests),
			),
		];
	}

	/** All but control's own, for whoever exports it. */
	snapshot(): MetricsSnapshot {
		const figures = this.#ofEdges().map(
			({ name, help, type, values }): Figure => ({
				...{ name, help, type: type === "counter" ? type : "gauge" },
				values: values.map(({ labels, value }) => ({ attributes: labels, value })),
			}),
		);
		return { since: this.#since, at: Date.now(), tallies: [...this.#tallies.values()], figures };
	}

	#ofSpans(): Metric {
		const values = Object.entries(this.spans ?? {}).map(([outcome, value]) => ({ labels: { outcome }, value }));
		return metric("counter", "atoll_export_spans_total", "Spans, by what became of them.", values);
	}

	#ofEdges(): Metric[] {
		const edges = [...this.#edges.values()];
		const each = (field: keyof EdgeStats, more: Labels = {}) =>
			edges.map((stats) => ({ labels: { edge: stats.pid, ...more }, value: stats[field] }));
		const delays = LOOP_DELAYS.flatMap(([quantile, field]) => each(field, { quantile }));
		const late = "How late the edge's event loop was within the last second.";
		return [
			...OF_EDGE.map(([field, type, name, help]) => metric(type, name, help, each(field))),
			metric("gauge", "atoll_edge_loop_delay_seconds", late, delays),
			metric("gauge", "atoll_edges", "Edges that are at work.", [{ labels: {}, value: edges.length }]),
			this.#ofSpans(),
		];
	}
}

function labelsOf({ tenant, function: name, event }: Tally): Labels {
	return { faas_name: name, atoll_tenant: tenant, faas_trigger: faasTrigger(event) };
}

function metric(type: Metric["type"], name: string, help: string, values: Value[]): Metric {
	const named = values.map(({ suffix, ...value }) =>
		suffix === undefined ? value : { ...value, metricName: name + suffix },
	);
	return { name, help, type, aggregator: "sum", values: named };
}

/** A histogram's series, in which each bucket has those below it. */
function seriesOf(labels: Labels, { counts, sum }: Histogram): Value[] {
	let below = 0;
	const buckets = counts.map((count, bucket) => {
		below += count;
		return { labels: { ...labels, le: BOUNDS[bucket] ?? "+Inf" }, value: below, suffix: "_bucket" };
	});
	return [...buckets, { labels, value: sum, suffix: "_sum" }, { labels, value: below, suffix: "_count" }];
}
