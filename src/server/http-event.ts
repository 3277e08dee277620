import { FunctionError } from "../errors.ts";
import { decodedFailure, EVENT_BYTES, type InvocationEvent, LETTER_BYTES } from "../invocation/event.ts";
import type { Invocation } from "../invocation/invocation.ts";
import { decodeResponseHead } from "../link/heads.ts";
import { Kind, type RequestHead, type ResponseHead } from "../link/messages.ts";
import type { Outgoing } from "../link/outgoing.ts";
import { encodeRequestHead } from "../link/request-head.ts";
import { encodeServiceHead } from "../link/service-head.ts";
import { decodeSocketClose } from "../link/socket-close.ts";
import type { RequestOrigin } from "../observe/record.ts";
import { type TraceContext, traceIn } from "../observe/trace-context.ts";
import type { Bytes } from "../units.ts";
import { Answer, type AnswerSettings } from "./answer.ts";
import { type Exchange, KEPT_BODY, methodOf, type SocketEnd, typeOf } from "./exchange.ts";
import { FunctionSocket } from "./function-socket.ts";
import { isStream, ReplayableBody } from "./replayable-body.ts";
import { sendableHead } from "./response-head.ts";

/** What is handed on, without having entered the isolate, costs the edge so much less that it may be so much faster. */
const HANDED_ON = 4;

/** What a request has the edge hold for each part of its head, beside what any event has it hold. */
const PART_BYTES: Bytes = 48;

/** Methods whose requests do no harm when they are run again: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2 */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** A request as the event that a function is called with, and its response, or the WebSocket that it becomes. */
export class HttpEvent implements InvocationEvent {
	readonly type: string;
	readonly head: string;
	readonly bytes: Bytes;
	readonly #exchange: Exchange;
	readonly #answer: Answer;
	readonly #stream: ReplayableBody | null;
	#invocation!: Invocation;
	/** The client's end of the WebSocket that the function has answered with. */
	#socket: SocketEnd | null = null;

	constructor(settings: AnswerSettings) {
		const { exchange } = settings;
		this.#exchange = exchange;
		this.type = typeOf(exchange);
		this.#answer = new Answer(settings);
		const { method, url, headers, body, client, asked } = exchange;
		const stream = isStream(body);
		this.#stream = stream ? new ReplayableBody(body, (bytes) => this.#received(bytes)) : null;
		const mode = body === null ? "none" : stream ? "stream" : "whole";
		const head: RequestHead = { method, url, headers, body: mode, client };
		this.head = asked === null ? encodeRequestHead(head) : encodeServiceHead(head, asked);
		const kept = body === null ? 0 : stream ? KEPT_BODY : body.byteLength;
		this.bytes = EVENT_BYTES + this.head.length * LETTER_BYTES + headers.length * PART_BYTES + kept;
	}

	begin(invocation: Invocation): void {
		this.#invocation = invocation;
		this.#answer.begin(invocation);
		const exchange = this.#exchange;
		const { hostname, body } = exchange;
		const { record } = invocation.recording;
		record.hostname = hostname;
		record.method = methodOf(exchange);
		if (this.type === "http") record.url = exchange.url;
		if (body instanceof Uint8Array) record.requestBytes = body.byteLength;
	}

