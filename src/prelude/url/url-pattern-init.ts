import { URL } from "./url.ts";
import {
	bad,
	encodeHash,
	encodeHostname,
	encodeOpaquePathname,
	encodePassword,
	encodePathname,
	encodePort,
	encodeProtocol,
	encodeSearch,
	encodeUsername,
	isSpecial,
} from "./url-pattern-encoding.ts";

export const COMPONENTS = [
	"protocol",
	"username",
	"password",
	"hostname",
	"port",
	"pathname",
	"search",
	"hash",
] as const;
export type ComponentName = (typeof COMPONENTS)[number];
export type Init = Partial<Record<ComponentName | "baseURL", string>>;

/** https://urlpattern.spec.whatwg.org/#process-a-urlpatterninit */
export function processInit(init: Init, type: "pattern" | "url", result: Init): Init {
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
