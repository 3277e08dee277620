import { fnv1a } from "../fnv.ts";
import { headerIn } from "../link/header-list.ts";

/**
 * What keeps whoever asks with the version that answered before, while several share the traffic: the value of a cookie
 * or of a header, or the address of the client.
 */
export type Sticky = { by: "cookie" | "header"; name: string } | { by: "address" };

/** What of a request tells whom it is from. */
export interface Asker {
	/** Name, value, name, value, …; names in lower case. */
	headers: readonly string[];
	client: { ip: string } | null;
}

/** https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/ */
const VERSION_KEY = "cloudflare-workers-version-key";

/** The point between 0 and 1 that is always the same for one asker; `undefined` where nothing tells who asks. */
export function pointOf({ headers, client }: Asker, sticky: Sticky | null): number | undefined {
	const key = headerIn(headers, VERSION_KEY) ?? (sticky === null ? undefined : said(headers, client, sticky));
	return key === undefined || key === "" ? undefined : hash(key) / 2 ** 32;
}

function said(headers: readonly string[], client: Asker["client"], sticky: Sticky): string | undefined {
	if (sticky.by === "address") return client?.ip;
	if (sticky.by === "header") return headerIn(headers, sticky.name.toLowerCase());
	const prefix = `${sticky.name}=`;
	const cookie = headerIn(headers, "cookie")
		?.split(";")
		.find((one) => one.trimStart().startsWith(prefix));
	return cookie?.trim().slice(prefix.length);
}

/** FNV-1a, with the finish of MurmurHash3, by which keys that differ in little are far apart. */
function hash(key: string): number {
	let h = fnv1a(key);
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}
