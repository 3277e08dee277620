import { z } from "zod";
import { MAX_HEADER_BYTES, MAX_URL_BYTES } from "../../limits/limits.ts";
import { type TraceContext, withTrace } from "../../observe/trace-context.ts";
import type { Answer, Caller, Content, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { FetchedResponse, Functions } from "../functions.ts";
import type { Egress } from "./edge/egress.ts";
import { followRedirects, type Hop } from "./edge/redirects.ts";
import { decodeFetchHead, type FetchedHead, type FetchHead } from "./schema.ts";

/** The global `fetch`: to functions of the same tenant without leaving the process, else to the network. */
class FetchBinding implements EdgeBinding {
	readonly settings = z.undefined();
	readonly #functions: Functions;
	readonly #egress: Egress;

	constructor({ functions, egress }: EdgeServices) {
		this.#functions = functions;
		this.#egress = egress;
	}

	open(_: unknown, caller: Caller): OpenBinding {
		return {
			prepare: (argument) => {
				const refusal = (url: URL | null) =>
					url !== null && this.#called(url, caller) !== null ? this.#functions.refusal(caller.chain) : null;
				return prepareFetch(argument, refusal, (hop) => this.#send(hop, caller), caller.trace);
			},
		};
	}

	close(): Promise<void> {
		return this.#egress.close();
	}

	/**
	 * The URL of a request that goes to a function which the caller reaches, its hostname in normal form; else
	 * `null`.
	 */
	#called(target: URL, caller: Caller): URL | null {
		if (target.protocol !== "http:" && target.protocol !== "https:") return null;
		const hostname = this.#functions.within(caller.function.tenant, target.hostname);
		if (hostname === null) return null;
		const url = new URL(target);
		url.hostname = hostname;
		return url;
	}

	#send(hop: Hop, caller: Caller): Promise<FetchedResponse> {
		const url = this.#called(new URL(hop.url), caller);
		if (url === null) return this.#egress.send(hop, caller.tenant);
		return this.#functions.ask({ ...hop, url }, caller.chain);
	}
}

export const create = (services: EdgeServices): EdgeBinding => new FetchBinding(services);

/**
 * A call of `fetch`, or of what takes requests as it does: `refusal` says why a URL is not asked, `send` asks one,
 * between redirects. `came` is the trace that the caller's own request came with.
 */
export function prepareFetch(
	argument: string,
	refusal: (url: URL | null) => string | null,
	send: (hop: Hop) => Promise<FetchedResponse>,
	came: TraceContext | null,
): Prepared | string | null {
	const head = decodeFetchHead(argument);
	if (head === null) return null;
	const tooLarge = excess(head);
	if (tooLarge !== null) return tooLarge;
	const url = URL.parse(head.url);
	const refused = refusal(url);
	if (refused !== null) return refused;
	const perform = async (content: Content, signal: AbortSignal, trace: TraceContext): Promise<Answer> => {
		const request = { ...head, headers: withTrace(head.headers, trace, came), content, signal };
		const { head: answer, body, ...rest } = await followRedirects(request, send);
		const { status, statusText, headers } = answer;
		const text = JSON.stringify({ status, statusText, headers, ...rest } satisfies FetchedHead);
		return { text, content: body, status };
	};
	return { target: url?.host ?? "", request: head, perform };
}

/** Whether a request takes more than the edge takes from a client, in words. */
function excess({ url, headers }: FetchHead): string | null {
	if (url.length > MAX_URL_BYTES) return `the URL has more than ${MAX_URL_BYTES} letters`;
	const bytes = headers.reduce((sum, text) => sum + FIELD_BYTES + text.length, 0);
	return bytes > MAX_HEADER_BYTES ? `the headers have more than ${MAX_HEADER_BYTES} bytes` : null;
}

/** What a name or a value counts for beside its letters: it is something of its own, however short. */
const FIELD_BYTES = 32;
