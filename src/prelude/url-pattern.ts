import { asInterface, toUSVString } from "./interface.ts";
import { URL } from "./url.ts";
import { type Component, compileComponent, type PatternOptions, type Token, tokenize } from "./url-pattern-parser.ts";

const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"] as const;
type ComponentName = (typeof COMPONENTS)[number];
type Init = Partial<Record<ComponentName | "baseURL", string>>;

const DEFAULT_PORTS: Record<string, string> = { http: "80", https: "443", ws: "80", wss: "443", ftp: "21", file: "" };

function bad(what: string): TypeError {
	return new TypeError(`URLPattern: ${what}`);
}

// Canonicalisation: https://urlpattern.spec.whatwg.org/#canon-encoding-callbacks. Each sets one part of a URL that is otherwise
// of no interest, and reads what became of it; where nothing did, the value is not valid.

const DUMMY_HOST = "dummy.invalid";

function encodeProtocol(value: string): string {
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

function encodeHostname(value: string): string {
	if (value === "") return "";
	const url = new URL(`https://${DUMMY_HOST}/`);
	url.hostname = value;
	if (url.hostname === DUMMY_HOST && value !== DUMMY_HOST) throw bad(`${JSON.stringify(value)} is not a hostname`);
	return url.hostname;
}

function encodeIPv6(value: string): string {
	if (!/^[\da-f[\]:]*$/i.test(value)) throw bad(`${JSON.stringify(value)} is not an IPv6 address`);
	return value.toLowerCase();
}

/** The default port of the protocol, if one is given, is the empty string. */
function encodePort(value: string, protocol?: string): string {
	if (value === "") return "";
	const url = new URL(`https://${DUMMY_HOST}:1/`);
	// 1 would look like a value that was refused, and is kept as it is.
	url.port = value;
	const port = url.port === "" ? "443" : url.port;
	if (port === "1" && !/^[\t\n\r]*0*1(?:\D|$)/.test(value)) throw bad(`${JSON.stringify(value)} is not a port`);
	return protocol !== undefined && DEFAULT_PORTS[protocol] === port ? "" : port;
}

function encodePathname(value: string): string {
	if (value === "") return "";
	// A path that does not begin with a slash is only a part of one.
	const absolute = value.startsWith("/");
	const url = new URL(`https://${DUMMY_HOST}/`);
	url.pathname = absolute ? value : `/-${value}`;
	return absolute ? url.pathname : url.pathname.slice(2);
}

function encodeOpaquePathname(value: string): string {
	if (value === "") return "";
	const url = URL.parse(`data:${value}`);
	if (url === null) throw bad(`${JSON.stringify(value)} is not a path`);
	return url.pathname;
}

const encodeUsername = encodeAs("username", "");
const encodePassword = encodeAs("password", "");
const encodeSearch = encodeAs("search", "?");
const encodeHash = encodeAs("hash", "#");

const isSpecial = (protocol: string) => Object.hasOwn(DEFAULT_PORTS, protocol);

/** https://urlpattern.spec.whatwg.org/#process-a-urlpatterninit */
function processInit(init: Init, type: "pattern" | "url", result: Init): Init {
	let base: URL | null = null;
	const isPattern = type === "pattern";
	if (init.baseURL !== undefined) {
		base = URL.parse(init.baseURL);
		if (base === null) throw bad(`${JSON.stringify(init.baseURL)} is not a URL`);
		const inherit = (text: string) => (isPattern ? text.replace(/[+*?:{}()\\]/g, "\\$&") : text);
		const given = (...names: ComponentName[]) => names.some((name) => init[name] !== undefined);
		if (!given("protocol")) result.protocol = inherit(base.protocol.slice(0, -1));
		if (!isPattern && !given("protocol", "hostname", "port", "username")) result.username = inherit(base.username);
		if (!isPattern && !given("protocol", "hostname", "port", "username", "password"))
			result.password = inherit(base.password);
		if (!given("protocol", "hostname")) result.hostname = inherit(base.hostname);
		if (!given("protocol", "hostname", "port")) result.port = base.port;
		if (!given("protocol", "hostname", "port", "pathname")) result.pathname = inherit(base.pathname);
		if (!given("protocol", "hostname", "port", "pathname", "search")) result.search = inherit(base.search.slice(1));
		if (!given("protocol", "hostname", "port", "pathname", "search", "hash")) result.hash = inherit(base.hash.slice(1));
	}
	const { protocol, username, password, hostname, port, pathname, search, hash } = init;
	if (protocol !== undefined) {
		const stripped = protocol.replace(/:$/, "");
		result.protocol = isPattern ? stripped : encodeProtocol(stripped);
	}
	if (username !== undefined) result.username = isPattern ? username : encodeUsername(username);
	if (password !== undefined) result.password = isPattern ? password : encodePassword(password);
	if (hostname !== undefined) result.hostname = isPattern ? hostname : encodeHostname(hostname);
	const scheme = result.protocol ?? "";
	if (port !== undefined) result.port = isPattern ? port : encodePort(port, scheme);
	if (pathname !== undefined) {
		let path = pathname;
		if (base !== null && !isOpaque(base) && !isAbsolute(path, isPattern)) {
			const directory = base.pathname.slice(0, base.pathname.lastIndexOf("/") + 1);
			path = (isPattern ? directory.replace(/[+*?:{}()\\]/g, "\\$&") : directory) + path;
		}
		result.pathname = isPattern
			? path
			: scheme === "" || isSpecial(scheme)
				? encodePathname(path)
				: encodeOpaquePathname(path);
	}
	if (search !== undefined) {
		const stripped = search.replace(/^\?/, "");
		result.search = isPattern ? stripped : encodeSearch(stripped);
	}
	if (hash !== undefined) {
		const stripped = hash.replace(/^#/, "");
		result.hash = isPattern ? stripped : encodeHash(stripped);
	}
	return result;
}

/** Whether a URL has an opaque path, which is nothing to resolve against. */
const isOpaque = (url: URL) => !isSpecial(url.protocol.slice(0, -1)) && !url.pathname.startsWith("/");

/** https://urlpattern.spec.whatwg.org/#is-an-absolute-pathname */
function isAbsolute(path: string, isPattern: boolean): boolean {
	if (path.startsWith("/")) return true;
	return isPattern && (path.startsWith("\\/") || path.startsWith("{/"));
}

type State =
	| "init"
	| "protocol"
	| "authority"
	| "username"
	| "password"
	| "hostname"
	| "port"
	| "pathname"
	| "search"
	| "hash"
	| "done";

/** https://urlpattern.spec.whatwg.org/#parse-a-constructor-string */
function parseConstructorString(input: string): Init {
	const tokens = tokenize(input, false);
	const result: Init = {};
	let component = 0;
	let index = 0;
	let increment = 1;
	let depth = 0;
	let brackets = 0;
	let special = false;
	let state: State = "init";

	const safe = (at: number): Token => tokens[at] ?? tokens[tokens.length - 1];
	const isChar = (at: number, value: string) => {
		const token = safe(at);
		return (
			token.value === value && (token.type === "char" || token.type === "escaped-char" || token.type === "invalid-char")
		);
	};
	const isSearchPrefix = () => {
		if (isChar(index, "?")) return true;
		if (tokens[index].value !== "?") return false;
		const previous = tokens[index - 1] as Token | undefined;
		return previous === undefined || !["name", "regexp", "close", "asterisk"].includes(previous.type);
	};
	const isHashPrefix = () => isChar(index, "#");
	const text = () => input.slice(safe(component).index, tokens[index].index);
	const change = (next: State, skip: number) => {
		if (state !== "init" && state !== "authority" && state !== "done") result[state] = text();
		if (state !== "init" && next !== "done") {
			if (
				["protocol", "authority", "username", "password"].includes(state) &&
				["port", "pathname", "search", "hash"].includes(next)
			)
				result.hostname ??= "";
			if (
				["protocol", "authority", "username", "password", "hostname", "port"].includes(state) &&
				["search", "hash"].includes(next)
			)
				result.pathname ??= special ? "/" : "";
			if (
				["protocol", "authority", "username", "password", "hostname", "port", "pathname"].includes(state) &&
				next === "hash"
			)
				result.search ??= "";
		}
		state = next;
		index += skip;
		component = index;
		increment = 0;
	};
	const rewind = (next: State) => {
		index = component;
		increment = 0;
		state = next;
	};

	while (index < tokens.length) {
		increment = 1;
		const { type } = tokens[index];
		if (type === "end") {
			if (state === "init") {
				rewind("init");
				if (isHashPrefix()) change("hash", 1);
				else if (isSearchPrefix()) change("search", 1);
				else change("pathname", 0);
				index += increment;
				continue;
			}
			if (state === "authority") {
				rewind("hostname");
				index += increment;
				continue;
			}
			change("done", 0);
			break;
		}
		if (type === "open") {
			depth++;
			index += increment;
			continue;
		}
		if (depth > 0) {
			if (type !== "close") {
				index += increment;
				continue;
			}
			depth--;
		}
		switch (state as State) {
			case "init":
				if (isChar(index, ":")) rewind("protocol");
				break;
			case "protocol":
				if (isChar(index, ":")) {
					special = matchesSpecial(text());
					let next: State = "pathname";
					let skip = 1;
					if (isChar(index + 1, "/") && isChar(index + 2, "/")) {
						next = "authority";
						skip = 3;
					} else if (special) next = "authority";
					change(next, skip);
				}
				break;
			case "authority":
				if (isChar(index, "@")) rewind("username");
				else if (isChar(index, "/") || isSearchPrefix() || isHashPrefix()) rewind("hostname");
				break;
			case "username":
				if (isChar(index, ":")) change("password", 1);
				else if (isChar(index, "@")) change("hostname", 1);
				break;
			case "password":
				if (isChar(index, "@")) change("hostname", 1);
				break;
			case "hostname":
				if (isChar(index, "[")) brackets++;
				else if (isChar(index, "]")) brackets--;
				else if (isChar(index, ":") && brackets === 0) change("port", 1);
				else if (isChar(index, "/")) change("pathname", 0);
				else if (isSearchPrefix()) change("search", 1);
				else if (isHashPrefix()) change("hash", 1);
				break;
			case "port":
				if (isChar(index, "/")) change("pathname", 0);
				else if (isSearchPrefix()) change("search", 1);
				else if (isHashPrefix()) change("hash", 1);
				break;
			case "pathname":
				if (isSearchPrefix()) change("search", 1);
				else if (isHashPrefix()) change("hash", 1);
				break;
			case "search":
				if (isHashPrefix()) change("hash", 1);
				break;
		}
		index += increment;
	}
	if (result.hostname !== undefined && result.port === undefined) result.port = "";
	return result;
}

const NO_DELIMITER: PatternOptions = { delimiter: "", prefix: "", ignoreCase: false };

/** https://urlpattern.spec.whatwg.org/#protocol-component-matches-a-special-scheme */
function matchesSpecial(protocol: string): boolean {
	const { regexp } = compileComponent(protocol, encodeProtocol, NO_DELIMITER);
	return Object.keys(DEFAULT_PORTS).some((scheme) => regexp.test(scheme));
}

/** Web IDL's conversion to a URLPatternInit. */
function toInit(value: object): Init {
	const init: Init = {};
	for (const name of ["baseURL", ...COMPONENTS].toSorted() as (ComponentName | "baseURL")[]) {
		const given = (value as Record<string, unknown>)[name];
		if (given !== undefined) init[name] = toUSVString(given);
	}
	return init;
}

const isObject = (value: unknown): value is object =>
	(typeof value === "object" && value !== null) || typeof value === "function";

interface ComponentResult {
	input: string;
	groups: Record<string, string | undefined>;
}

/** https://urlpattern.spec.whatwg.org/#urlpattern-class */
export class URLPattern {
	readonly #components: Record<ComponentName, Component>;

	constructor(input: unknown = {}, second?: unknown, third?: unknown) {
		// (input, baseURL, options) or (input, options)
		const hasBase = typeof second === "string" || third !== undefined;
		const options = hasBase ? third : second;
		const ignoreCase = isObject(options) && Boolean((options as { ignoreCase?: unknown }).ignoreCase);
		let init: Init;
		if (isObject(input)) {
			if (hasBase) throw bad("a base URL goes into the object as baseURL");
			init = toInit(input);
		} else {
			init = parseConstructorString(toUSVString(input));
			if (!hasBase && init.protocol === undefined) throw bad("a relative pattern needs a base URL");
			if (hasBase) init.baseURL = toUSVString(second);
		}
		const processed = processInit(init, "pattern", {});
		for (const name of COMPONENTS) processed[name] ??= "*";
		const patterns = processed as Record<ComponentName, string>;
		const { protocol, port } = patterns;
		if (isSpecial(protocol) && DEFAULT_PORTS[protocol] === port) patterns.port = "";

		const simple = (name: ComponentName, encode: (value: string) => string) =>
			compileComponent(patterns[name], encode, {
				...NO_DELIMITER,
				ignoreCase: ignoreCase && (name === "search" || name === "hash"),
			});
		const protocolComponent = compileComponent(protocol, encodeProtocol, NO_DELIMITER);
		const isIPv6 = /^(?:\[|\{\[|\\\[)/.test(patterns.hostname);
		const hierarchical = Object.keys(DEFAULT_PORTS).some((scheme) => protocolComponent.regexp.test(scheme));
		this.#components = {
			protocol: protocolComponent,
			username: simple("username", encodeUsername),
			password: simple("password", encodePassword),
			hostname: compileComponent(patterns.hostname, isIPv6 ? encodeIPv6 : encodeHostname, {
				...NO_DELIMITER,
				delimiter: ".",
			}),
			port: simple("port", encodePort),
			pathname: hierarchical
				? compileComponent(patterns.pathname, encodePathname, { delimiter: "/", prefix: "/", ignoreCase })
				: compileComponent(patterns.pathname, encodeOpaquePathname, { ...NO_DELIMITER, ignoreCase }),
			search: simple("search", encodeSearch),
			hash: simple("hash", encodeHash),
		};
	}

	get protocol(): string {
		return this.#components.protocol.pattern;
	}
	get username(): string {
		return this.#components.username.pattern;
	}
	get password(): string {
		return this.#components.password.pattern;
	}
	get hostname(): string {
		return this.#components.hostname.pattern;
	}
	get port(): string {
		return this.#components.port.pattern;
	}
	get pathname(): string {
		return this.#components.pathname.pattern;
	}
	get search(): string {
		return this.#components.search.pattern;
	}
	get hash(): string {
		return this.#components.hash.pattern;
	}
	get hasRegExpGroups(): boolean {
		return COMPONENTS.some((name) => this.#components[name].hasRegExpGroups);
	}

	test(input: unknown = {}, baseURL?: unknown): boolean {
		return this.#match(input, baseURL) !== null;
	}

	exec(input: unknown = {}, baseURL?: unknown): Record<string, unknown> | null {
		return this.#match(input, baseURL);
	}

	/** https://urlpattern.spec.whatwg.org/#url-pattern-match */
	#match(input: unknown, baseURL: unknown): Record<string, unknown> | null {
		const inputs: unknown[] = [];
		const values: Record<ComponentName, string> = {
			protocol: "",
			username: "",
			password: "",
			hostname: "",
			port: "",
			pathname: "",
			search: "",
			hash: "",
		};
		if (isObject(input)) {
			if (baseURL !== undefined) throw bad("a base URL goes into the object as baseURL");
			const init = toInit(input);
			inputs.push(init);
			try {
				Object.assign(values, processInit(init, "url", values));
			} catch {
				return null;
			}
		} else {
			const text = toUSVString(input);
			inputs.push(text);
			if (baseURL !== undefined) inputs.push(toUSVString(baseURL));
			const url = URL.parse(text, baseURL === undefined ? undefined : toUSVString(baseURL));
			if (url === null) return null;
			for (const name of COMPONENTS) values[name] = url[name];
			values.protocol = url.protocol.slice(0, -1);
			values.search = url.search.slice(1);
			values.hash = url.hash.slice(1);
		}
		const result: Record<string, unknown> = { inputs };
		for (const name of COMPONENTS) {
			const { regexp, names } = this.#components[name];
			const found = regexp.exec(values[name]);
			if (found === null) return null;
			const groups: ComponentResult["groups"] = {};
			for (const [i, group] of names.entries()) groups[group] = found[i + 1];
			result[name] = { input: values[name], groups } satisfies ComponentResult;
		}
		return result;
	}
}
asInterface(URLPattern, "URLPattern", { constructor: 0, test: 0, exec: 0 });
