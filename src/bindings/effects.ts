import type { Account } from "../limits/account.ts";
import { MAX_HEADER_BYTES, MAX_URL_BYTES } from "../limits/limits.ts";
import { type FetchHead, Kind, type ResponseHead } from "../link/messages.ts";
import type { Bytes } from "../units.ts";
import { BodyReceiver, BodySender } from "./body.ts";
import { type EffectLimits, type OnExceeded, SubrequestBounds } from "./bounds.ts";

/** Sends something about one effect back into the isolate. */
export type Reply = (kind: Kind, text: string, data?: Uint8Array | number) => void;

/** A subrequest as whoever performs it takes it. */
export interface Subrequest extends FetchHead {
	content: Uint8Array | AsyncIterable<Uint8Array> | null;
	signal: AbortSignal;
}

/** A response as a value: a subrequest's, or the library's own `fetch`. */
export interface FetchedResponse {
	head: ResponseHead;
	body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Performs a subrequest. Rejects with an Error whose message the function may read. */
export type PerformFetch = (request: Subrequest) => Promise<FetchedResponse & { url: string; redirected: boolean }>;

/** What does subrequests. */
export interface Fetcher {
	perform: PerformFetch;
	/** Why this one is not even begun, or `null`: a function can ask for fifty in a turn, so that a refusal has to cost nothing. */
	refusal(url: string): string | null;
}

/** What a subrequest has the edge hold beside its body. */
const SUBREQUEST_BYTES: Bytes = 2048;

/** Who does the subrequests of an attempt, within which limits, and what they have the edge hold. */
interface EffectSettings {
	fetcher: Fetcher;
	limits: EffectLimits;
	account: Account;
	onExceeded: OnExceeded;
}

interface Running {
	held: Bytes;
	controller: AbortController;
	outgoing: BodyReceiver | null;
	incoming: BodySender | null;
	bounds: SubrequestBounds;
}

/** One for all: each of its own would take the edge the time of a stack trace. */
const ENDED = new Error("nobody waits for the subrequest any more");

/** The effects of one attempt, with their limits: what it has started outside, and how to stop it. */
export class Effects {
	readonly #fetcher: Fetcher;
	readonly #limits: EffectLimits;
	/** What the edge holds for them. */
	readonly account: Account;
	readonly #onExceeded: OnExceeded;
	/** Made at the first subrequest: most requests have none. */
	#running: Map<number, Running> | null = null;
	#waiting: (() => void)[] = [];
	/** How many were started. */
	count = 0;
	#active = 0;

	constructor({ fetcher, limits, account, onExceeded }: EffectSettings) {
		this.#fetcher = fetcher;
		this.#limits = limits;
		this.account = account;
		this.#onExceeded = onExceeded;
	}

	fetch(op: number, head: FetchHead, content: Uint8Array | undefined, reply: Reply): void {
		const { subrequests, concurrentSubrequests } = this.#limits;
		if (this.count >= subrequests) {
			const message = `the request has already made its ${subrequests} subrequests`;
			this.#onExceeded("subrequests", message);
			reply(Kind.answer, JSON.stringify({ error: message }));
			return;
		}
		this.count++;
		const refusal = unacceptable(head) ?? this.#fetcher.refusal(head.url);
		if (refusal !== null) {
			reply(Kind.answer, JSON.stringify({ error: refusal }));
			return;
		}
		const outgoing =
			head.body === "stream"
				? new BodyReceiver(
						this.account,
						(bytes) => reply(Kind.credit, "", bytes),
						() => reply(Kind.cancel, ""),
					)
				: null;
		const held = SUBREQUEST_BYTES + (content?.byteLength ?? 0);
		this.account.hold(held);
		const running: Running = {
			held,
			controller: new AbortController(),
			outgoing,
			incoming: null,
			bounds: new SubrequestBounds(this.#limits, head.url, this.#onExceeded),
		};
		this.#running ??= new Map();
		this.#running.set(op, running);
		const start = () =>
			void this.#run(
				op,
				running,
				{ ...head, content: outgoing ?? content ?? null, signal: running.controller.signal },
				reply,
			);
		if (this.#active < concurrentSubrequests) start();
		else this.#waiting.push(start);
	}

	async #run(op: number, running: Running, request: Subrequest, reply: Reply): Promise<void> {
		this.#active++;
		const { bounds } = running;
		const { signal } = running.controller;
		try {
			if (signal.aborted) return;
			const { head, body, url, redirected } = await bounds.wait(this.#fetcher.perform(request));
			const stream = body !== null && !(body instanceof Uint8Array);
			const answer: ResponseHead = {
				...head,
				body: body === null ? "none" : stream ? "stream" : "whole",
				url,
				redirected,
			};
			if (body instanceof Uint8Array) bounds.size(body.byteLength);
			reply(Kind.answer, JSON.stringify(answer), stream || body === null ? undefined : body);
			if (!stream) return;
			running.incoming = new BodySender(this.account);
			await this.#sendBody(running.incoming, bounds.body(body), reply);
		} catch (error) {
			if (!signal.aborted) reply(Kind.answer, JSON.stringify({ error: (error as Error).message }));
			running.controller.abort(ENDED);
		} finally {
			this.#active--;
			this.#running?.delete(op);
			running.outgoing?.drop();
			running.incoming?.cancel();
			this.account.release(running.held);
			this.#waiting.shift()?.();
		}
	}

	async #sendBody(sender: BodySender, body: AsyncIterable<Uint8Array>, reply: Reply): Promise<void> {
		try {
			if (await sender.send(body, (piece) => reply(Kind.body, "", piece))) reply(Kind.end, "");
		} catch (error) {
			reply(Kind.end, `the response broke off: ${(error as Error).message}`);
		}
	}

	chunk(op: number, bytes: Uint8Array): void {
		const running = this.#running?.get(op);
		running?.bounds.progress();
		running?.outgoing?.chunk(bytes);
	}

	end(op: number, failure: string): void {
		this.#running?.get(op)?.outgoing?.end(failure === "" ? "" : "the function's request body failed");
	}

	credit(op: number, bytes: number): void {
		this.#running?.get(op)?.incoming?.credit(bytes);
	}

	cancel(op: number): void {
		const running = this.#running?.get(op);
		running?.controller.abort(ENDED);
		running?.incoming?.cancel();
		running?.outgoing?.end("cancelled");
	}

	cancelAll(): void {
		if (this.#running === null) return;
		for (const op of this.#running.keys()) this.cancel(op);
		for (const start of this.#waiting.splice(0)) start();
	}
}

/** Why a subrequest is not even looked at: it makes no sense, or takes more than the edge takes from a client. */
function unacceptable({ url, headers }: FetchHead): string | null {
	if (typeof url !== "string" || !Array.isArray(headers) || !headers.every((text) => typeof text === "string"))
		return "the request makes no sense";
	if (url.length > MAX_URL_BYTES) return `the URL has more than ${MAX_URL_BYTES} letters`;
	const bytes = headers.reduce((sum, text) => sum + FIELD_BYTES + text.length, 0);
	return bytes > MAX_HEADER_BYTES ? `the headers have more than ${MAX_HEADER_BYTES} bytes` : null;
}

/** What a name or a value counts for beside its letters: it is something of its own, however short. */
const FIELD_BYTES = 32;
