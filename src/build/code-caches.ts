import { setFlagsFromString } from "node:v8";
import ivm from "isolated-vm";
import { externalCopy } from "../isolates/external-copy.ts";
import type { Bytes, Megabytes } from "../units.ts";

/** The memory that compiling may take. */
const COMPILE_MB: Megabytes = 512;
/** An isolate that has compiled so much gives its place to another: it holds some of that still. */
const MOST_BYTES: Bytes = 4 * 2 ** 20;

/**
 * Makes code caches: all in one isolate, in which nothing is ever run. One for each would have to be made, and disposed
 * of before the next job begins.
 */
export class CodeCaches {
	readonly #snapshot: ivm.ExternalCopy<ArrayBuffer>;
	#isolate: ivm.Isolate;
	/** What the isolate has compiled. */
	#compiled: Bytes = 0;

	/** Caches fit isolates that are made from the same base snapshot. */
	constructor(snapshot: Uint8Array) {
		this.#snapshot = externalCopy(snapshot);
		this.#isolate = this.#newIsolate();
	}

	#newIsolate(): ivm.Isolate {
		return new ivm.Isolate({ snapshot: this.#snapshot, memoryLimit: COMPILE_MB });
	}

	/** A cache with every function compiled, so that none is when a request waits; empty for what does not compile. */
	make(filename: string, code: Uint8Array): Uint8Array {
		this.#compiled += code.length;
		setFlagsFromString("--no-lazy");
		try {
			const script = this.#isolate.compileScriptSync(Buffer.from(code).toString(), {
				filename,
				produceCachedData: true,
			}) as ivm.Script & { cachedData?: ivm.ExternalCopy<ArrayBuffer> };
			script.release();
			return script.cachedData === undefined ? new Uint8Array(0) : copyOut(script.cachedData);
		} catch {
			return new Uint8Array(0); // Its start tells why.
		} finally {
			setFlagsFromString("--lazy");
		}
	}

	/** Replaces the isolate where that is due: called when nobody waits. */
	renew(): void {
		if (!this.#isolate.isDisposed && this.#compiled <= MOST_BYTES) return;
		if (!this.#isolate.isDisposed) this.#isolate.dispose();
		this.#isolate = this.#newIsolate();
		this.#compiled = 0;
	}
}

/** The bytes of a copy, which is released. */
export function copyOut(copy: ivm.ExternalCopy<ArrayBuffer>): Uint8Array {
	const bytes = new Uint8Array(copy.copy());
	copy.release();
	return bytes;
}
