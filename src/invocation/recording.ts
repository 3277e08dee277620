import type { Bound } from "../bindings/binding.ts";
import type { ReleasedVersion } from "../deployments/released-version.ts";
import type { ErrorCode, FunctionError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import { decodeLine, lineBytes } from "../link/line.ts";
import type { AttemptReport } from "../link/protocol.ts";
import { InOrder } from "../observe/in-order.ts";
import type { Observer } from "../observe/observer.ts";
import {
	type EventOrigin,
	type InvocationRecord,
	type LogLine,
	newRecord,
	type Outcome,
	type Trigger,
} from "../observe/record.ts";
import { addBindingCall } from "../observe/tally.ts";
import type { Trace } from "../observe/trace.ts";
import { newSpanId, type TraceContext } from "../observe/trace-context.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { Milliseconds } from "../units.ts";
import type { InvocationEvent } from "./event.ts";
import type { FunctionLog } from "./function-log.ts";

/** The limit whose excess an error tells of. */
const LIMIT_OF: Partial<Record<ErrorCode, keyof Limits>> = {
	cpu_limit_exceeded: "cpuMs",
	memory_limit_exceeded: "memoryMb",
	startup_cpu_limit_exceeded: "startupCpuMs",
	wall_time_exceeded: "wallMs",
	body_too_large: "requestBodyBytes",
};

/** Where invocations are recorded. */
export interface RecordingContext {
	observer: Observer;
	log: FunctionLog;
	/** An invocation is over, whose memory over its time was so much, in MB times milliseconds. */
	used(record: InvocationRecord, memoryMbMs: number): void;
	tracer: Tracer;
}

/** What a record says from its start. */
export interface RecordingStart {
	version: ReleasedVersion;
	event: Pick<InvocationEvent, "type" | "origin" | "trace" | "links">;
	requestId: string;
	trigger: Trigger;
}

/** What is told of an invocation: the record that it will leave, and the lines that it logs on the way. */
export class Recording {
	readonly #context: RecordingContext;
	readonly #version: ReleasedVersion;
	readonly #origin: EventOrigin | null;
	readonly #started = performance.now();
	/** When it was let in; `null` as long as it waits. */
	#began: Milliseconds | null = null;
	/** Made with the first line: most requests have none. */
	#order: InOrder | null = null;
	readonly record: InvocationRecord;
	/** Where its event stood in its trace; `null` where it begins one. */
	readonly parent: TraceContext | null;
	/** Its spans; `null` where it is not recorded. */
	readonly trace: Trace | null;
	#logBytes = 0;
	finished = false;

	constructor(context: RecordingContext, { version, event, requestId, trigger }: RecordingStart) {
		this.#context = context;
		this.#version = version;
		this.#origin = event.origin;
		this.record = newRecord(requestId, event.type, trigger);
		this.record.tenant = version.function.tenant;
		this.record.function = version.function.name;
		this.record.version = version.id;
		this.parent = event.trace;
		this.record.traceId = context.tracer.traceId(event.trace);
		this.record.spanId = newSpanId();
		this.trace = context.tracer.begin(this.record, { parent: event.trace, links: event.links ?? [] });
	}

	/** A binding is called; globals have no name. */
	called({ name, type }: Pick<Bound, "name" | "type">): void {
		const { record } = this;
		if (Object.isFrozen(record.bindingCalls)) record.bindingCalls = {};
		addBindingCall(record.bindingCalls, name === "" ? type : name, 1);
	}

	/** An attempt begins. */
	begun(): void {
		this.#began ??= performance.now();
	}

	/** A console line of the function, as its isolate sent it. */
	line(text: string): void {
		const bytes = lineBytes(text);
		this.#logBytes += bytes;
		const { logBytes } = this.#version.limits;
		if (this.#logBytes > logBytes) {
			if (this.#logBytes - bytes <= logBytes)
				this.exceeded("logBytes", `the request logged more than ${logBytes} bytes; the rest is dropped`);
			return;
		}
		const { level, message } = decodeLine(text);
		this.log(level, message);
	}

	/** Writes a line to the function's log. */
	log(level: LogLine["level"], message: string): void {
		const { trace } = this;
		this.#write(level, message, trace && ((line) => trace.line(line)));
	}

	#write(level: LogLine["level"], message: string, onTold: ((line: LogLine) => void) | null): void {
		this.#order ??= new InOrder();
		const line = this.#version.logLine(this.record.requestId, level, message);
		this.#context.log.write(line, this.#version, this.#order, onTold);
	}

	/**
	 * A limit was exceeded, which did not end the request. The log is told once, and the record how often: a function
	 * can ask for thousands of subrequests more than it may have.
	 */
	exceeded(limit: keyof Limits, message: string): void {
		const told = this.record.exceeded[limit] !== undefined;
		this.#count(limit);
		if (!told) this.log("warn", message);
	}

	#count(limit: keyof Limits): void {
		const { exceeded } = this.record;
		exceeded[limit] = (exceeded[limit] ?? 0) + 1;
	}

	/** The request failed. */
	failed(error: FunctionError): void {
		this.outcome(error.code);
		const limit = LIMIT_OF[error.code];
		if (limit !== undefined) this.#count(limit);
		const plain = error.code === "exception" || error.code === "invalid_response";
		const what = error.functionStack || error.message;
		const { trace } = this;
		const message = plain && error.functionStack !== "" ? what : `${error.code}: ${what}`;
		this.#write("error", message, trace && ((line) => trace.exception(line)));
	}

	/** How it ended. The first error is what counts; that the client has gone counts for less than any. */
	outcome(outcome: Outcome): void {
		const { record } = this;
		if (record.outcome === "ok" || record.outcome === "client_gone") record.outcome = outcome;
	}

	/** What an attempt has used. */
	note(report: AttemptReport): void {
		this.record.cpuMs += report.cpuUs / 1000;
		this.record.memoryBytes = report.memoryBytes;
		if (report.cold) {
			this.record.cold = true;
			this.record.startMs = report.startUs / 1000;
			this.trace?.coldStart(this.record.startMs);
		}
	}

	/** Everything that the invocation started is done. Leaves the record, once. */
	finish(attempts: number, subrequests: number): void {
		this.finished = true;
		const { observer } = this.#context;
		const now = performance.now();
		this.record.attempts = attempts;
		this.record.subrequests = subrequests;
		this.record.wallMs = Math.round((now - this.#started) * 1000) / 1000;
		// As hosted clouds bill it: all that it may use, each millisecond that has begun.
		const ms = this.#began === null ? 0 : Math.ceil(now - this.#began);
		this.#context.used(this.record, this.#version.limits.memoryMb * ms);
		this.trace?.end();
		if (!observer.listening && this.trace === null) return;
		if (this.#order?.waiting) this.#order.tell(null, () => this.#tell());
		else this.#tell();
	}

	#tell(): void {
		const { observer, tracer } = this.#context;
		if (observer.listening) observer.record(this.record, this.#origin);
		if (this.trace !== null) tracer.finish(this.trace, this.record);
	}

	/** Where a call of the invocation's goes on in the trace, given the id of its span if that is recorded. */
	traceOf(spanId: string | undefined): TraceContext {
		const { traceId, spanId: own } = this.record;
		const { parent, trace } = this;
		// Where no span is ever told, what comes next is the child of whoever has asked.
		if (parent !== null && !this.#context.tracer.records) return parent;
		return { traceId, spanId: spanId ?? own, sampled: trace !== null, state: parent?.state ?? "" };
	}
}
