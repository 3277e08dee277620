import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ControlError } from "../control-error.ts";

/** What was refused, as the standard has it: https://www.rfc-editor.org/rfc/rfc9457 */
export function problem(c: Context, error: Error): Response {
	if (!(error instanceof ControlError)) throw error;
	const { status, code, message, retryAfter } = error;
	if (retryAfter !== undefined) c.header("retry-after", String(retryAfter));
	const body = { type: `urn:atoll:problem:${code}`, title: code.replaceAll("_", " "), status, detail: message, code };
	return c.body(JSON.stringify(body), status as ContentfulStatusCode, { "content-type": "application/problem+json" });
}
