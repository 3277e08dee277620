import type { OtlpConfig, TracesConfig } from "../config/otlp.ts";
import { DEFAULT_TENANT } from "../names.ts";
import type { InvocationRecord } from "../observe/record.ts";
import type { Span } from "../observe/span.ts";
import type { Runtime } from "../runtime.ts";
import type { Count, Milliseconds } from "../units.ts";
import type { Follower } from "./follower.ts";

/** Spans are told together, so long after the first of them, and so many letters of them at most. */
const EVERY_MS: Milliseconds = 200;
const MOST_LETTERS: Count = 512 * 1024;
/** A tenant has this share of them at most, but for the operator's own. */
const MOST_OF_TENANT = 1 / 4;
/** What an invocation with some calls and lines has. */
const USUAL_LETTERS: Count = 4096;

/** So many invocations are recorded at a time, each of which may hold some 50 KB; a tenant has its share of them. */
const MOST_OPEN: Count = 512;

const mostOf = (tenant: string, all: Count): Count => (tenant === DEFAULT_TENANT ? all : all * MOST_OF_TENANT);

/**
 * Tells control of spans. It is never in a request's way: what control does not take, or is more than there is room for,
 * is dropped, and counted.
 */
export class SpanStream {
	readonly #follower: Follower;
	readonly #runtime: Runtime;
	#invocations: string[] = [];
	#letters = 0;
	readonly #ofTenants = new Map<string, Count>();
	#open: Count = 0;
	readonly #openOf = new Map<string, Count>();
	#count: Count = 0;
	#dropped: Count = 0;
	#timer: NodeJS.Timeout | null = null;

	constructor(runtime: Runtime, follower: Follower, { otlp, traces }: { otlp: OtlpConfig; traces: TracesConfig }) {
		this.#follower = follower;
		this.#runtime = runtime;
		if (!otlp.traces) return;
		runtime.tracer.tracing = {
			...traces,
			admits: (tenant) => this.#admits(tenant),
			onSpans: (spans, record) => this.#add(spans, record),
		};
	}

	/** Whoever has had its share costs the edge nothing more of this, until the next is told or one of its own is over. */
	#admits(tenant: string): boolean {
		const isOwn = tenant === DEFAULT_TENANT;
		const open = this.#openOf.get(tenant) ?? 0;
		const hasHad = !isOwn && (this.#ofTenants.get(tenant) ?? 0) + USUAL_LETTERS > mostOf(tenant, MOST_LETTERS);
		if (hasHad || this.#open >= MOST_OPEN || open >= mostOf(tenant, MOST_OPEN)) {
			// That something was dropped is told as well.
			this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS).unref();
			this.#dropped++;
			return false;
		}
		this.#open++;
		this.#openOf.set(tenant, open + 1);
		return true;
	}

	#release(tenant: string): void {
		this.#open--;
		const open = (this.#openOf.get(tenant) ?? 0) - 1;
		if (open > 0) this.#openOf.set(tenant, open);
		else this.#openOf.delete(tenant);
	}

	#add(spans: Span[], { tenant }: InvocationRecord): void {
		this.#release(tenant);
		this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS).unref();
		const text = JSON.stringify(spans);
		const ofTenant = (this.#ofTenants.get(tenant) ?? 0) + text.length;
		// Also of what is dropped: it was work.
		this.#ofTenants.set(tenant, ofTenant);
		if (this.#letters + text.length > MOST_LETTERS || ofTenant > mostOf(tenant, MOST_LETTERS)) {
			this.#dropped += spans.length;
			return;
		}
		this.#letters += text.length;
		this.#count += spans.length;
		// Each is an array, whose brackets are those of all together.
		this.#invocations.push(text.slice(1, -1));
	}

	#tell(): void {
		this.#timer = null;
		if (!this.#follower.takes) {
			// Kept as long as there is room: control may be back in a moment.
			this.#timer = setTimeout(() => this.#tell(), EVERY_MS).unref();
			return;
		}
		const batch = this.#invocations.length === 0 ? "" : `[${this.#invocations.join()}]`;
		this.#follower.spans({ batch, count: this.#count, dropped: this.#dropped });
		this.#invocations = [];
		this.#letters = this.#count = this.#dropped = 0;
		this.#ofTenants.clear();
	}

	/** Tells what was recorded last. */
	close(): void {
		this.#runtime.tracer.tracing = null;
		if (this.#timer === null) return;
		clearTimeout(this.#timer);
		if (this.#follower.takes) this.#tell();
	}
}
