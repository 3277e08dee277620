import { LRUCache } from "lru-cache";
import type { SandboxSettings, SandboxStats, VersionNumber } from "../link/protocol.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import type { FunctionIsolate } from "./isolate.ts";
import { KeptIsolates } from "./kept.ts";

/** A new measurement of an isolate's memory every so many requests: it costs 1.7 µs. */
const MEASURE_EVERY = 16;
/** Small isolates are disposed of one after the other, so long apart, and at once where there are more than this. */
const DISPOSE_MS: Milliseconds = 20;
const MOST_GONE = 8;
const SMALL: Bytes = 8 * 2 ** 20;
/** Figures that change with every request are told so often at most. */
const TELL_MS: Milliseconds = 100;

/**
 * The isolates of a sandbox. Those that take requests are kept, or in an LRU, bounded by what all of them really use and
 * by count; one that leaves it is retired: it finishes what it holds, and is disposed then.
 */
export class WarmIsolates {
	readonly #lru: LRUCache<VersionNumber, FunctionIsolate>;
	readonly #kept: KeptIsolates;
	/** Told of a version that no longer has an isolate for its requests. */
	readonly #left: (version: VersionNumber) => void;
	readonly #maxIsolates: number;
	readonly #maxBytes: Bytes;
	readonly #all = new Set<FunctionIsolate>();
	/** Those to be disposed of, and when the next one is. */
	readonly #gone: FunctionIsolate[] = [];
	#timer: NodeJS.Timeout | null = null;
	#requests = 0;
	#hits = 0;
	#coldStarts = 0;
	#evictions = 0;
	/** When the figures were last taken. */
	#toldAt: Milliseconds = 0;
	/** Whether the figures have changed since they were last taken. */
	changed = false;

	constructor(
		{ maxIsolates, maxBytes }: Pick<SandboxSettings, "maxIsolates" | "maxBytes">,
		left: (version: VersionNumber) => void,
	) {
		this.#maxIsolates = maxIsolates;
		this.#maxBytes = maxBytes;
		this.#left = left;
		this.#kept = new KeptIsolates({ maxIsolates, maxBytes });
		this.#lru = new LRUCache({
			max: maxIsolates,
			maxSize: maxBytes,
			dispose: (isolate, version, reason) => {
				if (this.#kept.get(version) === isolate) return;
				if (reason === "evict") this.#evictions++;
				this.#retired(isolate);
			},
		});
	}

	/** The isolate that takes a version's requests; a look-up makes it the most recently used. */
	get(version: VersionNumber): FunctionIsolate | undefined {
		return this.#kept.get(version) ?? this.#lru.get(version);
	}

	has(version: VersionNumber): boolean {
		return this.#kept.get(version) !== undefined || this.#lru.has(version);
	}

	/** Says whether a version's isolate is to make room for no others. */
	keep(version: VersionNumber, kept: boolean): void {
		this.#kept.want(version, kept);
		const isolate = this.#kept.get(version) ?? this.#lru.peek(version);
		if (isolate !== undefined) this.#put(isolate);
	}

	/** Whether a version's isolate is to be kept, and there is no room for it now. */
	isCrowdedOut(version: VersionNumber): boolean {
		if (!this.#kept.wants(version)) return false;
		this.keep(version, true); // There may be by now.
		return this.#kept.get(version) === undefined;
	}

	/** Puts one where it belongs, as it was measured last; others may have to make room for it. */
	#put(isolate: FunctionIsolate): void {
		const { version } = isolate;
		this.#kept.delete(isolate);
		const others = this.#kept.wants(version) ? this.#kept.add(isolate) : [isolate];
		if (!others.includes(isolate)) this.#lru.delete(version);
		for (const one of others) this.#lru.set(one.version, one, { size: Math.max(one.memoryBytes, 1) });
		while (this.#lru.size > 1 && this.#isFull) this.#lru.pop();
	}

	get #isFull(): boolean {
		const { size, bytes } = this.#kept;
		return this.#lru.size + size > this.#maxIsolates || this.#lru.calculatedSize + bytes > this.#maxBytes;
	}

	/** One that has just started. */
	add(isolate: FunctionIsolate): void {
		this.#coldStarts++;
		this.changed = true;
		this.#all.add(isolate);
		this.#put(isolate);
	}

	/**
	 * A request has found its isolate warm. That is told now and then: each by itself would be a frame more for every
	 * request.
	 */
	hit(): void {
		this.#hits++;
		if (performance.now() - this.#toldAt > TELL_MS) this.changed = true;
	}

	/** A request is done on it: now and then its memory is measured again. */
	used(isolate: FunctionIsolate): void {
		if (++this.#requests % MEASURE_EVERY !== 0 || isolate.retired) return;
		isolate.measure();
		this.#put(isolate);
	}

	/** It takes no new requests from now on. */
	retire(isolate: FunctionIsolate): void {
		isolate.retired = true;
		if (this.#kept.delete(isolate)) this.#retired(isolate);
		else if (this.#lru.peek(isolate.version) === isolate) this.#lru.delete(isolate.version);
	}

	#retired(isolate: FunctionIsolate): void {
		isolate.retired = true;
		this.disposeIfIdle(isolate);
		this.#left(isolate.version);
	}

	/** A version gets no more requests. */
	remove(version: VersionNumber): void {
		this.#kept.want(version, false);
		const isolate = this.#kept.get(version) ?? this.#lru.peek(version);
		if (isolate !== undefined) this.retire(isolate);
	}

	/** Disposes a retired isolate once nothing runs on it. */
	disposeIfIdle(isolate: FunctionIsolate): void {
		if (isolate.retired && isolate.attempts.size === 0) this.dispose(isolate);
	}

	/**
	 * One that runs nothing any more goes: a large one at once, and others when whoever comes next has had their turn,
	 * since that takes some milliseconds.
	 */
	dispose(isolate: FunctionIsolate): void {
		if (!this.#all.delete(isolate)) return;
		this.changed = true;
		if (isolate.memoryBytes > SMALL) {
			isolate.dispose();
			return;
		}
		this.#gone.push(isolate);
		if (this.#gone.length > MOST_GONE) this.#gone.shift()?.dispose();
		this.#timer ??= setTimeout(() => this.#disposeNext(), DISPOSE_MS).unref();
	}

	#disposeNext(): void {
		this.#gone.shift()?.dispose();
		this.#timer = this.#gone.length === 0 ? null : setTimeout(() => this.#disposeNext(), DISPOSE_MS).unref();
	}

	alive(isolate: FunctionIsolate): boolean {
		return this.#all.has(isolate);
	}

	stats(): SandboxStats {
		this.changed = false;
		this.#toldAt = performance.now();
		return {
			isolates: this.#all.size,
			bytes: this.#lru.calculatedSize + this.#kept.bytes,
			hits: this.#hits,
			coldStarts: this.#coldStarts,
			evictions: this.#evictions,
		};
	}

	close(): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		for (const isolate of [...this.#all, ...this.#gone.splice(0)]) isolate.dispose();
		this.#all.clear();
		this.#lru.clear();
	}
}
