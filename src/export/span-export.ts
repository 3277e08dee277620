import { createTraceState, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { ExportCounted } from "../link/export-frames.ts";
import type { Attributes, Span } from "../observe/span.ts";
import type { Bytes, Count, Milliseconds } from "../units.ts";
import { hrTime } from "./hr-time.ts";

/** What is exported as whose. */
export type ExportedAs = Pick<ReadableSpan, "resource"> & { scope: ReadableSpan["instrumentationScope"] };

/** As the SDK has it by default, but that whoever looks for a request need not wait for five seconds. */
const MOST_QUEUED: Count = 2048;
const BATCH: Count = 512;
const DELAY_MS: Milliseconds = 1000;
/** And so much of them, as they were told. */
const MOST_QUEUED_BYTES: Bytes = 16 * 2 ** 20;

const KINDS = {
	server: SpanKind.SERVER,
	consumer: SpanKind.CONSUMER,
	client: SpanKind.CLIENT,
	internal: SpanKind.INTERNAL,
} as const satisfies Record<Span["kind"], SpanKind>;

/** Hands spans to a collector, in batches. What it does not take in time is dropped, and counted. */
export class SpanExport {
	readonly #as: ExportedAs;
	readonly #onCounted: (counted: ExportCounted) => void;
	readonly #processor: BatchSpanProcessor;
	/** How much each span that is queued, or on its way, has; those that were told together share it. */
	readonly #bytesOf = new WeakMap<ReadableSpan, Bytes>();
	#queued: Count = 0;
	#queuedBytes: Bytes = 0;

	constructor(as: ExportedAs, onCounted: (counted: ExportCounted) => void) {
		this.#as = as;
		this.#onCounted = onCounted;
		const exporter = this.#counting(new OTLPTraceExporter());
		this.#processor = new BatchSpanProcessor({
			...{ exporter, maxQueueSize: MOST_QUEUED, maxExportBatchSize: BATCH, scheduledDelayMillis: DELAY_MS },
		});
	}

	/** An exporter that tells what has become of each batch. */
	#counting(exporter: SpanExporter): SpanExporter {
		return {
			export: (spans, done) =>
				exporter.export(spans, (result) => {
					this.#queued -= spans.length;
					for (const span of spans) this.#queuedBytes -= this.#bytesOf.get(span) ?? 0;
					// 0 is success: https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/opentelemetry-core/src/ExportResult.ts
					this.#count(result.code === 0 ? { exported: spans.length } : { failed: spans.length });
					done(result);
				}),
			forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
			shutdown: () => exporter.shutdown(),
		};
	}

	#count(what: Partial<ExportCounted>): void {
		this.#onCounted({ read: 0, exported: 0, failed: 0, dropped: 0, ...what });
	}

	/** Takes spans as they were told, in a frame of such a size. */
	add(batch: string, size: Bytes): void {
		const spans = JSON.parse(batch) as Span[];
		const each = size / spans.length;
		let dropped = 0;
		for (const span of spans) {
			if (this.#queued >= MOST_QUEUED || this.#queuedBytes + each > MOST_QUEUED_BYTES) {
				dropped++;
				continue;
			}
			this.#queued++;
			this.#queuedBytes += each;
			const readable = readableOf(span, this.#as);
			this.#bytesOf.set(readable, each);
			this.#processor.onEnd(readable);
		}
		this.#count({ read: size, dropped });
	}

	close(): Promise<void> {
		return this.#processor.shutdown();
	}
}

/** Texts may have been cut in the midst of a letter, or have been none. */
function wellFormed(attributes: Attributes): Attributes {
	const whole = ([name, value]: [string, Attributes[string]]) => [
		name,
		typeof value === "string" ? value.toWellFormed() : value,
	];
	return Object.fromEntries(Object.entries(attributes).map(whole)) as Attributes;
}

function readableOf(span: Span, { resource, scope }: ExportedAs): ReadableSpan {
	const { traceId, spanId, parentSpanId, state, kind, start, end, error } = span;
	const traceFlags = TraceFlags.SAMPLED;
	const traceState = state === "" ? undefined : createTraceState(state);
	const isRemote = kind === "server" || kind === "consumer";
	return {
		name: span.name.toWellFormed(),
		kind: KINDS[kind],
		spanContext: () => ({ traceId, spanId, traceFlags, traceState }),
		...(parentSpanId !== "" && { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags, isRemote } }),
		startTime: hrTime(start),
		endTime: hrTime(Math.max(start, end)),
		duration: hrTime(Math.max(0, end - start)),
		status:
			error === null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error.toWellFormed() },
		attributes: wellFormed(span.attributes),
		links: (span.links ?? []).map((link) => ({
			context: {
				...{ traceId: link.traceId, spanId: link.spanId, isRemote: true },
				traceFlags: link.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
			},
		})),
		events: span.events.map((event) => ({
			name: event.name,
			time: hrTime(event.time),
			attributes: wellFormed(event.attributes),
		})),
		ended: true,
		resource,
		instrumentationScope: scope,
		droppedAttributesCount: 0,
		droppedEventsCount: span.droppedEvents,
		droppedLinksCount: span.droppedLinks ?? 0,
	};
}
