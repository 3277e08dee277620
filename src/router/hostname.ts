import { domainToASCII } from "node:url";

export type Hostname = string;

/** A hostname that needs no work: lower case, no port, no trailing dot, plain letters. */
const PLAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const PORT = /:(\d{0,5})$/;
const IPV6 = /^\[[0-9a-f:.]+\]$/i;
// https://url.spec.whatwg.org/#forbidden-domain-code-point, and what else has no place in a Host header
const FORBIDDEN = /[\s/\\?#@:<>^|%[\]`{}"]/;

/** The parts of a `Host` header's value. */
export interface Host {
	/** In ASCII, lower case, without port and trailing dot. IPv6 keeps its brackets. */
	hostname: Hostname;
	/** Empty where none was given. */
	port: string;
}

/** Parses a `Host` header's value (https://www.rfc-editor.org/rfc/rfc9110#section-7.2). `null` if it is malformed. */
export function parseHost(value: string): Host | null {
	if (value.length <= 253 && PLAIN.test(value)) return { hostname: value, port: "" };
	let name = value;
	let port = "";
	const match = PORT.exec(value);
	if (match !== null) {
		name = value.slice(0, match.index);
		port = match[1];
		if (Number(port) > 65535) return null;
	}
	if (IPV6.test(name)) {
		const url = URL.parse(`http://${name}/`);
		return url === null ? null : { hostname: url.hostname, port };
	}
	const hostname = normalizeHostname(name);
	return hostname === null ? null : { hostname, port };
}

/** A hostname in the form in which the router keeps it; international names in Punycode. `null` if it is none. */
export function normalizeHostname(name: string): Hostname | null {
	if (PLAIN.test(name)) return name.length <= 253 ? name : null;
	const trimmed = name.endsWith(".") ? name.slice(0, -1) : name;
	if (trimmed === "" || trimmed.length > 1000 || FORBIDDEN.test(trimmed)) return null;
	// Not all that resolves is a name by the letter: underscores are in use, and Node's own conversion keeps them.
	const ascii = domainToASCII(trimmed).toLowerCase();
	if (ascii === "" || ascii.length > 253 || ascii.split(".").some((label) => label === "" || label.length > 63))
		return null;
	return ascii;
}
