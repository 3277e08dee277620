import { parse } from "tldts";
import type { Hostname } from "./hostname.ts";

/** Hostnames come here in the router's form already. */
const OPTIONS = { allowPrivateDomains: true, extractHostname: false, validateHostname: false };

/**
 * Whether everybody may register names under a hostname, as under `com`, `co.uk` or `github.io`: by the Public Suffix
 * List (https://publicsuffix.org), private section included, since whoever had `*.github.io` would have other people's
 * sites. Names that the list does not know, such as `localhost` and `test`, are none.
 */
export function isPublicSuffix(hostname: Hostname): boolean {
	const { publicSuffix, isIcann, isPrivate } = parse(hostname, OPTIONS);
	return publicSuffix === hostname && (isIcann === true || isPrivate === true);
}
