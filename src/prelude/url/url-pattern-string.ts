import { DEFAULT_PORTS, encodeProtocol } from "./url-pattern-encoding.ts";
import type { Init } from "./url-pattern-init.ts";
import { compileComponent, type PatternOptions, type Token, tokenize } from "./url-pattern-parser.ts";

export const NO_DELIMITER: PatternOptions = { delimiter: "", prefix: "", ignoreCase: false };

/** https://urlpattern.spec.whatwg.org/#protocol-component-matches-a-special-scheme */
function matchesSpecial(protocol: string): boolean {
	const { regexp } = compileComponent(protocol, encodeProtocol, NO_DELIMITER);
	return Object.keys(DEFAULT_PORTS).some((scheme) => regexp.test(scheme));
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
export function parseConstructorString(input: string): Init {
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
