import { URL } from "./url.ts";

export const DEFAULT_PORTS: Record<string, string> = {
	http: "80",
	https: "443",
	ws: "80",
	wss: "443",
	ftp: "21",
	file: "",
};

export function bad(what: string): TypeError {
	return new TypeError(`URLPattern: ${what}`);
}

// Canonicalisation: https://urlpattern.spec.whatwg.org/#canon-encoding-callbacks. Each sets one part of a URL that is
// otherwise of no interest, and reads what became of it; where nothing did, the value is not valid.

const DUMMY_HOST = "dummy.invalid";

export function encodeProtocol(value: string): string {
	if (value === "") return "";
	const url = URL.parse(`${value}://${DUMMY_HOST}`);
	if (url === null) throw bad(`${JSON.stringify(value)} is not a protocol`);
	return url.protocol.slice(0, -1);
}

/** Sets a property of a dummy URL, of a scheme that the standard does not know or of one that it does. */
function encodeAs(property: "username" | "password" | "search" | "hash", prefix: string) {
	return (value: string): string => {
		if (value === "") return "";
		const url = new URL(`https://${DUMMY_HOST}/`);
		url[property] = prefix + value;
		return url[property].slice(prefix.length);
	};
}

export function encodeHostname(value: string): string {
	if (value === "") return "";
	const url = new URL(`https://${DUMMY_HOST}/`);
	url.hostname = value;
	if (url.hostname === DUMMY_HOST && value !== DUMMY_HOST) throw bad(`${JSON.stringify(value)} is not a hostname`);
	return url.hostname;
}

export function encodeIPv6(value: string): string {
	if (!/^[\da-f[\]:]*$/i.test(value)) throw bad(`${JSON.stringify(value)} is not an IPv6 address`);
	return value.toLowerCase();
}

/** The default port of the protocol, if one is given, is the empty string. */
export function encodePort(value: string, protocol?: string): string {
	if (value === "") return "";
	const url = new URL(`https://${DUMMY_HOST}:1/`);
	// 1 would look like a value that was refused, and is kept as it is.
	url.port = value;
	const port = url.port === "" ? "443" : url.port;
	if (port === "1" && !/^[\t\n\r]*0*1(?:\D|$)/.test(value)) throw bad(`${JSON.stringify(value)} is not a port`);
	return protocol !== undefined && DEFAULT_PORTS[protocol] === port ? "" : port;
}

export function encodePathname(value: string): string {
	if (value === "") return "";
	// A path that does not begin with a slash is only a part of one.
	const absolute = value.startsWith("/");
	const url = new URL(`https://${DUMMY_HOST}/`);
	url.pathname = absolute ? value : `/-${value}`;
	return absolute ? url.pathname : url.pathname.slice(2);
}

export function encodeOpaquePathname(value: string): string {
	if (value === "") return "";
	const url = URL.parse(`data:${value}`);
	if (url === null) throw bad(`${JSON.stringify(value)} is not a path`);
	return url.pathname;
}

export const encodeUsername = encodeAs("username", "");
export const encodePassword = encodeAs("password", "");
export const encodeSearch = encodeAs("search", "?");
export const encodeHash = encodeAs("hash", "#");

export const isSpecial = (protocol: string) => Object.hasOwn(DEFAULT_PORTS, protocol);
