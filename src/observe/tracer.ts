import type { InvocationRecord } from "./record.ts";
import type { Span } from "./span.ts";
import { Trace } from "./trace.ts";
import { type Followed, newTraceId, type TraceContext } from "./trace-context.ts";

/** What becomes of traces. */
export interface Tracing {
	/** The share of traces that begin here and are recorded, from 0 to 1. */
	sample: number;
	/** Whether a request that says that its trace is recorded has it recorded here. */
	parent: boolean;
	/** Whether there is room for one more invocation of a tenant's: else it is not even recorded. */
	admits(tenant: string): boolean;
	/** Called once for each invocation that was admitted, with its spans, when it is over. */
	onSpans(spans: Span[], record: InvocationRecord): void;
}

/** Says which invocations are recorded as spans, and hands these on. Without `tracing` none is. */
export class Tracer {
	tracing: Tracing | null = null;

	/** Whether there is any invocation that is recorded. */
	get records(): boolean {
		return this.tracing !== null;
	}

	/** The trace that an event belongs to: its own request's, or a new one. */
	traceId(parent: TraceContext | null): string {
		return parent?.traceId ?? newTraceId();
	}

	/** The spans of an invocation, if it is recorded. */
	begin(own: Pick<InvocationRecord, "traceId" | "spanId" | "tenant">, followed: Followed): Trace | null {
		const { tracing } = this;
		const { parent } = followed;
		if (tracing === null) return null;
		const follows = tracing.parent && parent !== null;
		const sampled = follows ? parent.sampled : isSampled(own.traceId, tracing.sample);
		return sampled && tracing.admits(own.tenant) ? new Trace(own, followed) : null;
	}

	finish(trace: Trace, record: InvocationRecord): void {
		this.tracing?.onSpans(trace.finish(record), record);
	}
}

/** Random digits at the end of a trace's id that decide, so that whoever has the same share decides alike: 52 bits. */
const DIGITS = 13;

/** Whether a trace is one of such a share. */
export function isSampled(traceId: string, share: number): boolean {
	if (share >= 1 || share <= 0) return share >= 1;
	return Number.parseInt(traceId.slice(-DIGITS), 16) < share * 16 ** DIGITS;
}
