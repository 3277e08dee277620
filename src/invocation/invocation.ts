import type { Bound, Caller, Content, OpenBinding, Prepared } from "../bindings/binding.ts";
import { Calls, type CallTracing } from "../bindings/calls.ts";
import { bindingOf } from "../bindings/numbers.ts";
import type { ReleasedVersion } from "../deployments/released-version.ts";
import { FunctionError } from "../errors.ts";
import type { Account, Holder } from "../limits/account.ts";
import { Admission } from "../limits/admission.ts";
import type { Limits } from "../limits/limits.ts";
import { overloaded } from "../limits/overload.ts";
import type { BindingNumber } from "../link/calls.ts";
import type { AttemptFailure, AttemptReport } from "../link/protocol.ts";
import type { Guard, Guarded } from "../observe/guard.ts";
import type { Outcome, Trigger } from "../observe/record.ts";
import type { CallSpan } from "../observe/trace.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { Attempt, AttemptListener } from "../pool/attempt.ts";
import type { Bytes } from "../units.ts";
import type { InvocationEvent } from "./event.ts";
import { Placement, sandboxLost } from "./placement.ts";
import { Recording, type RecordingContext } from "./recording.ts";
import { Retries } from "./retries.ts";

/** What an invocation needs of the runtime. */
export interface InvocationContext extends RecordingContext {
	placement: Placement;
	guard: Guard;
	/** Opens the binding of a number for an event, of those that its function has. */
	openBinding(binding: BindingNumber, bound: readonly Bound[], caller: Caller): OpenBinding | null;
	/** Called once for each invocation: when everything that it started is done, or its client has gone. */
	ended(invocation: Invocation): void;
}

/** An event for a function. */
export interface Invoked {
	version: ReleasedVersion;
	event: InvocationEvent;
	requestId: string;
	trigger: Trigger;
}

/** One event at one function, from its arrival until everything that it started is done. */
export class Invocation implements AttemptListener, CallTracing, Guarded, Holder {
	readonly version: ReleasedVersion;
	readonly event: InvocationEvent;
	readonly recording: Recording;
	/** What the edge holds for this event and what comes of it. */
	readonly account: Account;
	readonly #context: InvocationContext;
	readonly #retries = new Retries();
	/** Where whoever has started it keeps it. */
	place = 0;
	/** The attempt that was made last. */
	attempt: Attempt | null = null;
	#admission: Admission | null = null;
	#calls: Calls | null = null;
	#released = false;
	/** It has proven too heavy for the normal lane. */
	#cut = false;
	#timer: NodeJS.Timeout | null = null;

	constructor(context: InvocationContext, invoked: Invoked) {
		const { version, event } = invoked;
		this.#context = context;
		this.version = version;
		this.event = event;
		this.recording = new Recording(context, invoked);
		this.account = version.function.account.for(this);
		event.begin(this);
	}

	get guard(): Guard {
		return this.#context.guard;
	}

	start(): void {
		this.guard.run(this, () => {
			const refusal = this.#context.placement.refusal(this.version);
			if (refusal === null) this.#ask();
			else this.#refuse(refusal);
		});
	}