	/** More of the body has come in. What comes over a connection was bounded there already. */
	#received(bytes: Bytes): void {
		const { recording, version } = this.#invocation;
		this.#invocation.received(bytes);
		if (recording.record.requestBytes > version.function.requestBodyBytes) throw new FunctionError("body_too_large");
	}

	get origin(): RequestOrigin | null {
		return this.type === "http" ? this.#exchange : null;
	}

	get trace(): TraceContext | null {
		return traceIn(this.#exchange.headers);
	}

	get chain() {
		return this.#exchange.chain;
	}

	content(): Uint8Array | AsyncIterable<Uint8Array> | null {
		return this.#stream === null ? this.#exchange.body : this.#stream.read();
	}

	get streams(): boolean {
		return this.#stream !== null;
	}

	get over(): boolean {
		return this.#answer.state === "over";
	}

	get missing(): string {
		const { state } = this.#answer;
		if (state === "waiting") return "did not answer";
		return state === "streaming" ? "sent nothing more of its response" : "did not finish its waitUntil()";
	}

	get making(): Promise<void> | null {
		return this.#answer.making;
	}

	/**
	 * Nothing of the response has been sent, all of the request is still there, and either nothing was done that it
	 * would do again or its method says that this does no harm.
	 */
	repeatable(hasEffects: boolean): boolean {
		return (
			this.#answer.state === "waiting" &&
			(!hasEffects || IDEMPOTENT.has(this.#exchange.method)) &&
			(this.#stream?.replayable ?? true)
		);
	}

	fail(error: FunctionError): void {
		this.#answer.fail(error);
	}

	abandon(): void {
		this.#answer.abandon();
	}

	cut(): void {
		this.#answer.cut();
	}

	drop(): void {
		this.#answer.drop();
	}

	settle(): void {
		this.#stream?.close();
		this.#answer.settle();
	}

	hear({ kind, text, data }: Outgoing): void {
		switch (kind) {
			case Kind.response:
				this.#respond(decodeResponseHead(text), (data as Uint8Array | undefined) ?? null);
				break;
			case Kind.body:
				this.#more(data as Uint8Array);
				break;
			case Kind.end:
				this.#end(text);
				break;
			case Kind.exception:
				if (!this.over) this.#answer.fail(decodedFailure(text, data as Uint8Array | undefined));
				break;
			case Kind.socket:
				this.#say((data as Uint8Array | undefined) ?? text);
				break;
			case Kind.credit:
				this.#socket?.taken(data as number);
				break;
			case Kind.socketClose: {
				const { code, reason } = decodeSocketClose(text);
				this.#socket?.close(code, reason);
				break;
			}
			default:
				this.#invocation.refuseForgery();
		}
	}

	#respond(given: ResponseHead, body: Uint8Array | null): void {
		const { attempt } = this.#invocation;
		if (given.socket !== undefined && attempt !== null) attempt.socket = given.socket;
		if (this.#answer.state !== "waiting") return;
		this.#invocation.refresh();
		try {
			const { requestId } = this.#invocation.recording.record;
			const head = sendableHead(given, { method: this.#exchange.method, requestId });
			if (head.status === 101) this.#upgrade(head);
			else this.#answer.give(head, body);
		} catch (error) {
			if (given.socket !== undefined) attempt?.socketClose(1006, "");
			this.#answer.fail(new FunctionError("invalid_response", (error as Error).message));
		}
	}

	/** From here on messages come and go until one side closes; a WebSocket may stand idle for as long as it likes. */
	#upgrade(head: ResponseHead): void {
		this.#socket = this.#answer.upgrade(head, new FunctionSocket(this.#invocation));
		this.#invocation.stopTimer();
	}

	#say(data: string | Uint8Array): void {
		this.#invocation.recording.record.responseBytes += data.length;
		this.#socket?.message(data);
	}

	/** Whether a response's body is being given: a WebSocket has none. */
	get #streams(): boolean {
		return this.#socket === null && this.#answer.state === "streaming";
	}

	#more(bytes: Uint8Array): void {
		if (!this.#streams) return;
		const { guard, attempt } = this.#invocation;
		const taken = () => guard.run(this.#invocation, () => this.#taken(bytes.byteLength));
		if (!this.#answer.write(bytes, taken)) attempt?.revoke();
	}

	/** The client has taken so much of the response, and gets more as fast as its function may stream. */
	#taken(size: Bytes): void {
		const { guard, account, version } = this.#invocation;
		account.release(size);
		const counted = this.#invocation.attempt?.handsOn ? size / HANDED_ON : size;
		const wait = version.function.streaming.take(counted, performance.now());
		if (wait < 1) this.#credit(size);
		else setTimeout(() => guard.run(this.#invocation, () => this.#credit(size)), wait).unref();
	}

	#credit(size: Bytes): void {
		this.#invocation.refresh();
		this.#invocation.attempt?.credit(size);
	}

	#end(failure: string): void {
		if (!this.#streams) return;
		if (failure !== "")
			this.#answer.fail(new FunctionError("exception", "the response's stream failed", { stack: failure }));
		else if (!this.#answer.end()) this.#invocation.attempt?.revoke();
	}
}
