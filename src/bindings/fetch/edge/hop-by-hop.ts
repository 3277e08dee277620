// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
const HOP_BY_HOP = new Set([
	"connection",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

/**
 * What says who asks, for what, and what the body is, is for whoever answers, and no sender may name it as its
 * connection's.
 */
const END_TO_END = new Set([
	"authorization",
	"cache-control",
	"content-encoding",
	"content-length",
	"content-type",
	"cookie",
	"forwarded",
	"host",
	"origin",
	"via",
	"x-real-ip",
]);

function isEndToEnd(name: string): boolean {
	return END_TO_END.has(name) || name.startsWith("x-forwarded-") || name.startsWith("sec-");
}

/** Whether a header, by its name in lower case, concerns one connection only. */
export function isHopByHop(name: string): boolean {
	return HOP_BY_HOP.has(name);
}

/** Drops the headers that concern one connection only, and those that a `Connection` header names. */
export function stripHopByHop(headers: string[]): string[] {
	let named: Set<string> | null = null;
	let found = false;
	for (let i = 0; i < headers.length; i += 2) {
		if (!HOP_BY_HOP.has(headers[i])) continue;
		found = true;
		if (headers[i] !== "connection") continue;
		named ??= new Set();
		for (const option of headers[i + 1].split(",")) {
			const name = option.trim().toLowerCase();
			if (!isEndToEnd(name)) named.add(name);
		}
	}
	if (!found) return headers;
	const kept: string[] = [];
	for (let i = 0; i < headers.length; i += 2) {
		if (!HOP_BY_HOP.has(headers[i]) && !named?.has(headers[i])) kept.push(headers[i], headers[i + 1]);
	}
	return kept;
}