	#ask(): void {
		this.account.hold(this.event.bytes);
		this.startTimer();
		this.#admission = new Admission(
			this.version.function.gates,
			() => this.#run(),
			() => this.#refuse(overloaded("too many requests wait already", 1)),
			// Whom another waits for; nobody waits for events of what was stored, however deep they are.
			this.event.chain.total.invocations > 1,
		);
		this.#admission.ask();
	}

	#refuse(error: FunctionError): void {
		this.event.fail(error);
		this.#finish();
	}

	/** Begins to count its `wallMs` from the start. */
	startTimer(): void {
		this.#timer = setTimeout(() => this.guard.run(this, () => this.#tooLate()), this.version.limits.wallMs);
	}

	/** Something moves: its `wallMs` are counted from now. */
	refresh(): void {
		this.#timer?.refresh();
	}

	/** It may take as long as it likes. */
	stopTimer(): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
	}

	/** So much of what comes with the event has come in. */
	received(bytes: Bytes): void {
		this.recording.record.requestBytes += bytes;
		this.refresh();
	}

	/** Tells the function more than came with the event, once it has begun to answer. Rejects where it cannot be told. */
	async tell(content: Content): Promise<void> {
		const { attempt } = this;
		if (attempt === null || this.recording.finished || this.event.over)
			throw new Error("the function is there no longer");
		await attempt.tell(this.#told(content));
	}

	async *#told(content: Content): AsyncGenerator<Uint8Array> {
		for await (const bytes of content instanceof Uint8Array ? [content] : (content ?? [])) {
			this.received(bytes.byteLength);
			if (this.recording.record.requestBytes > this.version.function.requestBodyBytes)
				throw new Error("the function has been told more than it accepts");
			yield bytes;
		}
	}

	/** It may be another event's end that lets this one begin. */
	#run(): void {
		this.guard.run(this, () => this.#attemptOnce());
	}

	#attemptOnce(): void {
		const { limits } = this.version;
		const { placement } = this.#context;
		const place = Placement.of(this.version, this.#cut);
		this.#retries.attempts++;
		this.recording.begun();
		this.recording.trace?.attempt();
		this.#calls = new Calls({
			open: (binding) => this.#context.openBinding(binding, this.version.bindings, this.#caller()),
			limits,
			account: this.account,
			tracing: this,
			onExceeded: (limit, message) => this.recording.exceeded(limit, message),
		});
		// A turn may be cut early only where its event can surely be run again, and there is a heavy lane to run it in.
		const { streams } = this.event;
		const sandbox = placement.sandbox(this.version, place, streams || this.#cut);
		if (sandbox instanceof FunctionError) {
			this.#refuse(sandbox);
			return;
		}
		this.attempt = sandbox.attempt(this, this.#calls);
		const cutMs = streams ? 0 : placement.cutMs(this.version, place, sandbox);
		this.attempt.start(limits.cpuMs, cutMs, this.event.head, this.event.content());
	}

	/** A call of one of its bindings begins: its span, if it is recorded. */
	traceCall(number: BindingNumber, { target, operation = "", request }: Prepared): CallSpan | null {
		const binding = bindingOf(number, this.version.bindings);
		this.recording.called(binding);
		return this.recording.trace?.call({ ...binding, operation, target, http: request ?? null }) ?? null;
	}

	traceOf(call: CallSpan | null): TraceContext {
		return this.recording.traceOf(call?.spanId);
	}

	#caller(): Caller {
		return {
			function: this.version.function,
			tenant: this.version.tenantNumber,
			requestId: this.recording.record.requestId,
			chain: this.event.chain,
			trace: this.recording.parent,
		};
	}

	#tooLate(): void {
		const { wallMs } = this.version.limits;
		const what = this.attempt === null ? "had no room for the request" : this.event.missing;
		this.event.fail(new FunctionError("wall_time_exceeded", `the function ${what} for ${wallMs} ms`));
		this.#end();
	}

	/** Ends it, by way of its attempt if that is under way. */
	#end(): void {
		if (this.attempt === null) this.#finish();
		else this.attempt.revoke();
	}

	/**
	 * The client has gone. The function hears of it through `request.signal`, and may still finish its `waitUntil`. It is
	 * no outcome of its own where the client has had all that it asked for.
	 */
	abort(outcome: Outcome = "client_gone"): void {
		if (this.recording.finished) return;
		this.guard.run(this, () => {
			this.recording.outcome(outcome);
			this.event.abandon();
			this.#release();
			if (this.attempt === null) this.#finish();
			else this.attempt.abort();
		});
	}

	describe(): object {
		const { requestId, function: name } = this.recording.record;
		return { requestId, function: name };
	}

	/** Ends all that there is of it. */
	cut(): void {
		if (this.recording.finished) return;
		this.recording.outcome("internal_error");
		this.event.abandon();
		this.#finish();
		try {
			this.event.cut();
		} finally {
			this.attempt?.revoke();
		}
	}

	/** It has the edge hold more than there is room for. */
	giveUp(): void {
		this.event.drop();
		if (this.recording.finished) return;
		this.event.fail(overloaded("the function, or its tenant, has too much held for it and its clients", 1));
		this.#end();
	}

	refuseForgery(what = "gave what is no answer to its event"): void {
		this.onForgery();
		this.event.fail(new FunctionError("invalid_response", `the function ${what}`));
		this.#end();
	}

	/** The runtime closes, and waits for it no longer. */
	shutDown(): void {
		if (this.recording.finished) return;
		this.event.fail(new FunctionError("shutting_down"));
		this.#end();
	}

	#release(): void {
		if (!this.#released) this.#context.ended(this);
		this.#released = true;
	}

	// What follows is told by the attempt.

	mayRunAgain(hasEffects: boolean): boolean {
		return this.#retries.left && this.event.repeatable(hasEffects);
	}

	onMoved(): void {
		this.#run();
	}

	onForgery(): void {
		this.#context.placement.forged(this.version);
	}

	onCulprit(): void {
		this.#context.placement.culprit(this.version);
	}

	onLog(text: string): void {
		this.recording.line(text);
	}

	onExceeded(limit: keyof Limits): void {
		this.recording.exceeded(limit, `the request has reached its limit of ${this.version.limits[limit]} ${limit}`);
	}

	onDone(report: AttemptReport): void {
		this.recording.note(report);
		this.#context.placement.done(this.version, report);
		// The isolate says that it is done, but never answered: its prelude no longer does what it should.
		if (!this.event.over)
			this.event.fail(new FunctionError("invalid_response", "the function ended without a response"));
		this.#finish();
	}

	onFailed(failure: AttemptFailure, report: AttemptReport): void {
		this.recording.note(report);
		const next = this.#context.placement.failed(this.version, failure, report);
		if (next === "cut") {
			this.#cut = true;
			this.#run();
		} else if (next instanceof FunctionError) this.#refuse(next);
		else this.#runAgain(true, next.otherwise);
	}

	onLost(running: boolean): void {
		this.#runAgain(!running, sandboxLost());
	}

	/** The attempt was lost: another one takes its place, if it may, or the event ends with this error. */
	#runAgain(may: boolean, otherwise: FunctionError): void {
		const again = this.#retries.lose() && may && this.event.repeatable(this.attempt?.hasEffects ?? false);
		if (again) this.#run();
		else this.#refuse(otherwise);
	}

	onBodyFailure(error: Error): void {
		this.event.fail(
			error instanceof FunctionError ? error : new FunctionError("bad_request", "The request's body broke off."),
		);
		this.attempt?.revoke();
	}

	onFault(error: unknown): void {
		this.guard.fault(this, error);
	}

	#finish(): void {
		if (this.recording.finished) return;
		this.stopTimer();
		const { making } = this.event;
		if (making !== null) {
			void making.then(() => this.#finish());
			return;
		}
		this.recording.finish(this.#retries.attempts, this.#calls?.count ?? 0);
		this.account.release(this.event.bytes);
		this.event.settle();
		this.#release();
		this.#admission?.end();
	}
}
