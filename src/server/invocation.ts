import { Effects, type Fetcher } from "../bindings/effects.ts";
import type { Version } from "../control/version.ts";
import { FunctionError } from "../errors.ts";
import type { StackMapper } from "../helpers/stack-mapper.ts";
import type { Account, Holder } from "../limits/account.ts";
import { Admission } from "../limits/admission.ts";
import type { Limits } from "../limits/limits.ts";
import type { Recycles } from "../limits/recycles.ts";
import type { RequestHead, ResponseHead } from "../link/messages.ts";
import type { AttemptFailure, AttemptReport } from "../link/protocol.ts";
import type { Guard, Guarded } from "../observe/guard.ts";
import type { Trigger } from "../observe/record.ts";
import type { Attempt, AttemptOwner } from "../pool/attempt.ts";
import { placementOf } from "../pool/placement.ts";
import type { SandboxPool } from "../pool/pool.ts";
import type { Bytes } from "../units.ts";
import { Answer } from "./answer.ts";
import { type Exchange, KEPT_BODY, type ResponseSink, type SocketEnd } from "./exchange.ts";
import { Recording, type RecordingContext } from "./recording.ts";
import { isStream, ReplayableBody } from "./replayable-body.ts";
import { sendableHead } from "./response-head.ts";

/** A request is started at most so often where its sandbox is lost each time. */
const MAX_ATTEMPTS = 3;
/** Being moved away from behind a long turn is not its fault, and may happen so often on top. */
const MAX_MOVES = 5;

/**
 * What a request has the edge hold beside its body: its objects, and for each letter and each part of its head so
 * much.
 */
const REQUEST_BYTES: Bytes = 4096;
const LETTER_BYTES: Bytes = 2;
const PART_BYTES: Bytes = 48;

/** What an invocation needs of the runtime. */
export interface InvocationContext extends RecordingContext {
	pool: SandboxPool;
	guard: Guard;
	mapper: StackMapper;
	recycles: Recycles;
	/** Does the subrequests that a request at a tenant's function makes. */
	fetcher(parent: Exchange, caller: Version): Fetcher;
	/** Whether errors are shown with their stacks. */
	development: boolean;
	/** Called once for each invocation: when everything that it started is done, or its client has gone. */
	ended(invocation: Invocation): void;
}

/** A request for a function, and where its response goes. */
export interface Invoked {
	version: Version;
	exchange: Exchange;
	sink: ResponseSink;
	requestId: string;
	trigger: Trigger;
	/** The value of its Accept header, for errors. */
	accept: string;
}

/** One request at one function, from its arrival until everything that it started is done. */
export class Invocation implements AttemptOwner, Guarded, Holder {
	readonly #context: InvocationContext;
	readonly #version: Version;
	readonly #exchange: Exchange;
	readonly #recording: Recording;
	readonly #answer: Answer;
	readonly #head: string;
	readonly #stream: ReplayableBody | null;
	/** What the edge holds for this request and its response. */
	readonly #account: Account;
	/** How much of that is the request itself. */
	readonly #requestBytes: Bytes;
	#admission: Admission | null = null;
	#attempt: Attempt | null = null;
	/** The client's end of the WebSocket that the function has answered with. */
	#socket: SocketEnd | null = null;
	#effects: Effects | null = null;
	#released = false;
	/** It has proven too heavy for the normal lane. */
	#heavy = false;
	/** How often its sandbox, or its isolate, was lost under it. */
	#losses = 0;
	#timer: NodeJS.Timeout | null = null;

