import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ControlError, type ControlErrorCode } from "../control-error.ts";

/** Codes of Cloudflare's API that its clients branch on. */
export const Code = {
	authentication: 10000,
	notFound: 10007,
	invalid: 10021,
	noSecret: 10056,
	inherit: 10057,
	noKey: 10009,
} as const;

const CODES: Partial<Record<ControlErrorCode, number>> = {
	unauthorized: Code.authentication,
	forbidden: Code.authentication,
	too_many_attempts: Code.authentication,
	not_found: Code.notFound,
	namespace_not_found: 10013,
	title_taken: 10014,
	unknown_namespace: 10041,
	namespace_in_use: 10052,
	database_not_found: 7404,
	database_name_taken: 7502,
	sql_failed: 7500,
	bucket_taken: 10004,
	bucket_not_found: 10006,
	bucket_not_empty: 10008,
	unknown_bucket: 10085,
};

/** What Cloudflare's API refuses with a code of its own. */
export class CloudflareError extends Error {
	readonly status: number;
	readonly code: number;

	constructor(status: number, code: number, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

/** How Cloudflare's API answers: https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/ */
export function ok(c: Context, result: unknown, info?: object): Response {
	return c.json({ success: true, errors: [], messages: [], result, ...(info && { result_info: info }) });
}

/** The same for what was refused. */
export function failed(c: Context, error: Error): Response {
	const refusal = (status: number, code: number) =>
		c.json(
			{ success: false, errors: [{ code, message: error.message }], messages: [], result: null },
			status as ContentfulStatusCode,
		);
	if (error instanceof CloudflareError) return refusal(error.status, error.code);
	if (error instanceof ControlError) {
		if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
		// A client asks again for what failed by 5xx.
		const status = error.code === "not_supported" ? 400 : error.status;
		return refusal(status, CODES[error.code] ?? Code.invalid);
	}
	throw error;
}
