import type { TenantNumber } from "../link/protocol.ts";
import type { Bytes } from "../units.ts";

/** A stream that a helper keeps something of between its steps. */
export interface OpenStream {
	id: number;
	tenant: TenantNumber;
	bytes: Bytes;
	/** It had to make room for others' streams. */
	cut: boolean;
}

/** What streams take of a helper's memory. Where there is no more of it, room is made by whoever has taken the most. */
export class OpenStreams {
	readonly #most: Bytes;
	readonly #onCut: (stream: OpenStream) => void;
	readonly #open = new Set<OpenStream>();
	readonly #byOwner = new Map<TenantNumber, Bytes>();
	#bytes: Bytes = 0;
	#nextId = 1;

	/** `onCut` is told of each that has to make room. */
	constructor(most: Bytes, onCut: (stream: OpenStream) => void) {
		this.#most = most;
		this.#onCut = onCut;
	}

	/** Opens one, which may take so much; or gives `null` where that would be more than any other tenant has. */
	open(tenant: TenantNumber, bytes: Bytes): OpenStream | null {
		while (this.#bytes + bytes > this.#most) {
			const largest = this.#largest();
			if (largest === null || largest.bytes <= (this.#byOwner.get(tenant) ?? 0) + bytes) return null;
			for (const stream of this.#open) {
				if (stream.tenant !== largest.tenant) continue;
				stream.cut = true;
				this.close(stream);
				this.#onCut(stream);
				break;
			}
		}
		const stream: OpenStream = { id: this.#nextId++, tenant, bytes, cut: false };
		this.#open.add(stream);
		this.#add(tenant, bytes);
		return stream;
	}

	#largest(): { tenant: TenantNumber; bytes: Bytes } | null {
		let largest: { tenant: TenantNumber; bytes: Bytes } | null = null;
		for (const [tenant, bytes] of this.#byOwner) if (bytes > (largest?.bytes ?? 0)) largest = { tenant, bytes };
		return largest;
	}

	#add(tenant: TenantNumber, bytes: Bytes): void {
		this.#bytes += bytes;
		const sum = (this.#byOwner.get(tenant) ?? 0) + bytes;
		if (sum === 0) this.#byOwner.delete(tenant);
		else this.#byOwner.set(tenant, sum);
	}

	/** Whether it was open still. */
	close(stream: OpenStream): boolean {
		if (!this.#open.delete(stream)) return false;
		this.#add(stream.tenant, -stream.bytes);
		return true;
	}
}
