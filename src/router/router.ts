import { UsageError } from "../errors.ts";
import { type Hostname, normalizeHostname } from "./hostname.ts";

/**
 * Hostnames to what serves them: exact names first, then the longest `*.suffix`, then `*`. A lookup is one hash look-up
 * a label at most, however many hostnames there are.
 */
export class Router<T> {
	readonly #exact = new Map<Hostname, T>();
	readonly #suffixes = new Map<Hostname, T>();
	#any: T | undefined;

	/** The form in which a pattern is kept; `null` where it is none. */
	static parse(pattern: string): string | null {
		if (pattern === "*") return pattern;
		const wildcard = pattern.startsWith("*.");
		const hostname = normalizeHostname(wildcard ? pattern.slice(2) : pattern);
		if (hostname === null || hostname.includes("*")) return null;
		return wildcard ? `*.${hostname}` : hostname;
	}

	/** The same. Throws UsageError where it is none. */
	static normalize(pattern: string): string {
		const normal = Router.parse(pattern);
		if (normal !== null) return normal;
		throw new UsageError(
			`${JSON.stringify(pattern)} is not a hostname; give one like app.example.com, *.example.com or *`,
			"hostname_refused",
		);
	}

	/** What a pattern, in its normal form, leads to. */
	get(pattern: string): T | undefined {
		if (pattern === "*") return this.#any;
		return pattern.startsWith("*.") ? this.#suffixes.get(pattern.slice(2)) : this.#exact.get(pattern);
	}

	set(pattern: string, target: T): void {
		if (pattern === "*") this.#any = target;
		else if (pattern.startsWith("*.")) this.#suffixes.set(pattern.slice(2), target);
		else this.#exact.set(pattern, target);
	}

	delete(pattern: string): void {
		if (pattern === "*") this.#any = undefined;
		else if (pattern.startsWith("*.")) this.#suffixes.delete(pattern.slice(2));
		else this.#exact.delete(pattern);
	}

	/** What serves a hostname that `parseHost` gave. */
	lookup(hostname: Hostname): T | undefined {
		return this.named(hostname) ?? this.#any;
	}

	/**
	 * The same, where a pattern names the hostname: `*` takes whatever comes, but says of no hostname that it is
	 * ours.
	 */
	named(hostname: Hostname): T | undefined {
		const exact = this.#exact.get(hostname);
		if (exact !== undefined) return exact;
		if (this.#suffixes.size > 0) {
			for (let dot = hostname.indexOf("."); dot >= 0; dot = hostname.indexOf(".", dot + 1)) {
				const target = this.#suffixes.get(hostname.slice(dot + 1));
				if (target !== undefined) return target;
			}
		}
		return undefined;
	}
}
