import type { TenantName } from "../names.ts";
import type { Bytes, Count } from "../units.ts";

/** Texts are put together to pieces of about this length, of which one is taken or dropped as a whole. */
const PIECE: Bytes = 16 * 1024;
/** For each text that comes so many tenants may be looked at to find out who has the most. */
const LOOKS = 16;

/** Whose texts are: empty where no function serves a hostname. */
export type Whose = TenantName | "";

/** Texts of one tenant, one behind the other. */
export interface Piece {
	bytes: Buffer;
	count: Count;
}

interface Waiting {
	/** What is whole. Bytes take a third of what they take as text that was put together. */
	readonly pieces: Piece[];
	/** What more is put to. */
	open: string;
	openCount: Count;
	/** All of it together. */
	size: Bytes;
}

/**
 * Texts of tenants that wait, up to so many bytes in all. Where there is no room the tenant that has more than its part
 * loses some: the one whose text comes, or else whoever has the most. Who has little loses nothing to those who have
 * much.
 */
export class FairQueue {
	readonly #most: Bytes;
	readonly #onDropped: (whose: Whose, count: Count) => void;
	/** Whoever is first is next. */
	readonly #tenants = new Map<Whose, Waiting>();
	#size: Bytes = 0;
	#largest: Whose | null = null;
	#looks = 0;

	/** `onDropped` is told whose texts were dropped, and how many. */
	constructor(most: Bytes, onDropped: (whose: Whose, count: Count) => void) {
		this.#most = most;
		this.#onDropped = onDropped;
	}

	/** How much waits; what is not a piece yet counts by its letters. */
	get size(): Bytes {
		return this.#size;
	}

	add(whose: Whose, text: string): void {
		const own = this.#tenants.get(whose) ?? { pieces: [], open: "", openCount: 0, size: 0 };
		if (own.size === 0) this.#tenants.set(whose, own);
		this.#looks += LOOKS;
		if (this.#size + text.length > this.#most && !this.#makeRoom(own, text.length)) {
			if (own.size === 0) this.#tenants.delete(whose);
			this.#onDropped(whose, 1);
			return;
		}
		if (own.open.length + text.length > PIECE) this.#close(own);
		own.open += text;
		own.openCount++;
		this.#grow(own, text.length);
	}

	#grow(waiting: Waiting, by: Bytes): void {
		waiting.size += by;
		this.#size += by;
	}

	/** What has been put together becomes a piece. */
	#close(waiting: Waiting): void {
		if (waiting.openCount === 0) return;
		const bytes = Buffer.from(waiting.open);
		this.#grow(waiting, bytes.length - waiting.open.length);
		waiting.pieces.push({ bytes, count: waiting.openCount });
		waiting.open = "";
		waiting.openCount = 0;
	}

	/** Has those who have more than their part lose their latest, if the one who comes has less. */
	#makeRoom(own: Waiting, size: Bytes): boolean {
		const part = this.#most / this.#tenants.size;
		if (own.size + size > part) return false;
		while (this.#size + size > this.#most) {
			const largest = this.#largestAbove(part);
			if (largest === null) return false;
			const waiting = this.#tenants.get(largest) as Waiting;
			this.#close(waiting);
			this.#onDropped(largest, this.#taken(largest, waiting, waiting.pieces.pop() as Piece).count);
		}
		return true;
	}

	/** Looking for it goes through all tenants, which is done every so many texts. */
	#largestAbove(part: Bytes): Whose | null {
		const has = (whose: Whose | null) => (whose === null ? 0 : (this.#tenants.get(whose)?.size ?? 0));
		if (has(this.#largest) > part) return this.#largest;
		if (this.#looks < this.#tenants.size) return null;
		this.#looks = 0;
		for (const [whose, { size }] of this.#tenants) if (size > has(this.#largest)) this.#largest = whose;
		return has(this.#largest) > part ? this.#largest : null;
	}

	#taken(whose: Whose, waiting: Waiting, piece: Piece): Piece {
		this.#grow(waiting, -piece.bytes.length);
		if (waiting.size === 0) this.#tenants.delete(whose);
		return piece;
	}

	/** Pieces of tenants in turn, of so many bytes together and one piece more. */
	*take(most: Bytes): Generator<[Whose, Piece]> {
		for (let taken = 0; taken < most && this.#tenants.size > 0; ) {
			const [whose, waiting] = this.#tenants.entries().next().value as [Whose, Waiting];
			if (waiting.pieces.length === 0) this.#close(waiting);
			const piece = this.#taken(whose, waiting, waiting.pieces.shift() as Piece);
			// It goes to the end of the line.
			if (this.#tenants.delete(whose)) this.#tenants.set(whose, waiting);
			taken += piece.bytes.length;
			yield [whose, piece];
		}
	}
}
