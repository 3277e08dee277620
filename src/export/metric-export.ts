import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
	AggregationTemporality,
	type CollectionResult,
	InstrumentType,
	MeterProvider,
	PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import type { MetricsSnapshot } from "../observe/metrics-snapshot.ts";
import type { Milliseconds } from "../units.ts";
import { Deltas } from "./deltas.ts";
import { metricsOf } from "./metric-data.ts";
import type { ExportedAs } from "./span-export.ts";

/** Hands metrics to a collector, every now and then: those that control has by then. */
export class MetricExport {
	readonly #provider: MeterProvider;
	readonly #as: ExportedAs;
	readonly #ask: () => void;
	/** Where the collector is to be told what was counted since the last time. */
	readonly #deltas: Deltas | null;
	#waiting: PromiseWithResolvers<MetricsSnapshot | null> | null = null;
	/** What was told last; there is nobody to ask any more once this is closed. */
	#last: MetricsSnapshot | null = null;
	#closed = false;

	constructor(as: ExportedAs, intervalMs: Milliseconds, ask: () => void) {
		this.#as = as;
		this.#ask = ask;
		const exporter = new OTLPMetricExporter();
		const isDelta = exporter.selectAggregationTemporality(InstrumentType.COUNTER) === AggregationTemporality.DELTA;
		this.#deltas = isDelta ? new Deltas() : null;
		const reader = new PeriodicExportingMetricReader({
			exporter,
			exportIntervalMillis: intervalMs,
			metricProducers: [{ collect: () => this.#collect() }],
		});
		this.#provider = new MeterProvider({ resource: as.resource, readers: [reader] });
	}

	async #collect(): Promise<CollectionResult> {
		const { resource, scope } = this.#as;
		const empty = { resourceMetrics: { resource, scopeMetrics: [] }, errors: [] };
		const snapshot = this.#closed ? this.#last : await this.#asked();
		if (snapshot === null) return empty;
		const counted = metricsOf(snapshot);
		const metrics = this.#deltas?.of(counted) ?? counted;
		return { ...empty, resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] } };
	}

	#asked(): Promise<MetricsSnapshot | null> {
		if (this.#waiting === null) {
			this.#waiting = Promise.withResolvers();
			this.#ask();
		}
		return this.#waiting.promise;
	}

	/** What was asked for, or is told last. */
	take(snapshot: MetricsSnapshot): void {
		this.#last = snapshot;
		this.#waiting?.resolve(snapshot);
		this.#waiting = null;
	}

	/** Exports what was told last. */
	close(): Promise<void> {
		this.#closed = true;
		this.#waiting?.resolve(this.#last);
		return this.#provider.shutdown();
	}
}
