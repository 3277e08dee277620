import type { Version } from "../control/version.ts";
import { Effects, type PerformFetch } from "../effects/effects.ts";
import { isHopByHop } from "../effects/hop-by-hop.ts";
import { FunctionError } from "../errors.ts";
import type { AttemptFailure, AttemptReport } from "../isolates/protocol.ts";
import type { Observer } from "../observe/observer.ts";
import type { InvocationRecord, LogLine, Trigger } from "../observe/record.ts";
import type { RequestHead, ResponseHead } from "../prelude/messages.ts";
import type { Attempt, AttemptOwner } from "../sandbox/attempt.ts";
import type { SandboxPool } from "../sandbox/pool.ts";
import { type ErrorDetail, errorResponse } from "./error-response.ts";
import type { Exchange, ResponseSink } from "./exchange.ts";

/** A request is started at most so often: once, and again when its sandbox was lost. */
const MAX_ATTEMPTS = 3;
/** Being moved away from behind a long turn is not its fault, and may happen so often on top. */
const MAX_MOVES = 5;

/** What an invocation needs of the runtime. */
export interface InvocationContext {
	pool: SandboxPool;
	observer: Observer;
	/** Performs subrequests, at the place of the depth at which they are. */
	subrequests: PerformFetch[];
	/** Whether errors are shown with their stacks. */
	development: boolean;
	/** Called once for each invocation: when everything that it started is done, or its client has gone. */
	ended(): void;
}

/** One request at one function, from its arrival until everything that it started is done. */
export class Invocation implements AttemptOwner {
	readonly #context: InvocationContext;
	readonly #version: Version;
	readonly #exchange: Exchange;
	readonly #sink: ResponseSink;
	readonly #accept: string;
	readonly #record: InvocationRecord;
	readonly #started = performance.now();
	readonly #head: string;
	#attempt: Attempt | null = null;
	#effects: Effects | null = null;
	#state: "waiting" | "streaming" | "answered" = "waiting";
	#recorded = false;
	#released = false;
	/** Whether it is among its version's requests in flight. */
	#counts = false;
	#timer: NodeJS.Timeout | null = null;
	#logBytes = 0;

