import { type Bound, describeBindings } from "../bindings/binding.ts";
import type { Artifact } from "../cache/artifact.ts";
import { FunctionError } from "../errors.ts";
import type { Account } from "../limits/account.ts";
import { Gate } from "../limits/admission.ts";
import { Allowance } from "../limits/allowance.ts";
import { Backoff } from "../limits/backoff.ts";
import type { Limits } from "../limits/limits.ts";
import { Pace } from "../limits/pace.ts";
import { Rate } from "../limits/rate.ts";
import { Strikes } from "../limits/strikes.ts";
import { decodeLine } from "../link/line.ts";
import type { Image, TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { FunctionId } from "../names.ts";
import { InOrder } from "../observe/in-order.ts";
import type { LogLine } from "../observe/record.ts";
import type { Bytes, Microseconds } from "../units.ts";
import type { Tenant } from "./tenant.ts";

/** Where a version's large parts are kept. */
export interface VersionSource {
	/** Its artifact: from disk, or built again where it is no longer whole there. */
	artifact(): Promise<Artifact>;
	/** Its source map, as JSON. Rejects where it is larger than `most`. */
	sourceMap(most: Bytes): Promise<Uint8Array>;
}

/** What a version is made of. */
export interface VersionSettings {
	number: VersionNumber;
	function: FunctionId;
	/** `null` for what counts for itself alone. */
	tenant: Tenant | null;
	id: string;
	limits: Limits;
	env: Record<string, unknown>;
	/** What stands in its `env` beside that; their numbers are their places here, from 1. */
	bindings: readonly Bound[];
	/** An error where the version could not even be built: every request gets it. */
	source: VersionSource | FunctionError;
	/** How long its start took when it was built. */
	startUs: Microseconds;
	/** What the edge holds for its requests is held on this. */
	account: Account;
}

/** One immutable upload of a function. What is large of it stays on disk until somebody needs it. */
export class Version {
	/** Stands for it on the link. */
	readonly number: VersionNumber;
	/** The function that it is a version of. */
	readonly function: FunctionId;
	readonly #tenant: Tenant | null;
	/** Whoever it belongs to: its tenant, or itself, whose number is negative so as not to be a tenant's. */
	readonly tenantNumber: TenantNumber;
	/** Names its content: the artifact's key, shortened. */
	readonly id: string;
	readonly limits: Limits;
	readonly #env: string;
	readonly bindings: readonly Bound[];
	readonly #source: VersionSource | FunctionError;
	readonly backoff = new Backoff();
	readonly pace: Pace;
	readonly #strikes = new Strikes();
	/** How fast its streamed responses leave. */
	readonly streaming: Rate;
	/** What is logged outside of requests, which no request's limit bounds. */
	readonly #strays: Allowance;
	/** What its requests pass before they run: its own gate, then its tenant's. */
	readonly gates: readonly Gate[];
	/** What the edge holds for its requests. */
	readonly account: Account;
	/** What the last failed start told, for requests that come while it is left alone. */
	startFailure: FunctionError | null = null;
	/** The order of the lines that it logs outside of requests. */
	readonly strayOrder = new InOrder();

	constructor({ number, function: of, tenant, id, limits, env, bindings, source, startUs, account }: VersionSettings) {
		this.pace = new Pace(startUs);
		this.number = number;
		this.function = of;
		this.#tenant = tenant;
		this.tenantNumber = tenant?.number ?? -number;
		const gate = new Gate(limits);
		this.gates = tenant === null ? [gate] : [gate, tenant.gate];
		this.account = account;
		this.id = id;
		this.limits = limits;
		this.streaming = new Rate(limits.streamedBytesPerSecond);
		this.#strays = new Allowance(limits.logBytes);
		this.#env = JSON.stringify(env);
		this.bindings = bindings;
		this.#source = source;
	}

	/** Why the version cannot be run now, or `null`. */
	refusal(now: number): FunctionError | null {
		if (this.#source instanceof FunctionError) return this.#source;
		const disabled = Math.max(this.#strikes.remaining(now), this.#tenant?.strikes.remaining(now) ?? 0);
		if (disabled > 0) return new FunctionError("function_quarantined", undefined, { retryAfter: disabled / 1000 });
		const wait = this.backoff.remaining(now);
		if (wait === 0 || this.startFailure === null) return null;
		const { code, message, functionStack } = this.startFailure;
		return new FunctionError(code, message, { stack: functionStack, retryAfter: wait / 1000 });
	}

	/** The version cost a sandbox its life, or has forged a message. */
	strike(now: number): void {
		this.#strikes.strike(now);
		this.#tenant?.strikes.strike(now);
	}

	/** Whether it may well cost another sandbox: it has already, or its tenant's functions have, or nothing is known of it. */
	suspect(now: number): boolean {
		return !this.pace.proven || this.#strikes.count(now) > 0 || (this.#tenant?.strikes.count(now) ?? 0) > 0;
	}

	/** Whether it has cost a sandbox its life, and that is not forgotten. */
	get struck(): boolean {
		return this.#strikes.count(Date.now()) > 0;
	}

	get filename(): string {
		return `${this.function.name}.js`;
	}

	async image(): Promise<Image> {
		if (this.#source instanceof FunctionError) throw this.#source;
		const { code, codeCache } = await this.#source.artifact();
		return {
			filename: this.filename,
			code,
			codeCache,
			env: this.#env,
			bindings: describeBindings(this.bindings),
			tenant: this.tenantNumber,
			memoryMb: this.limits.memoryMb,
			timers: this.limits.timers,
			logBytes: this.limits.logBytes,
			startupCpuMs: this.limits.startupCpuMs,
		};
	}

	async sourceMap(most: Bytes): Promise<Uint8Array> {
		if (this.#source instanceof FunctionError) throw this.#source;
		return this.#source.sourceMap(most);
	}

	/** A line that the function has logged outside of any request, as its isolate sent it; `null` where there were too many. */
	strayLine(text: string): LogLine | null {
		const { level, message } = decodeLine(text);
		switch (this.#strays.take(text.length, performance.now())) {
			case "within":
				return this.logLine("", level, message);
			case "beyond":
				return this.logLine(
					"",
					"warn",
					`more than ${this.limits.logBytes} bytes a second were logged outside of requests; the rest is dropped`,
				);
			case "dropped":
				return null;
		}
	}

	/** A line for the function's log, stacks in it as they are. `requestId` is empty outside of a request. */
	logLine(requestId: string, level: LogLine["level"], message: string): LogLine {
		return {
			time: new Date().toISOString(),
			level,
			tenant: this.function.tenant,
			function: this.function.name,
			version: this.id,
			requestId,
			message,
		};
	}
}
