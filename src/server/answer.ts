import { FunctionError } from "../errors.ts";
import { StackMapper } from "../helpers/stack-mapper.ts";
import type { Invocation } from "../invocation/invocation.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { callFailure, type ErrorDetail, errorResponse } from "./error-response.ts";
import { type Exchange, type ResponseSink, type SocketEnd, typeOf } from "./exchange.ts";
import { contentLength } from "./response-head.ts";

/** In development an error response waits so long for its stack to be mapped. */
const MAPPING_MS: Milliseconds = 5000;

const EMPTY = new Uint8Array(0);

export interface AnswerSettings {
	exchange: Exchange;
	sink: ResponseSink;
	/** What the client would have an error as: the value of its Accept header. */
	accept: string;
	/** Maps the stacks of errors that are shown; `null` where none are. */
	mapper: StackMapper | null;
}

/** The one response to a request: what its function answers, or an error in its place. */
export class Answer {
	readonly #method: string;
	/** Whether a function has called another one's method. */
	readonly #called: boolean;
	readonly #sink: ResponseSink;
	readonly #accept: string;
	readonly #mapper: StackMapper | null;
	#invocation!: Invocation;
	/** How long the body has to be, where its head says that. */
	#length: Bytes | null = null;
	/** Nothing of it was sent, its body is being sent, or nothing more of it will be. */
	state: "waiting" | "streaming" | "over" = "waiting";
	/** An error response is being made. */
	making: Promise<void> | null = null;

	constructor({ exchange, sink, accept, mapper }: AnswerSettings) {
		this.#method = exchange.method;
		this.#sink = sink;
		this.#accept = accept;
		this.#called = typeOf(exchange) === "rpc";
		this.#mapper = this.#called ? null : mapper;
	}

	/** What the client has not taken is held on the invocation's account. Called before anything is given. */
	begin(invocation: Invocation): void {
		this.#invocation = invocation;
		this.#sink.account = invocation.account;
	}

	/**
	 * Gives a response whose head can be sent: whole, or what comes before its body. Throws where it cannot be sent
	 * after all.
	 */
	give(head: ResponseHead, body: Uint8Array | null): void {
		const { record } = this.#invocation.recording;
		try {
			if (head.body === "stream") {
				this.state = "streaming";
				if (this.#method !== "HEAD") this.#length = contentLength(head);
				this.#sink.begin(head);
			} else {
				this.state = "over";
				const sent = head.body === "none" ? null : (body ?? EMPTY);
				this.#sink.respond(head, sent);
				record.responseBytes = sent?.byteLength ?? 0;
			}
			record.status = head.status;
		} catch (error) {
			this.state = "waiting";
			throw error;
		}
	}

	/** Switches to a WebSocket. `end` is the function's, the result the client's. Throws where that cannot be. */
	upgrade(head: ResponseHead, end: SocketEnd): SocketEnd {
		const socket = this.#sink.upgrade(head, end);
		this.state = "streaming";
		this.#invocation.recording.record.status = head.status;
		return socket;
	}

	/**
	 * More of the body; `taken` is called when the client has it. Returns whether that is no more than its head says:
	 * whoever reads on where a body ends that is not as long as it says would take what follows for another response.
	 */
	write(bytes: Uint8Array, taken: () => void): boolean {
		const { record } = this.#invocation.recording;
		record.responseBytes += bytes.byteLength;
		if (this.#length !== null && record.responseBytes > this.#length) return this.#wrongLength();
		this.#invocation.account.hold(bytes.byteLength);
		this.#sink.write(bytes, taken);
		return true;
	}

	/** The end of the body. Returns whether it is as long as its head says. */
	end(): boolean {
		if (this.#length !== null && this.#invocation.recording.record.responseBytes < this.#length)
			return this.#wrongLength();
		this.state = "over";
		this.#sink.end();
		return true;
	}

	#wrongLength(): false {
		const message = `the response's body has not the ${this.#length} bytes of its Content-Length`;
		this.fail(new FunctionError("invalid_response", message));
		return false;
	}

	/** Ends with an error: as an error response, or by breaking off what has begun. */
	fail(error: FunctionError): void {
		const { state } = this;
		this.state = "over";
		if (state === "streaming") this.#sink.cut();
		else if (state === "waiting") {
			if (this.#mapper === null) this.#give(error, null);
			else this.making = this.#giveWithSource(error, this.#mapper);
		}
		this.#invocation.recording.failed(error);
	}

	#give(error: FunctionError, detail: ErrorDetail | null): void {
		const { record } = this.#invocation.recording;
		const { head, body } = this.#called
			? callFailure(error)
			: errorResponse(error, record.requestId, this.#accept, detail);
		record.status = head.status;
		record.responseBytes = body.byteLength;
		head.headers.push("x-atoll-request-id", record.requestId);
		this.#sink.respond(head, body);
	}

	/** In development: with the stack, mapped into the source. */
	async #giveWithSource(error: FunctionError, mapper: StackMapper): Promise<void> {
		const { functionStack: stack } = error;
		const late = Promise.withResolvers<null>();
		const timer = setTimeout(() => late.resolve(null), MAPPING_MS);
		const mapping = StackMapper.concerns(stack, this.#invocation.version)
			? mapper.map(stack, this.#invocation.version)
			: null;
		const mapped = await Promise.race([mapping, late.promise]);
		clearTimeout(timer);
		// Its client may have gone meanwhile.
		if (this.making !== null) this.#give(error, { stack: mapped?.text ?? stack, excerpt: mapped?.excerpt ?? null });
		this.making = null;
	}

	/** Nobody is left to answer. */
	abandon(): void {
		this.state = "over";
		this.making = null;
	}

	/** Breaks off, whatever was sent. */
	cut(): void {
		this.abandon();
		this.#sink.cut();
	}

	/** Drops what was sent and its client has not taken. */
	drop(): void {
		if (this.state !== "waiting") this.#sink.drop();
	}

	/** The request is over: all that is still held is what its client has not taken. */
	settle(): void {
		this.#sink.settle();
	}
}
