import { type Bound, describeBindings } from "../bindings/binding.ts";
import { FunctionError } from "../errors.ts";
import { Allowance } from "../limits/allowance.ts";
import { Backoff } from "../limits/backoff.ts";
import type { Demand } from "../limits/demand.ts";
import type { Limits } from "../limits/limits.ts";
import type { Pace } from "../limits/pace.ts";
import { decodeLine, lineBytes } from "../link/line.ts";
import type { Image, TenantNumber, VersionNumber } from "../link/protocol.ts";
import { InOrder } from "../observe/in-order.ts";
import type { LogLine } from "../observe/record.ts";
import type { Bytes } from "../units.ts";
import type { Environment } from "./environment.ts";
import type { EdgeFunction } from "./function.ts";
import type { Version, VersionId } from "./version.ts";

/** What a released version is made of. */
export interface ReleasedVersionSettings {
	number: VersionNumber;
	function: EdgeFunction;
	version: Version;
	/** The release's. */
	environment: Environment;
	pace: Pace;
}

/** A version with the environment of a release: what isolates are started of, and how that goes. */
export class ReleasedVersion {
	/** Stands for it on the link. */
	readonly number: VersionNumber;
	/** The function that it is a version of, and what it shares with the function's others. */
	readonly function: EdgeFunction;
	readonly version: Version;
	readonly environment: Environment;
	readonly pace: Pace;
	readonly backoff = new Backoff();
	/** Whether it gets no more requests, but for those that it has already. */
	withdrawn = false;
	/** What the last failed start told, for requests that come while it is left alone. */
	startFailure: FunctionError | null = null;
	/** The order of the lines that it logs outside of requests. */
	readonly strayOrder = new InOrder();
	/** What is logged outside of requests, which no request's limit bounds. */
	readonly #strays: Allowance;

	constructor({ number, function: of, version, environment, pace }: ReleasedVersionSettings) {
		this.number = number;
		this.function = of;
		this.version = version;
		this.environment = environment;
		this.pace = pace;
		this.#strays = new Allowance(version.limits.logBytes);
	}

	get id(): VersionId {
		return this.version.id;
	}

	get limits(): Readonly<Limits> {
		return this.version.limits;
	}

	get bindings(): readonly Bound[] {
		return this.environment.bindings;
	}

	get tenantNumber(): TenantNumber {
		return this.function.tenantNumber;
	}

	/** Why it cannot be run now, or `null`. */
	refusal(now: number): FunctionError | null {
		const { source } = this.version;
		if (source instanceof FunctionError) return source;
		const disabled = this.function.disabled(now);
		if (disabled > 0) return new FunctionError("function_quarantined", undefined, { retryAfter: disabled / 1000 });
		const wait = this.backoff.remaining(now);
		if (wait === 0 || this.startFailure === null) return null;
		const { code, message, functionStack } = this.startFailure;
		return new FunctionError(code, message, { stack: functionStack, retryAfter: wait / 1000 });
	}

	/** Whether it may well cost a sandbox: its function has, or its tenant's others have, or nothing is known of it. */
	suspect(now: number): boolean {
		return !this.pace.proven || this.function.suspect(now);
	}

	get demand(): Demand {
		return this.pace.demand;
	}

	/**
	 * Whether sandboxes may be lent to it: its start and its turns keep nobody there waiting for long, and nothing is
	 * known against it.
	 */
	get mayBorrow(): boolean {
		return this.maxInstances > 1 && this.pace.startsLight && this.pace.demand.brief && !this.suspect(Date.now());
	}

	/**
	 * How many isolates of it are to be started ahead of requests now. One that is not known to be long may have them
	 * elsewhere before it has proven brief, but runs in its home until then; one on probation has none.
	 */
	get provisioned(): number {
		const wanted = this.function.provisionedOf(this);
		if (wanted === 0) return 0;
		const now = Date.now();
		if (this.struck || this.function.disabled(now) > 0) return 0;
		const isHeldBack = !this.pace.startsLight || this.demand.isLong || this.function.suspect(now);
		return isHeldBack ? 1 : wanted;
	}

	/** In how many sandboxes it may have isolates. */
	get maxInstances(): number {
		return this.function.instances.max ?? Number.POSITIVE_INFINITY;
	}

	/** Whether its function has cost a sandbox its life, and that is not forgotten. */
	get struck(): boolean {
		return this.function.struck(Date.now());
	}

	get filename(): string {
		return `${this.function.name}.js`;
	}

	async image(): Promise<Image> {
		const { source, limits } = this.version;
		if (source instanceof FunctionError) throw source;
		const { code, codeCache } = await source.artifact();
		const { memoryMb, timers, logBytes, subrequests, startupCpuMs } = limits;
		const { filename, tenantNumber: tenant } = this;
		const { variables: env, bindings } = this.environment;
		return {
			filename,
			code,
			codeCache,
			env,
			bindings: describeBindings(bindings),
			flags: this.version.flags.join(),
			tenant,
			memoryMb,
			timers,
			logBytes,
			subrequests,
			startupCpuMs,
		};
	}

	async sourceMap(most: Bytes): Promise<Uint8Array> {
		const { source } = this.version;
		if (source instanceof FunctionError) throw source;
		return source.sourceMap(most);
	}

	/**
	 * A line that the function has logged outside of any request, as its isolate sent it; `null` where there were too
	 * many.
	 */
	strayLine(text: string): LogLine | null {
		const { level, message } = decodeLine(text);
		switch (this.#strays.take(lineBytes(text), performance.now())) {
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
		const { tenant, name } = this.function;
		return { time: new Date().toISOString(), level, tenant, function: name, version: this.id, requestId, message };
	}
}