	constructor(context: InvocationContext, { version, exchange, sink, requestId, trigger, accept }: Invoked) {
		this.#context = context;
		this.#version = version;
		this.#exchange = exchange;
		this.#recording = new Recording(context, version, exchange, requestId, trigger);
		const { method, url, headers, body, client } = exchange;
		const stream = isStream(body);
		this.#stream = stream
			? new ReplayableBody(body, (bytes) => {
					this.#recording.record.requestBytes += bytes;
					this.#timer?.refresh();
				})
			: null;
		const mode = body === null ? "none" : stream ? "stream" : "whole";
		const head: RequestHead = { method, url, headers, body: mode, client };
		this.#head = JSON.stringify(head);
		this.#account = version.account.for(this);
		const settings = { version, exchange, sink, accept, recording: this.#recording, account: this.#account };
		this.#answer = new Answer({ ...settings, mapper: context.development ? context.mapper : null });
		const kept = body === null ? 0 : stream ? KEPT_BODY : body.byteLength;
		this.#requestBytes = REQUEST_BYTES + this.#head.length * LETTER_BYTES + headers.length * PART_BYTES + kept;
	}

	start(): void {
		this.#context.guard.run(this, () => {
			const refusal = this.#refusal();
			if (refusal === null) this.#ask();
			else this.#refuse(refusal);
		});
	}

	#ask(): void {
		this.#account.hold(this.#requestBytes);
		this.#startTimer();
		this.#admission = new Admission(
			this.#version.gates,
			() => this.#run(),
			() => this.#refuse(overloaded("too many requests wait already", 1)),
		);
		this.#admission.ask();
	}

	#refusal(): FunctionError | null {
		const now = Date.now();
		const refusal = this.#version.refusal(now);
		if (refusal !== null) return refusal;
		const wait = this.#context.recycles.remaining(now);
		return wait > 0 && this.#version.suspect(now)
			? overloaded("functions have cost too many sandboxes within a minute, and this one is not proven", wait / 1000)
			: null;
	}

	#refuse(error: FunctionError): void {
		this.#answer.fail(error);
		this.#finish();
	}

	#startTimer(): void {
		const { guard } = this.#context;
		this.#timer = setTimeout(() => guard.run(this, () => this.#tooLate()), this.#version.limits.wallMs);
	}

	/** It may be another request's end that lets this one begin. */
	#run(): void {
		this.#context.guard.run(this, () => this.#attemptOnce());
	}

	#attemptOnce(): void {
		const { limits } = this.#version;
		const { pool } = this.#context;
		const placement = placementOf(this.#version, this.#heavy);
		const { lane } = placement;
		this.#recording.record.attempts++;
		this.#effects = new Effects({
			fetcher: this.#context.fetcher(this.#exchange, this.#version),
			limits,
			account: this.#account,
			onExceeded: (limit, message) => this.#recording.exceeded(limit, message),
		});
		const sandbox = pool.home(this.#version, placement);
		if (sandbox === null) {
			this.#refuse(overloaded(lane === "probation" ? "another function is on probation" : "no sandbox has started", 1));
			return;
		}
		this.#attempt = sandbox.attempt(this.#version, this, this.#effects);
		const { body } = this.#exchange;
		// A turn may be cut early only where its request can surely be run again, and there is a heavy lane to run it in.
		const light = lane === "normal" && pool.hasLanes && this.#stream === null;
		this.#attempt.start(limits.cpuMs, light, this.#head, this.#stream === null ? body : this.#stream.read());
	}

	#tooLate(): void {
		const { wallMs } = this.#version.limits;
		const what =
			this.#attempt === null
				? "had no room for the request"
				: this.#answer.state === "waiting"
					? "did not answer"
					: this.#answer.state === "streaming"
						? "sent nothing more of its response"
						: "did not finish its waitUntil()";
		this.#answer.fail(new FunctionError("wall_time_exceeded", `the function ${what} for ${wallMs} ms`));
		if (this.#attempt === null) this.#finish();
		else this.#attempt.revoke();
	}

	/** The client has gone. The function hears of it through `request.signal`, and may still finish its `waitUntil`. */
	abort(): void {
		if (this.#recording.finished) return;
		this.#context.guard.run(this, () => {
			this.#recording.outcome("client_gone");
			this.#answer.abandon();
			this.#release();
			if (this.#attempt === null) this.#finish();
			else this.#attempt.abort();
		});
	}

	describe(): object {
		const { requestId, function: name } = this.#recording.record;
		return { requestId, function: name };
	}

	/** Ends all that there is of the request. */
	cut(): void {
		if (this.#recording.finished) return;
		this.#recording.outcome("internal_error");
		this.#answer.abandon();
		this.#finish();
		try {
			this.#answer.cut();
		} finally {
			this.#attempt?.revoke();
		}
	}

	/** It has the edge hold more than there is room for. */
	giveUp(): void {
		this.#answer.drop();
		if (this.#recording.finished) return;
		this.#answer.fail(overloaded("the function, or its tenant, has too much held for it and its clients", 1));
		if (this.#attempt === null) this.#finish();
		else this.#attempt.revoke();
	}

	/** The runtime closes, and waits for it no longer. */
	shutDown(): void {
		if (this.#recording.finished) return;
		this.#answer.fail(new FunctionError("shutting_down"));
		if (this.#attempt === null) this.#finish();
		else this.#attempt.revoke();
	}

	#release(): void {
		if (!this.#released) this.#context.ended(this);
		this.#released = true;
	}

	// What follows is told by the attempt.

	/**
	 * Nothing of the response has been sent, all of the request is still there, and either nothing was done that it would do
	 * again or its method says that this does no harm (https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2).
	 */
	mayRunAgain(hasEffects: boolean): boolean {
		return (
			this.#answer.state === "waiting" &&
			(!hasEffects || IDEMPOTENT.has(this.#exchange.method)) &&
			this.#recording.record.attempts < MAX_ATTEMPTS + MAX_MOVES &&
			(this.#stream?.replayable ?? true)
		);
	}

	onMoved(): void {
		this.#run();
	}

	onForgery(): void {
		this.#version.strike(Date.now());
	}

	onCulprit(): void {
		const now = Date.now();
		this.#version.strike(now);
		this.#context.recycles.note(now);
	}

	onResponse(given: ResponseHead, body: Uint8Array | null): void {
		if (this.#answer.state !== "waiting") return;
		this.#timer?.refresh();
		try {
			const { requestId } = this.#recording.record;
			const head = sendableHead(given, { method: this.#exchange.method, requestId });
			if (head.status === 101) this.#upgrade(head, head.socket as number);
			else this.#answer.give(head, body);
		} catch (error) {
			if (Number.isInteger(given.socket)) this.#attempt?.socketClose(given.socket as number, 1006, "");
			this.#answer.fail(new FunctionError("invalid_response", (error as Error).message));
		}
	}

	/** From here on messages come and go until one side closes; a WebSocket may stand idle for as long as it likes. */
	#upgrade(head: ResponseHead, op: number): void {
		this.#socket = this.#answer.upgrade(head, {
			message: (data) => this.#attempt?.socketMessage(op, data),
			taken: () => undefined,
			close: (code, reason) => {
				if (this.#recording.finished) return;
				this.#answer.abandon();
				this.#startTimer();
				this.#attempt?.socketClose(op, code, reason);
			},
		});
		if (this.#timer !== null) clearTimeout(this.#timer);
	}

	onSocketMessage(data: string | Uint8Array): void {
		this.#recording.record.responseBytes += data.length;
		this.#socket?.message(data);
	}

	onSocketTaken(bytes: number): void {
		this.#socket?.taken(bytes);
	}

	onSocketClose(code: number, reason: string): void {
		this.#socket?.close(code, reason);
	}

	onChunk(bytes: Uint8Array): void {
		if (this.#answer.state !== "streaming") return;
		const { guard } = this.#context;
		if (!this.#answer.write(bytes, () => guard.run(this, () => this.#taken(bytes.byteLength)))) this.#attempt?.revoke();
	}

	/** The client has taken so much of the response, and gets more as fast as its function may stream. */
	#taken(size: Bytes): void {
		const { guard } = this.#context;
		this.#account.release(size);
		const wait = this.#version.streaming.take(size, performance.now());
		if (wait < 1) this.#credit(size);
		else setTimeout(() => guard.run(this, () => this.#credit(size)), wait).unref();
	}

	#credit(size: Bytes): void {
		this.#timer?.refresh();
		this.#attempt?.credit(size);
	}

	onEnd(failure: string): void {
		if (this.#answer.state !== "streaming") return;
		if (failure !== "")
			this.#answer.fail(new FunctionError("exception", "the response's stream failed", { stack: failure }));
		else if (!this.#answer.end()) this.#attempt?.revoke();
	}

	onException({
		code,
		message,
		stack,
	}: {
		code: "exception" | "invalid_response";
		message: string;
		stack: string;
	}): void {
		this.#answer.fail(
			new FunctionError(code === "invalid_response" ? code : "exception", String(message), { stack: String(stack) }),
		);
	}

	onLog(text: string): void {
		this.#recording.line(text);
	}

	onExceeded(limit: keyof Limits): void {
		this.#recording.exceeded(limit, `the request has reached its limit of ${this.#version.limits[limit]} ${limit}`);
	}

	onDone(report: AttemptReport): void {
		this.#recording.note(report);
		this.#version.pace.note(report.light);
		if (report.cold) this.#version.backoff.succeeded();
		// The isolate says that it is done, but never answered: its prelude no longer does what it should.
		if (this.#answer.state !== "over")
			this.#answer.fail(new FunctionError("invalid_response", "the function ended without a response"));
		this.#finish();
	}

	onFailed({ code, message, stack }: AttemptFailure, report: AttemptReport): void {
		this.#recording.note(report);
		const { pace } = this.#version;
		if (code === "too_heavy") {
			// The first turn of a cold isolate says little of those after it; and one that was light has only waited for a core.
			if (report.cold) pace.note(report.light);
			else if (!report.light) pace.cut();
			this.#heavy = true;
			this.#run();
			return;
		}
		if (code === "isolate_lost") {
			this.onLost(false);
			return;
		}
		pace.note(false); // However little it used before it failed: what cannot start has not proven light.
		const error = new FunctionError(code === "forged" ? "invalid_response" : code, message, { stack });
		if (
			code === "startup_failed" ||
			code === "startup_cpu_limit_exceeded" ||
			(code === "memory_limit_exceeded" && !report.cold && report.cpuUs === 0)
		) {
			this.#version.backoff.failed(Date.now());
			this.#version.startFailure = error;
		}
		this.#refuse(error);
	}

	onLost(running: boolean): void {
		this.#losses++;
		const again = !running && this.#losses < MAX_ATTEMPTS && this.mayRunAgain(this.#attempt?.hasEffects ?? false);
		if (again) this.#run();
		else this.#refuse(new FunctionError("sandbox_lost", undefined, { retryAfter: 1 }));
	}

	onBodyFailure(error: Error): void {
		this.#answer.fail(
			error instanceof FunctionError ? error : new FunctionError("bad_request", "The request's body broke off."),
		);
		this.#attempt?.revoke();
	}

	onFault(error: unknown): void {
		this.#context.guard.fault(this, error);
	}

	#finish(): void {
		if (this.#recording.finished) return;
		if (this.#timer !== null) clearTimeout(this.#timer);
		const { making } = this.#answer;
		if (making !== null) {
			void making.then(() => this.#finish());
			return;
		}
		this.#recording.finish(this.#effects?.count ?? 0);
		this.#stream?.close();
		this.#account.release(this.#requestBytes);
		this.#answer.settle();
		this.#release();
		this.#admission?.end();
	}
}

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

function overloaded(message: string, retryAfter: number): FunctionError {
	return new FunctionError("overloaded", message, { retryAfter });
}
