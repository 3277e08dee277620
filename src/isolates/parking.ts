import type ivm from "isolated-vm";
import type { Megabytes } from "../units.ts";
import { externalCopy } from "./external-copy.ts";
import { type ParkedIsolate, parkIsolate } from "./parked.ts";

/** How many isolates may be parked at once: each holds some 2 MB. */
const MOST = 64;

/**
 * Isolates made ahead of need, so that a cold start does not wait for one; by memory limit, which an isolate has from
 * its making.
 */
export class Parking {
	readonly #snapshot: ivm.ExternalCopy<ArrayBuffer>;
	readonly #size: number;
	/** The limit that was asked for last comes last. */
	readonly #ready = new Map<Megabytes, ParkedIsolate[]>();
	/** Those that are still to be made. */
	#missing: Megabytes[] = [];
	#making: NodeJS.Immediate | null = null;

	/**
	 * Makes `size` isolates of the usual limit at once, and sees to it that as many of any limit that is asked for
	 * are ready.
	 */
	constructor(snapshot: Uint8Array, size: number, usual: Megabytes) {
		this.#snapshot = externalCopy(snapshot);
		this.#size = size;
		for (let i = 0; i < size; i++) this.#make(usual);
	}

	#make(memoryMb: Megabytes): void {
		this.#of(memoryMb).push(parkIsolate(this.#snapshot, memoryMb));
	}

	#of(memoryMb: Megabytes): ParkedIsolate[] {
		let ready = this.#ready.get(memoryMb);
		if (ready === undefined) {
			ready = [];
			this.#ready.set(memoryMb, ready);
		}
		return ready;
	}

	take(memoryMb: Megabytes): ParkedIsolate {
		const ready = this.#of(memoryMb);
		this.#ready.delete(memoryMb);
		this.#ready.set(memoryMb, ready);
		const parked = ready.pop() ?? parkIsolate(this.#snapshot, memoryMb);
		this.#order(new Array<Megabytes>(Math.max(0, this.#size - ready.length)).fill(memoryMb));
		return parked;
	}

	#order(missing: Megabytes[]): void {
		this.#missing = missing;
		if (missing.length > 0) this.#making ??= setImmediate(() => this.#makeNext());
	}

	/** One isolate an event-loop round, so that requests in between do not wait for all of them. */
	#makeNext(): void {
		this.#making = null;
		const memoryMb = this.#missing.pop();
		if (memoryMb === undefined) return;
		this.#makeRoom();
		this.#make(memoryMb);
		this.#order(this.#missing);
	}

	#makeRoom(): void {
		let count = 0;
		for (const ready of this.#ready.values()) count += ready.length;
		for (const [memoryMb, ready] of this.#ready) {
			if (count < MOST) return;
			if (ready.length > 0) count--;
			ready.pop()?.isolate.dispose();
			if (ready.length === 0) this.#ready.delete(memoryMb);
		}
	}

	close(): void {
		if (this.#making !== null) clearImmediate(this.#making);
		this.#making = null;
		for (const ready of this.#ready.values()) for (const { isolate } of ready) isolate.dispose();
		this.#ready.clear();
	}
}
