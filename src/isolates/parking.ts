import type ivm from "isolated-vm";
import type { Megabytes, Milliseconds } from "../units.ts";
import { externalCopy } from "./external-copy.ts";
import { IsolateMaker } from "./isolate-maker.ts";
import { type ParkedIsolate, parkIsolate } from "./parked.ts";

/** How many isolates may be parked at once: each holds some 2 MB. */
const MOST = 64;
/**
 * What was taken is made anew once none was taken for so long, unless it was the last: a function that starts beside it
 * takes a third longer.
 */
const CALM_MS: Milliseconds = 20;

/**
 * Isolates made ahead of need, so that a cold start does not wait for one; by memory limit, which an isolate has from
 * its making.
 */
export class Parking {
	readonly #maker: IsolateMaker;
	readonly #size: number;
	/** The limit that was asked for last comes last. */
	readonly #ready = new Map<Megabytes, ParkedIsolate[]>();
	/** Those that are still to be made. */
	#missing: Megabytes[] = [];
	/** The limit of the one that is being made. */
	#making: Megabytes | null = null;
	#calm: NodeJS.Timeout | null = null;
	#closed = false;

	/**
	 * Sees to it that `size` isolates of the usual limit are ready, and as many of any limit that is asked for. The first
	 * is made here and now: a snapshot of which none can be made ends the process before it says that it has started. With an
	 * `inspector` they can be profiled.
	 */
	constructor(snapshot: Uint8Array, size: number, usual: Megabytes, inspector = false) {
		this.#maker = new IsolateMaker(externalCopy(snapshot), inspector);
		this.#size = size;
		if (size > 0) this.#park(usual, this.#maker.makeSync(usual));
		this.#order(usual);
		void this.#makeMissing();
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
		const parked = ready.pop() ?? parkIsolate(this.#maker.makeSync(memoryMb));
		this.#order(memoryMb);
		if (this.#calm !== null) clearTimeout(this.#calm);
		this.#calm = setTimeout(() => void this.#makeMissing(), ready.length > 0 ? CALM_MS : 0);
		return parked;
	}

	/** What is missing of a limit is made next. */
	#order(memoryMb: Megabytes): void {
		const more = Math.max(0, this.#size - this.#of(memoryMb).length - (this.#making === memoryMb ? 1 : 0));
		const others = this.#missing.filter((other) => other !== memoryMb).slice(-MOST);
		this.#missing = [...others, ...new Array<Megabytes>(more).fill(memoryMb)];
	}

	async #makeMissing(): Promise<void> {
		if (this.#making !== null) return;
		for (let memoryMb = this.#missing.pop(); memoryMb !== undefined; memoryMb = this.#missing.pop()) {
			this.#making = memoryMb;
			let isolate: ivm.Isolate;
			try {
				isolate = await this.#maker.make(memoryMb);
			} catch {
				break; // Whoever asks for one makes it, and hears why that cannot be.
			}
			if (this.#closed) isolate.dispose();
			else this.#park(memoryMb, isolate);
		}
		this.#making = null;
	}

	#park(memoryMb: Megabytes, isolate: ivm.Isolate): void {
		this.#makeRoom();
		this.#of(memoryMb).push(parkIsolate(isolate));
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
		this.#closed = true;
		if (this.#calm !== null) clearTimeout(this.#calm);
		this.#missing = [];
		this.#maker.close();
		for (const ready of this.#ready.values()) for (const { isolate } of ready) isolate.dispose();
		this.#ready.clear();
	}
}
