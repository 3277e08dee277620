import { asksForPart, isNotModified, rangeOf } from "../http/conditional.ts";
import type { Asset, AssetConfig, AssetPart, Manifest } from "./asset-config.ts";
import { HeaderRules } from "./header-rules.ts";
import { PathPattern } from "./path-pattern.ts";
import { RedirectRules } from "./redirect-rules.ts";

/** What a site is asked. */
export interface SiteRequest {
	method: string;
	url: URL;
	/** Name, value, name, value, …; names in lower case. */
	headers: readonly string[];
	/** Whether a file may be answered as brotli has it. */
	brotli: boolean;
}

/** What a site answers: a head, and as much of a file as is its body. */
export interface SiteAnswer {
	status: number;
	headers: string[];
	/** `null` for none. */
	body: AssetPart | null;
}

/** A file that was found, or where its one address is. */
type Found = { asset: string } | { redirect: string };

/** The files of a version, as they are served: https://developers.cloudflare.com/workers/static-assets/routing/ */
export class Site {
	readonly #assets = new Map<string, Asset>();
	/** How long the longest of their paths is. */
	readonly #longest: number;
	readonly #config: AssetConfig;
	readonly #headers: HeaderRules;
	readonly #redirects: RedirectRules;
	readonly #first: { pattern: PathPattern; isFirst: boolean }[];

