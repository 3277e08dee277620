import type { OwnerNumber } from "../link/protocol.ts";
import type { Bytes } from "../units.ts";

/** A stream that a helper keeps something of between its steps. */
export interface OpenStream {
	id: number;
	owner: OwnerNumber;
	bytes: Bytes;
	/** It had to make room for others' streams. */
	cut: boolean;
}

/** What streams take of a helper's memory. Where there is no more of it, room is made by whoever has taken the most. */
export class OpenStreams {
	readonly #most: Bytes;
	readonly #onCut: (stream: OpenStream) => void;
	readonly #open = new Set<OpenStream>();
	readonly #byOwner = new Map<OwnerNumber, Bytes>();
	#bytes: Bytes = 0;
	#nextId = 1;

	/** `onCut` is told of each that has to make room. */
	constructor(most: Bytes, onCut: (stream: OpenStream) => void) {
		this.#most = most;
		this.#onCut = onCut;
	}

	/** Opens one, which may take so much; or gives `null` where that would be more than any other owner has. */
	open(owner: OwnerNumber, bytes: Bytes): OpenStream | null {
		while (this.#bytes + bytes > this.#most) {
			const largest = this.#largest();
			if (largest === null || largest.bytes <= (this.#byOwner.get(owner) ?? 0) + bytes) return null;
			for (const stream of this.#open) {
				if (stream.owner !== largest.owner) continue;
				stream.cut = true;
				this.close(stream);
				this.#onCut(stream);
				break;
			}
		}
		const stream: OpenStream = { id: this.#nextId++, owner, bytes, cut: false };
		this.#open.add(stream);
		this.#add(owner, bytes);
		return stream;
	}

	#largest(): { owner: OwnerNumber; bytes: Bytes } | null {
		let largest: { owner: OwnerNumber; bytes: Bytes } | null = null;
		for (const [owner, bytes] of this.#byOwner) if (bytes > (largest?.bytes ?? 0)) largest = { owner, bytes };
		return largest;
	}

	#add(owner: OwnerNumber, bytes: Bytes): void {
		this.#bytes += bytes;
		const sum = (this.#byOwner.get(owner) ?? 0) + bytes;
		if (sum === 0) this.#byOwner.delete(owner);
		else this.#byOwner.set(owner, sum);
	}

	/** Whether it was open still. */
	close(stream: OpenStream): boolean {
		if (!this.#open.delete(stream)) return false;
		this.#add(stream.owner, -stream.bytes);
		return true;
	}
}
