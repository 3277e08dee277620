import { LogPiece, sizeOf } from "../feed/log-frames.ts";
import type { TenantName } from "../names.ts";
import type { InvocationRecord, LogLine } from "../observe/record.ts";
import type { Bytes, Count } from "../units.ts";

/** Entries are put together to pieces of about this size, of which one is taken or dropped as a whole. */
const PIECE: Bytes = 16 * 1024;
/** For each entry that comes so many tenants may be looked at to find out who has the most. */
const LOOKS = 16;

/** Whose an entry is: empty where no function serves a hostname. */
export type Whose = TenantName | "";

interface Waiting {
	/** The last of them is what more is put to. */
	readonly pieces: LogPiece[];
	/** All of them together. */
	size: Bytes;
}

/**
 * Records and lines of tenants that wait, up to so many bytes in all. Where there is no room the tenant that has more than
 * its part loses some: the one whose entry comes, or else whoever has the most. Who has little loses nothing to those who
 * have much.
 */
export class FairQueue {
	readonly #most: Bytes;
	readonly #onDropped: (whose: Whose, count: Count) => void;
	/** Whoever is first is next. */
	readonly #tenants = new Map<Whose, Waiting>();
	#size: Bytes = 0;
	#largest: Whose | null = null;
	#looks = 0;

	/** `onDropped` is told whose entries were dropped, and how many. */
	constructor(most: Bytes, onDropped: (whose: Whose, count: Count) => void) {
		this.#most = most;
		this.#onDropped = onDropped;
	}

	/** How much waits. */
	get size(): Bytes {
		return this.#size;
	}

	add(whose: Whose, entry: InvocationRecord | LogLine): void {
		const own = this.#tenants.get(whose) ?? { pieces: [], size: 0 };
		if (own.size === 0) this.#tenants.set(whose, own);
		this.#looks += LOOKS;
		const size = sizeOf(entry);
		if (this.#size + size > this.#most && !this.#makeRoom(own, size)) {
			if (own.size === 0) this.#tenants.delete(whose);
			this.#onDropped(whose, 1);
			return;
		}
		let piece = own.pieces.at(-1);
		if (piece === undefined || piece.size + size > PIECE) {
			// Whoever has filled one will fill another.
			piece = new LogPiece(whose, piece && PIECE);
			own.pieces.push(piece);
			this.#grow(own, piece.size);
		}
		const before = piece.size;
		piece.add(entry);
		this.#grow(own, piece.size - before);
	}

	#grow(waiting: Waiting, by: Bytes): void {
		waiting.size += by;
		this.#size += by;
	}

	/** Has those who have more than their part lose their latest, if the one who comes has less. */
	#makeRoom(own: Waiting, size: Bytes): boolean {
		const part = this.#most / this.#tenants.size;
		if (own.size + size > part) return false;
		while (this.#size + size > this.#most) {
			const largest = this.#largestAbove(part);
			if (largest === null) return false;
			const waiting = this.#tenants.get(largest) as Waiting;
			this.#onDropped(largest, this.#taken(largest, waiting, waiting.pieces.pop() as LogPiece).count);
		}
		return true;
	}

	/** Looking for it goes through all tenants, which is done every so many entries. */
	#largestAbove(part: Bytes): Whose | null {
		const has = (whose: Whose | null) => (whose === null ? 0 : (this.#tenants.get(whose)?.size ?? 0));
		if (has(this.#largest) > part) return this.#largest;
		if (this.#looks < this.#tenants.size) return null;
		this.#looks = 0;
		for (const [whose, { size }] of this.#tenants) if (size > has(this.#largest)) this.#largest = whose;
		return has(this.#largest) > part ? this.#largest : null;
	}

	#taken(whose: Whose, waiting: Waiting, piece: LogPiece): LogPiece {
		this.#grow(waiting, -piece.size);
		if (waiting.size === 0) this.#tenants.delete(whose);
		return piece;
	}

	/** Pieces of tenants in turn, of so many bytes together and one piece more. */
	*take(most: Bytes): Generator<[Whose, LogPiece]> {
		for (let taken = 0; taken < most && this.#tenants.size > 0; ) {
			const [whose, waiting] = this.#tenants.entries().next().value as [Whose, Waiting];
			const piece = this.#taken(whose, waiting, waiting.pieces.shift() as LogPiece);
			// It goes to the end of the line.
			if (this.#tenants.delete(whose)) this.#tenants.set(whose, waiting);
			taken += piece.size;
			yield [whose, piece];
		}
	}
}
