import type { SandboxSettings, VersionNumber } from "../link/protocol.ts";
import type { Bytes } from "../units.ts";
import type { FunctionIsolate } from "./isolate.ts";

/** They have this share of a sandbox's isolates and memory at most: the rest is for whoever has requests. */
const KEPT_SHARE = 1 / 2;

/** The isolates that make room for no others, of versions that are to be warm at any time. */
export class KeptIsolates {
	readonly #most: number;
	readonly #mostBytes: Bytes;
	readonly #wanted = new Set<VersionNumber>();
	readonly #isolates = new Map<VersionNumber, FunctionIsolate>();

	constructor({ maxIsolates, maxBytes }: Pick<SandboxSettings, "maxIsolates" | "maxBytes">) {
		this.#most = Math.floor(maxIsolates * KEPT_SHARE);
		this.#mostBytes = maxBytes * KEPT_SHARE;
	}

	/** Says whether a version's isolate is to be kept. */
	want(version: VersionNumber, wanted: boolean): void {
		if (wanted) this.#wanted.add(version);
		else this.#wanted.delete(version);
	}

	wants(version: VersionNumber): boolean {
		return this.#wanted.has(version);
	}

	get(version: VersionNumber): FunctionIsolate | undefined {
		return this.#isolates.get(version);
	}

	/**
	 * Keeps an isolate, or one that is kept has been measured again. Gives those for which there is no room: the largest,
	 * and of too many the last that came.
	 */
	add(isolate: FunctionIsolate): FunctionIsolate[] {
		this.#isolates.set(isolate.version, isolate);
		const out: FunctionIsolate[] = [];
		while (this.#isolates.size > this.#most || this.bytes > this.#mostBytes) {
			const all = [...this.#isolates.values()];
			const one =
				this.#isolates.size > this.#most
					? all[all.length - 1]
					: all.reduce((a, b) => (b.memoryBytes > a.memoryBytes ? b : a));
			this.#isolates.delete(one.version);
			out.push(one);
		}
		return out;
	}

	/** It is kept no longer. Tells whether it was. */
	delete(isolate: FunctionIsolate): boolean {
		return this.#isolates.get(isolate.version) === isolate && this.#isolates.delete(isolate.version);
	}

	get size(): number {
		return this.#isolates.size;
	}

	get bytes(): Bytes {
		let bytes = 0;
		for (const { memoryBytes } of this.#isolates.values()) bytes += memoryBytes;
		return bytes;
	}
}
