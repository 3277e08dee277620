export type Hostname = string;

/**
 * A hostname that needs no work: lower case, no port, no trailing dot, plain letters, and no end that a number could
 * be.
 */
const PLAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
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
	if (isPlain(value)) return { hostname: value, port: "" };
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

/**
 * A hostname in the form in which the router keeps it, which is that of URLs without the dot that may stand at a
 * name's end: international names in Punycode, addresses in their shortest form. `null` if it is none.
 */
export function normalizeHostname(name: string): Hostname | null {
	if (isPlain(name)) return name;
	if (name === "" || name.length > 1000 || FORBIDDEN.test(name)) return null;
	const ascii = URL.parse(`http://${name}/`)?.hostname.replace(/\.$/, "") ?? "";
	if (ascii === "" || ascii.length > 253 || ascii.split(".").some((label) => label === "" || label.length > 63))
		return null;
	return ascii;
}

function isPlain(name: string): boolean {
	return name.length <= 253 && PLAIN.test(name) && !name.includes("xn--");
}
