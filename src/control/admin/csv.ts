import type { Context } from "hono";

/** Whether a report is asked for as CSV: by `format`, or where that says nothing by `Accept`. */
export function isCsvAsked(c: Context, format: "json" | "csv" | undefined): boolean {
	return format === undefined ? c.req.header("accept") === "text/csv" : format === "csv";
}
