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
		for (const name of headers[i + 1].split(",")) named.add(name.trim().toLowerCase());
	}
	if (!found) return headers;
	const kept: string[] = [];
	for (let i = 0; i < headers.length; i += 2) {
		if (!HOP_BY_HOP.has(headers[i]) && !named?.has(headers[i])) kept.push(headers[i], headers[i + 1]);
	}
	return kept;
}
