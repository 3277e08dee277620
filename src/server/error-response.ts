import type { FunctionError } from "../errors.ts";
import type { ResponseHead } from "../link/messages.ts";
import { STUBS } from "../link/service-head.ts";

export interface ErrorDetail {
	/** Only in development: the mapped stack, and the source line where it starts. */
	stack: string;
	excerpt: { file: string; line: number; text: string } | null;
}

/**
 * What the client gets for an error: a JSON body, or a page if it prefers that. Never a stack, unless `detail` gives
 * one.
 */
export function errorResponse(
	error: FunctionError,
	requestId: string,
	accept: string,
	detail: ErrorDetail | null,
): { head: ResponseHead; body: Uint8Array } {
	const html = prefersHtml(accept);
	const message = detail === null ? error.publicMessage : error.message;
	const text = html
		? page(error, message, requestId, detail)
		: `${JSON.stringify({ error: { code: error.code, message, requestId, ...(detail?.stack ? { stack: detail.stack } : {}) } })}\n`;
	const headers = [
		"content-type",
		html ? "text/html; charset=utf-8" : "application/json",
		"x-atoll-error",
		error.code,
		"cache-control",
		"no-store",
	];
	if (error.retryAfter !== undefined) headers.push("retry-after", String(Math.max(1, Math.ceil(error.retryAfter))));
	return { head: { status: error.status, statusText: "", headers, body: "whole" }, body: Buffer.from(text) };
}

/** The headers of the platform's own that tell a function of its call's failure, which no function can say. */
const CODE = "x-atoll-error";
const THROWN = "x-atoll-thrown";

/** What a function gets whose call of another one has failed: a copy of what that threw, or why it was not called. */
export function callFailure(error: FunctionError): { head: ResponseHead; body: Uint8Array } {
	const { code, status, publicMessage, thrown } = error;
	const headers = [CODE, code];
	if (thrown !== null) headers.push(THROWN, "1");
	return { head: { status, statusText: "", headers, body: "whole" }, body: thrown ?? Buffer.from(publicMessage) };
}

/** Whether a call has come to `callFailure`, and to which kind of it. */
export function kindOf({ headers }: ResponseHead): "value" | "thrown" | "failure" {
	const says = (name: string) => headers.some((one, i) => i % 2 === 0 && one === name);
	if (!says(CODE)) return "value";
	return says(THROWN) ? "thrown" : "failure";
}

/** Whether the result of a call has stubs, as its function's isolate says (`STUBS` in `link/service-head.ts`). */
export function hasStubs({ headers }: ResponseHead): boolean {
	return headers.some((name, i) => i % 2 === 0 && name === STUBS);
}

/** Whether an Accept header asks for HTML before it asks for JSON. */
function prefersHtml(accept: string): boolean {
	const html = accept.indexOf("text/html");
	const json = accept.indexOf("application/json");
	return html >= 0 && (json < 0 || html < json);
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character]);

function page(error: FunctionError, message: string, requestId: string, detail: ErrorDetail | null): string {
	const excerpt = detail?.excerpt
		? `<pre class="line"><b>${escapeHtml(`${detail.excerpt.file}:${detail.excerpt.line}`)}</b>\n${escapeHtml(detail.excerpt.text)}</pre>`
		: "";
	const stack = detail?.stack ? `<pre>${escapeHtml(detail.stack)}</pre>` : "";
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${error.status} ${error.code}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 10vh auto; padding: 0 1rem; color: #222; background: #fff }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow: auto; background: #f4f4f2; padding: 1rem; border-radius: 6px }
.line { border-left: 4px solid #c33 } p { white-space: pre-wrap } small { color: #777 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } pre { background: #242424 } }
</style>
<h1>${error.status} <code>${error.code}</code></h1>
<p>${escapeHtml(message)}</p>
${excerpt}${stack}<p><small>Request ${escapeHtml(requestId)}</small></p>
</html>
`;
}