	constructor(
		context: InvocationContext,
		version: Version,
		exchange: Exchange,
		sink: ResponseSink,
		requestId: string,
		trigger: Trigger,
		accept: string,
	) {
		this.#context = context;
		this.#version = version;
		this.#exchange = exchange;
		this.#sink = sink;
		this.#accept = accept;
		const { method, url, headers, body, hostname } = exchange;
		const head: RequestHead = {
			method,
			url,
			headers,
			body: body === null ? "none" : body instanceof Uint8Array ? "whole" : "stream",
		};
		this.#head = JSON.stringify(head);
		this.#record = {
			time: new Date().toISOString(),
			requestId,
			function: version.functionName,
			version: version.id,
			hostname,
			trigger,
			method,
			status: 0,
			outcome: "ok",
			cold: false,
			startMs: 0,
			cpuMs: 0,
			wallMs: 0,
			requestBytes: body instanceof Uint8Array ? body.byteLength : 0,
			responseBytes: 0,
			subrequests: 0,
			memoryBytes: 0,
			attempts: 0,
		};
	}

	start(): void {
		const refusal = this.#version.refusal(Date.now());
		if (refusal !== null) {
			this.#fail(refusal);
			this.#finish();
			return;
		}
		this.#version.inFlight++;
		this.#counts = true;
		this.#timer = setTimeout(() => this.#tooLate(), this.#version.limits.wallMs);
		this.#run();
	}

	#run(): void {
		const { limits, number } = this.#version;
		this.#record.attempts++;
		this.#effects = new Effects(this.#context.subrequests[this.#exchange.depth + 1], limits);
		const { lane } = this.#version;
		const sandbox = this.#context.pool.home(number, lane);
		if (sandbox === null) {
			this.#fail(new FunctionError("overloaded", "another function is on probation", { retryAfter: 1 }));
			this.#finish();
			return;
		}
		this.#attempt = sandbox.attempt(number, this, this.#effects, limits);
		const { body } = this.#exchange;
		this.#attempt.start(
			limits.cpuMs,
			// A turn may be cut early only where its request can be run again, and there is a heavy lane to run it in.
			lane === "normal" && this.#context.pool.hasLanes && (body === null || body instanceof Uint8Array),
			this.#head,
			body === null || body instanceof Uint8Array ? body : this.#counted(body),
		);
	}

	async *#counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		for await (const chunk of body) {
			this.#record.requestBytes += chunk.byteLength;
			this.#timer?.refresh();
			yield chunk;
		}
	}

	#tooLate(): void {
		const { wallMs } = this.#version.limits;
		const what =
			this.#state === "waiting"
				? "did not answer"
				: this.#state === "streaming"
					? "sent nothing more of its response"
					: "did not finish its waitUntil()";
		this.#fail(new FunctionError("wall_time_exceeded", `the function ${what} for ${wallMs} ms`));
		this.#attempt?.revoke();
	}

	/** The client has gone. The function hears of it through `request.signal`, and may still finish its `waitUntil`. */
	abort(): void {
		if (this.#recorded) return;
		if (this.#record.outcome === "ok") this.#record.outcome = "client_gone";
		this.#state = "answered";
		this.#attempt?.abort();
		this.#release();
	}

	#release(): void {
		if (!this.#released) this.#context.ended();
		this.#released = true;
	}

	// What follows is told by the attempt.

	mayRunAgain(): boolean {
		return this.#state === "waiting" && this.#record.attempts < MAX_ATTEMPTS + MAX_MOVES;
	}

	onMoved(): void {
		this.#run();
	}

	onCulprit(): void {
		this.#version.strike(Date.now());
	}

	onResponse(head: ResponseHead, body: Uint8Array | null): void {
		if (this.#state !== "waiting") return;
		this.#timer?.refresh();
		try {
			if (!Number.isInteger(head.status) || head.status < 200 || head.status > 599 || !Array.isArray(head.headers))
				throw new Error(`status ${head.status} cannot be sent`);
			head.headers = responseHeaders(head.headers, this.#record.requestId);
			if (head.body === "stream") {
				this.#state = "streaming";
				this.#sink.begin(head);
			} else {
				this.#state = "answered";
				this.#sink.respond(head, body ?? (head.body === "whole" ? EMPTY : null));
				this.#record.responseBytes = body?.byteLength ?? 0;
			}
			this.#record.status = head.status;
		} catch (error) {
			this.#state = "waiting";
			this.#fail(new FunctionError("invalid_response", (error as Error).message));
		}
	}

	onChunk(bytes: Uint8Array): void {
		if (this.#state !== "streaming") return;
		this.#record.responseBytes += bytes.byteLength;
		this.#sink.write(bytes, () => {
			this.#timer?.refresh();
			this.#attempt?.credit(bytes.byteLength);
		});
	}

	onEnd(failure: string): void {
		if (this.#state !== "streaming") return;
		if (failure === "") {
			this.#state = "answered";
			this.#sink.end();
		} else this.#fail(new FunctionError("exception", "the response's stream failed", { stack: failure }));
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
		this.#fail(
			new FunctionError(code === "invalid_response" ? code : "exception", String(message), { stack: String(stack) }),
		);
	}

	onLog(text: string): void {
		this.#logBytes += text.length;
		const { logBytes } = this.#version.limits;
		if (this.#logBytes > logBytes) {
			if (this.#logBytes - text.length <= logBytes)
				this.#log("warn", `the request logged more than ${logBytes} bytes; the rest is dropped`);
			return;
		}
		const { level, message } = JSON.parse(text) as { level: LogLine["level"]; message: string };
		this.#log(level, message);
	}

	/** Writes a line to the function's log, stacks in it mapped into the source. */
	#log(level: LogLine["level"], message: string): void {
		const { functionName, id } = this.#version;
		this.#context.observer.log({
			time: new Date().toISOString(),
			level,
			function: functionName,
			version: id,
			requestId: this.#record.requestId,
			message: this.#version.hasFrames(message) ? this.#version.mapper.map(message) : message,
		});
	}

	onDone(report: AttemptReport): void {
		this.#note(report);
		this.#version.pace.note(report.light);
		if (report.cold) this.#version.backoff.succeeded();
		// The isolate says that it is done, but never answered: its prelude no longer does what it should.
		if (this.#state !== "answered")
			this.#fail(new FunctionError("invalid_response", "the function ended without a response"));
		this.#finish();
	}

	onFailed({ code, message, stack }: AttemptFailure, report: AttemptReport): void {
		this.#note(report);
		this.#version.pace.note(report.light && code !== "too_heavy");
		if (code === "too_heavy") {
			this.#run();
			return;
		}
		const error = new FunctionError(code, message, { stack });
		if (
			code === "startup_failed" ||
			code === "startup_cpu_limit_exceeded" ||
			(code === "memory_limit_exceeded" && !report.cold && report.cpuUs === 0)
		) {
			this.#version.backoff.failed(Date.now());
			this.#version.startFailure = error;
		}
		this.#fail(error);
		this.#finish();
	}

	onLost(running: boolean): void {
		const replayable = this.mayRunAgain() && !this.#attempt?.hasEffects;
		if (replayable && !running) {
			this.#run();
			return;
		}
		this.#fail(new FunctionError("sandbox_lost", undefined, { retryAfter: 1 }));
		this.#finish();
	}

	onBodyFailure(error: Error): void {
		this.#fail(
			error instanceof FunctionError ? error : new FunctionError("bad_request", "The request's body broke off."),
		);
		this.#attempt?.revoke();
	}

	/** Ends the response with an error: as an error response, or by breaking off what has begun. */
	#fail(error: FunctionError): void {
		const { outcome } = this.#record;
		if (outcome === "ok" || outcome === "client_gone") this.#record.outcome = error.code;
		const state = this.#state;
		this.#state = "answered";
		if (state === "streaming") this.#sink.cut();
		else if (state === "waiting") this.#answer(error);
		const plain = error.code === "exception" || error.code === "invalid_response";
		const what = error.functionStack || error.message;
		this.#log("error", plain && error.functionStack !== "" ? what : `${error.code}: ${what}`);
	}

	#answer(error: FunctionError): void {
		let detail: ErrorDetail | null = null;
		if (this.#context.development) {
			const { functionStack: stack } = error;
			const { mapper } = this.#version;
			detail = { stack: mapper.map(stack), excerpt: mapper.excerpt(stack) };
		}
		const { head, body } = errorResponse(error, this.#record.requestId, this.#accept, detail);
		this.#record.status = head.status;
		this.#record.responseBytes = body.byteLength;
		head.headers.push("x-atoll-request-id", this.#record.requestId);
		this.#sink.respond(head, body);
	}

	#note(report: AttemptReport): void {
		this.#record.cpuMs += report.cpuUs / 1000;
		this.#record.memoryBytes = report.memoryBytes;
		if (report.cold) {
			this.#record.cold = true;
			this.#record.startMs = report.startUs / 1000;
		}
	}

	#finish(): void {
		if (this.#recorded) return;
		this.#recorded = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		if (this.#counts) this.#version.inFlight--;
		const { observer } = this.#context;
		this.#release();
		if (!observer.listening) return;
		this.#record.subrequests = this.#effects?.count ?? 0;
		this.#record.wallMs = Math.round((performance.now() - this.#started) * 1000) / 1000;
		observer.record(this.#record);
	}
}

const EMPTY = new Uint8Array(0);

/** What a client gets of a function's headers: not those of one connection, and the platform's own only from the platform. */
function responseHeaders(headers: string[], requestId: string): string[] {
	const kept = ["x-atoll-request-id", requestId];
	for (let i = 0; i < headers.length; i += 2) {
		const name = headers[i];
		if (typeof name !== "string" || typeof headers[i + 1] !== "string") throw new Error("a header is not a string");
		if (!isHopByHop(name) && !name.startsWith("x-atoll-")) kept.push(name, headers[i + 1]);
	}
	return kept;
}
