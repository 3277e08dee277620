import { performance } from "node:perf_hooks";
import type { SiteAnswer } from "../assets/site.ts";
import type { Sites } from "../assets/sites.ts";
import type { ReleasedVersion } from "../deployments/released-version.ts";
import { accepts } from "../http/accept-encoding.ts";
import { headerIn } from "../link/header-list.ts";
import type { Observer } from "../observe/observer.ts";
import { newRecord, type Outcome, type Trigger } from "../observe/record.ts";
import { traceIn } from "../observe/trace-context.ts";
import type { Exchange, ResponseSink } from "./exchange.ts";

/** A request that may be answered by a file. */
export interface SiteExchange {
	version: ReleasedVersion;
	exchange: Exchange;
	sink: ResponseSink;
	requestId: string;
	trigger: Trigger;
}

/** A file of up to so many bytes leaves with its head. */
const SMALL = 64 * 1024;

/** Answers requests by the files of a version, without an isolate. */
export class SiteDelivery {
	readonly #sites: Sites;
	readonly #observer: Observer;

	constructor(sites: Sites, observer: Observer) {
		this.#sites = sites;
		this.#observer = observer;
	}

	/** What a version's files answer, or `null` where its function is to. Throws where they cannot be read. */
	find({ version, exchange }: SiteExchange): SiteAnswer | null {
		const source = version.version.site;
		if (source === null || exchange.asked !== null) return null;
		const site = this.#sites.of(source);
		const { method, headers } = exchange;
		const request = { method, url: new URL(exchange.url), headers, brotli: accepts(headers, "br") };
		if (source.alone) return site.answer(request);
		if (site.isFunctionFirst(request.url)) return null;
		return site.find(request) ?? (isNavigation(exchange) ? site.page(request) : null);
	}

	/** Sends an answer, and leaves a record. What it returns can be aborted, when the client has gone. */
	send(answer: SiteAnswer, { version, exchange, sink, requestId, trigger }: SiteExchange): { abort(): void } {
		const began = performance.now();
		const record = newRecord(requestId, "http", trigger);
		record.tenant = version.function.tenant;
		record.function = version.function.name;
		record.version = version.id;
		record.traceId = traceIn(exchange.headers)?.traceId ?? "";
		record.hostname = exchange.hostname;
		record.method = exchange.method;
		record.url = exchange.url;
		record.status = answer.status;
		const { status, body } = answer;
		const headers = [...answer.headers, "x-atoll-request-id", requestId];
		const head = { status, statusText: "", headers, body: "none" as const };
		const end = (outcome: Outcome) => {
			record.outcome = outcome;
			record.wallMs = Math.round((performance.now() - began) * 1000) / 1000;
			this.#observer.record(record, exchange);
		};
		let gone = false;
		let wake: (() => void) | null = null;
		if (body === null) {
			sink.respond(head, null);
			end("ok");
		} else if (exchange.method === "HEAD" || body.size === 0) {
			headers.push("content-length", String(body.size));
			sink.begin(head);
			sink.end();
			end("ok");
		} else {
			void this.#stream(body, sink, head, {
				isGone: () => gone,
				sent: (bytes) => {
					record.responseBytes += bytes;
				},
				onWait: (taken) => {
					wake = taken;
				},
			}).then(end);
		}
		return {
			abort() {
				gone = true;
				wake?.();
			},
		};
	}

	/** One piece at a time: the next is read once the client has taken it. */
	async #stream(
		body: NonNullable<SiteAnswer["body"]>,
		sink: ResponseSink,
		head: Parameters<ResponseSink["begin"]>[0],
		client: { isGone(): boolean; sent(bytes: number): void; onWait(taken: () => void): void },
	): Promise<Outcome> {
		let begun = false;
		try {
			for await (const piece of this.#sites.read(body)) {
				if (client.isGone()) return "client_gone";
				if (body.size <= SMALL && piece.byteLength === body.size) {
					sink.respond(head, piece);
					client.sent(piece.byteLength);
					return "ok";
				}
				if (!begun) {
					head.headers.push("content-length", String(body.size));
					sink.begin(head);
					begun = true;
				}
				const { promise, resolve } = Promise.withResolvers<void>();
				client.onWait(resolve);
				sink.write(piece, resolve);
				await promise;
				client.sent(piece.byteLength);
			}
			sink.end();
			return "ok";
		} catch {
			// The file has gone, or is not whole: what was sent cannot be taken for all of it.
			sink.cut();
			return "internal_error";
		} finally {
			sink.settle();
		}
	}
}

/** A browser that goes to a page: https://www.w3.org/TR/fetch-metadata/ */
function isNavigation({ headers }: Exchange): boolean {
	return headerIn(headers, "sec-fetch-mode") === "navigate";
}
