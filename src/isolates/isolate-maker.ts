import ivm from "isolated-vm";
import type { Megabytes } from "../units.ts";

/** It holds next to nothing. */
const MAKER_MB: Megabytes = 16;
/**
 * isolated-vm waits for itself for ever where it disposes of an isolate that has a session of its inspector, as it does
 * at the limit of its memory: an isolate that is profiled may have so many times as much, and its process is ended
 * long before.
 */
const PROFILED = 16;

/**
 * Makes isolates from the base snapshot, on a thread of isolated-vm's: what is called in an isolate without waiting for
 * it runs there, and that isolate makes others. It takes 8 ms, in which this thread goes on serving.
 */
export class IsolateMaker {
	readonly #snapshot: ivm.ExternalCopy<ArrayBuffer>;
	readonly #inspector: boolean;
	readonly #isolate = new ivm.Isolate({ memoryLimit: MAKER_MB });
	readonly #make: ivm.Reference<(memoryLimit: Megabytes) => ivm.Isolate>;

	/** With an `inspector` those that are made here and now can be profiled. */
	constructor(snapshot: ivm.ExternalCopy<ArrayBuffer>, inspector: boolean) {
		this.#snapshot = snapshot;
		this.#inspector = inspector;
		const context = this.#isolate.createContextSync();
		context.global.setSync("ivm", ivm);
		context.global.setSync("snapshot", snapshot);
		this.#make = context.evalSync("(memoryLimit) => new ivm.Isolate({ snapshot, memoryLimit })", { reference: true });
		context.release();
	}

	/** Rejects where there is no memory for it, and once this is closed. */
	make(memoryMb: Megabytes): Promise<ivm.Isolate> {
		return this.#make.apply(undefined, [memoryMb]);
	}

	/** Makes one here and now, for whoever cannot wait. */
	makeSync(memoryLimit: Megabytes): ivm.Isolate {
		if (!this.#inspector) return new ivm.Isolate({ snapshot: this.#snapshot, memoryLimit });
		return new ivm.Isolate({ snapshot: this.#snapshot, memoryLimit: PROFILED * memoryLimit, inspector: true });
	}

	close(): void {
		this.#isolate.dispose();
	}
}
