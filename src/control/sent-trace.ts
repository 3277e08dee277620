import type { Context } from "hono";
import { type TraceContext, traceOf } from "../observe/trace-context.ts";

/** Where a call of an API was made, in its trace; `null` where that is in none. */
export function traceSent(c: Context): TraceContext | null {
	return traceOf(c.req.header("traceparent"), c.req.header("tracestate"));
}
