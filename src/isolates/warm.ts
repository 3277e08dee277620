import { LRUCache } from "lru-cache";
import type { SandboxSettings, SandboxStats, VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import type { FunctionIsolate } from "./isolate.ts";

/** A new measurement of an isolate's memory every so many requests: it costs 1.7 µs. */
const MEASURE_EVERY = 16;
/** Figures that change with every request are told so often at most. */
const TELL_MS: Milliseconds = 100;

/**
 * The isolates of a sandbox. Those that take requests are in an LRU, bounded by what they really use and by count;
 * one that leaves it is retired: it finishes what it holds, and is disposed then.
 */
export class WarmIsolates {
	readonly #lru: LRUCache<VersionNumber, FunctionIsolate>;
	readonly #all = new Set<FunctionIsolate>();
	#requests = 0;
	#hits = 0;
	#coldStarts = 0;
	#evictions = 0;
	/** When the figures were last taken. */
	#toldAt: Milliseconds = 0;
	/** Whether the figures have changed since they were last taken. */
	changed = false;

	/** `left` is told of a version that no longer has an isolate for its requests. */
	constructor({ maxIsolates, maxBytes }: SandboxSettings, left: (version: VersionNumber) => void) {
		this.#lru = new LRUCache({
			max: maxIsolates,
			maxSize: maxBytes,
			dispose: (isolate, version, reason) => {
				if (reason === "evict") this.#evictions++;
				isolate.retired = true;
				this.disposeIfIdle(isolate);
				left(version);
			},
		});
	}

	/** The isolate that takes a version's requests; a look-up makes it the most recently used. */
	get(version: VersionNumber): FunctionIsolate | undefined {
		return this.#lru.get(version);
	}

	has(version: VersionNumber): boolean {
		return this.#lru.has(version);
	}

	/** One that has just started. */
	add(isolate: FunctionIsolate): void {
		this.#coldStarts++;
		this.changed = true;
		this.#all.add(isolate);
		this.#lru.set(isolate.version, isolate, { size: Math.max(isolate.memoryBytes, 1) });
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
		this.#lru.set(isolate.version, isolate, { size: Math.max(isolate.memoryBytes, 1) });
	}

	/** It takes no new requests from now on. */
	retire(isolate: FunctionIsolate): void {
		isolate.retired = true;
		if (this.#lru.peek(isolate.version) === isolate) this.#lru.delete(isolate.version);
	}

	/** A version gets no more requests. */
	remove(version: VersionNumber): void {
		this.#lru.delete(version);
	}

	/** Disposes a retired isolate once nothing runs on it. */
	disposeIfIdle(isolate: FunctionIsolate): void {
		if (isolate.retired && isolate.attempts.size === 0) this.dispose(isolate);
	}

	dispose(isolate: FunctionIsolate): void {
		this.#all.delete(isolate);
		this.changed = true;
		isolate.dispose();
	}

	alive(isolate: FunctionIsolate): boolean {
		return this.#all.has(isolate);
	}

	stats(): SandboxStats {
		this.changed = false;
		this.#toldAt = performance.now();
		return {
			isolates: this.#all.size,
			bytes: this.#lru.calculatedSize,
			hits: this.#hits,
			coldStarts: this.#coldStarts,
			evictions: this.#evictions,
		};
	}

	close(): void {
		for (const isolate of this.#all) isolate.dispose();
		this.#all.clear();
		this.#lru.clear();
	}
}
