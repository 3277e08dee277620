import { asInterface, toUSVString } from "../interface.ts";
import { URL } from "./url.ts";
import {
	bad,
	DEFAULT_PORTS,
	encodeHash,
	encodeHostname,
	encodeIPv6,
	encodeOpaquePathname,
	encodePassword,
	encodePathname,
	encodePort,
	encodeProtocol,
	encodeSearch,
	encodeUsername,
	isSpecial,
} from "./url-pattern-encoding.ts";
import { COMPONENTS, type ComponentName, type Init, processInit } from "./url-pattern-init.ts";
import { type Component, compileComponent } from "./url-pattern-parser.ts";
import { NO_DELIMITER, parseConstructorString } from "./url-pattern-string.ts";

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
