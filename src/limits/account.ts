import type { Bytes } from "../units.ts";

/** No request, with its response, and no WebSocket may have the edge hold more. */
const MOST_OF_HOLDER: Bytes = 16 * 2 ** 20;
/** Which share of what an account may hold is free once room was made: else each byte more would have somebody cut. */
const MADE_FREE = 1 / 8;

/** Whoever has the edge hold bytes, and can be made to give them up. */
export interface Holder {
	/** Ends, and with it the need for what is held. */
	giveUp(): void;
}

const NONE: Account[] = [];

/**
 * The bytes that the edge holds for somebody. An account stands within another: that of a request, a connection or a
 * body within its function's, a function's within its tenant's, a tenant's within the edge's. Where one holds more
 * than it may, the largest within it are cut: of the edge's the largest tenant, of that its largest function, of that
 * its largest request.
 */
export class Account {
	readonly #above: Account | null;
	readonly #most: Bytes;
	/** Only the lowest accounts have one, and only they are held on. */
	readonly #holder: Holder | null;
	/** Those within it that hold something. An array in which each knows its place: see `pool/sandbox.ts` on Maps. */
	readonly #within: Account[];
	#place = 0;
	#held: Bytes = 0;
	#makesRoom = false;
	#closed = false;

	private constructor(above: Account | null, most: Bytes, holder: Holder | null) {
		this.#above = above;
		this.#most = most;
		this.#holder = holder;
		this.#within = holder === null ? [] : NONE;
	}

	/** The account of all, which may hold so much. */
	static ofAll(most: Bytes): Account {
		return new Account(null, most, null);
	}

	/**
	 * An account within this one, which may hold half of what this one may: whoever holds most leaves room for
	 * others.
	 */
	part(): Account {
		return new Account(this, Math.floor(this.#most / 2), null);
	}

	/** An account for what one holder has the edge hold. */
	for(holder: Holder): Account {
		return new Account(this, Math.min(MOST_OF_HOLDER, this.#most), holder);
	}

	get held(): Bytes {
		return this.#held;
	}

	get most(): Bytes {
		return this.#most;
	}

	/** So many bytes more are held. Where that is too much somebody is cut, later in this round of the event loop. */
	hold(bytes: Bytes): void {
		if (!this.#closed && bytes > 0) this.#add(bytes);
	}

	/**
	 * So many bytes less are held, at most all; what is no number of bytes changes nothing, since a sandbox may be
	 * whose word it is.
	 */
	release(bytes: Bytes): void {
		if (bytes > 0) this.#add(-Math.min(bytes, this.#held));
	}

	/** Nothing is held any more, nor will be. */
	close(): void {
		this.release(this.#held);
		this.#closed = true;
	}

	#add(bytes: Bytes): void {
		if (bytes === 0) return;
		for (let account: Account | null = this; account !== null; account = account.#above) {
			const before = account.#held;
			account.#held += bytes;
			const above = account.#above;
			if (above !== null && before === 0) above.#enter(account);
			else if (above !== null && account.#held === 0) above.#leave(account);
			if (account.#held > account.#most) account.#makeRoomSoon();
		}
	}

	#enter(account: Account): void {
		account.#place = this.#within.push(account) - 1;
	}

	#leave(account: Account): void {
		const last = this.#within.pop() as Account;
		if (last === account) return;
		this.#within[account.#place] = last;
		last.#place = account.#place;
	}

	/** Not at once: whoever holds more is in the midst of something, and may be the one that is cut. */
	#makeRoomSoon(): void {
		if (this.#makesRoom) return;
		this.#makesRoom = true;
		setImmediate(() => {
			if (this.#held > this.#most) this.#giveUp(this.#held - this.#most * (1 - MADE_FREE));
			this.#makesRoom = false;
		});
	}

	/** Gives up so many bytes at least, those of the largest within it first. */
	#giveUp(bytes: Bytes): void {
		if (this.#holder !== null) {
			this.#holder.giveUp();
			this.close();
			return;
		}
		const enough = this.#held - bytes;
		for (const account of this.#within.toSorted((a, b) => b.#held - a.#held)) {
			if (this.#held <= enough) return;
			account.#giveUp(this.#held - enough);
		}
	}
}