	constructor(manifest: Manifest, config: AssetConfig) {
		for (const [path, asset] of Object.entries(manifest)) this.#assets.set(decoded(path) ?? path, asset);
		this.#longest = [...this.#assets.keys()].reduce((most, { length }) => Math.max(most, length), 0);
		this.#config = config;
		this.#headers = new HeaderRules(config._headers);
		this.#redirects = new RedirectRules(config._redirects);
		const { run_worker_first: first } = config;
		this.#first = (typeof first === "boolean" ? [] : first).map((glob) => ({
			pattern: new PathPattern(glob.replace(/^!/, "")),
			isFirst: !glob.startsWith("!"),
		}));
	}

	/** Whether a path is the function's before it is looked for among the files. */
	isFunctionFirst({ pathname }: URL): boolean {
		const { run_worker_first: first } = this.#config;
		if (typeof first === "boolean") return first;
		const matching = this.#first.filter(({ pattern }) => pattern.match(pathname) !== null);
		return matching.length > 0 && matching.every(({ isFirst }) => isFirst);
	}

	/** The answer where there is a file or a redirect for a request; `null` where it is for the function. */
	find(request: SiteRequest): SiteAnswer | null {
		return this.#redirected(request) ?? this.#found(request);
	}

	/** The answer of the site alone. */
	answer(request: SiteRequest): SiteAnswer {
		return this.find(request) ?? this.#missing(request);
	}

	#missing(request: SiteRequest): SiteAnswer {
		if (request.method !== "GET" && request.method !== "HEAD")
			return { status: 405, headers: ["allow", "GET, HEAD"], body: null };
		return this.page(request) ?? { status: 404, headers: [], body: null };
	}

	/** The page for a path that there is no file for, by `not_found_handling`; `null` for none. */
	page(request: SiteRequest): SiteAnswer | null {
		const { not_found_handling: handling } = this.#config;
		if (handling === "single-page-application") {
			const page = this.#assets.get("/index.html");
			if (page !== undefined) return this.#served(request, page, 200);
		}
		if (handling === "404-page") {
			// The nearest one above, which is none of those where no path is so long.
			const path = decoded(request.url.pathname) ?? "/";
			const segments = path.slice(0, this.#longest).split("/");
			for (let end = segments.length - 1; end > 0; end--) {
				const page = this.#assets.get(`${segments.slice(0, end).join("/")}/404.html`);
				if (page !== undefined) return this.#served(request, page, 404);
			}
		}
		return null;
	}

	#redirected(request: SiteRequest): SiteAnswer | null {
		const { pathname, search } = request.url;
		const redirect = this.#redirects.find(pathname);
		if (redirect === null) return null;
		const { to, status } = redirect;
		if (status === 200) {
			const asset = this.#lookUp(to);
			return asset !== null && "asset" in asset
				? this.#served(request, this.#assets.get(asset.asset) as Asset, 200)
				: null;
		}
		const location = to.includes("?") || search === "" ? to : addSearch(to, search);
		return this.#withHeaders(request, { status, headers: ["location", location], body: null });
	}

	#found(request: SiteRequest): SiteAnswer | null {
		if (request.method !== "GET" && request.method !== "HEAD") return null;
		const { pathname, search } = request.url;
		const path = decoded(pathname);
		const found = path === null ? null : this.#lookUp(path);
		if (found === null) return null;
		if ("redirect" in found) {
			// Two slashes at the front would be a hostname.
			const target = encodeURI(found.redirect).replace(/^\/{2,}/, "/");
			return this.#withHeaders(request, { status: 307, headers: ["location", target + search], body: null });
		}
		return this.#served(request, this.#assets.get(found.asset) as Asset, 200);
	}

	/** The file for a path, by `html_handling`. */
	#lookUp(path: string): Found | null {
		if (this.#config.html_handling === "none") return this.#assets.has(path) ? { asset: path } : null;
		const stem = path.replace(/\/$/, "");
		const candidates = path.endsWith("/")
			? [`${path}index.html`, `${stem}.html`]
			: [path, `${path}.html`, `${path}/index.html`];
		const asset = candidates.find((candidate) => candidate !== ".html" && this.#assets.has(candidate));
		if (asset === undefined) return null;
		const address = this.#addressOf(asset);
		return address === path ? { asset } : { redirect: address };
	}

	/** The one path at which a file answers. */
	#addressOf(asset: string): string {
		if (!asset.endsWith(".html")) return asset;
		const { html_handling: handling } = this.#config;
		const isIndex = asset.endsWith("/index.html");
		const stem = isIndex ? asset.slice(0, -"/index.html".length) : asset.slice(0, -".html".length);
		if (handling === "force-trailing-slash") return `${stem}/`;
		if (handling === "drop-trailing-slash") return stem === "" ? "/" : stem;
		return isIndex ? `${stem}/` : stem;
	}

	#served(request: SiteRequest, asset: Asset, status: number): SiteAnswer {
		const { type, brotli } = asset;
		// Parts are of a file as it is.
		const encoded =
			status === 200 && brotli !== undefined && request.brotli && !asksForPart(request.headers) ? brotli : null;
		const { upload, size } = encoded ?? asset;
		const etag = `"${upload.slice(0, 32)}"`;
		const headers = ["etag", etag, "cache-control", "public, max-age=0, must-revalidate"];
		if (brotli !== undefined) headers.push("vary", "accept-encoding");
		const answer = (answered: number, more: string[], body: AssetPart | null) =>
			this.#withHeaders(request, { status: answered, headers: [...headers, ...more], body });
		const content = type === "" ? [] : ["content-type", type];
		if (encoded !== null) content.push("content-encoding", "br");
		const whole = { upload, start: 0, size };
		if (status !== 200) return answer(status, content, whole);
		const validators = { etag, lastModified: undefined };
		if (isNotModified(request.headers, validators)) return answer(304, [], null);
		const range = request.method === "GET" ? rangeOf(request.headers, size, validators) : null;
		if (range === null) return answer(200, ["accept-ranges", "bytes", ...content], whole);
		if (range === "unsatisfiable") return answer(416, ["content-range", `bytes */${size}`], null);
		const { first, last } = range;
		const told = ["content-range", `bytes ${first}-${last}/${size}`, ...content];
		return answer(206, told, { upload, start: first, size: last - first + 1 });
	}

	#withHeaders({ url: { pathname: path, host } }: SiteRequest, answer: SiteAnswer): SiteAnswer {
		const headers = new Map<string, string>();
		for (let i = 0; i < answer.headers.length; i += 2) headers.set(answer.headers[i], answer.headers[i + 1]);
		this.#headers.apply(headers, { host, path });
		return { ...answer, headers: [...headers].flat() };
	}
}

/** `null` for what is not percent-encoded as it should be. */
function decoded(path: string): string | null {
	try {
		return decodeURIComponent(path);
	} catch {
		return null;
	}
}

function addSearch(to: string, search: string): string {
	const [path, hash] = to.split("#");
	return `${path}${search}${hash === undefined ? "" : `#${hash}`}`;
}
