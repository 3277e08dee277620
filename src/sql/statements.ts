import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../units.ts";

/** https://developers.cloudflare.com/d1/platform/limits/ */
const MOST_SQL: Bytes = 100_000;
/** So much of a script is looked at for its next statement, in letters, and that is doubled where it is not enough. */
const FIRST_LOOK = 16_384;

/** A script, of which one statement after the other is compiled: what one needs may be made by those before it. */
export class Script {
	readonly #database: DatabaseSync;
	readonly #text: string;
	#at = 0;

	constructor(database: DatabaseSync, text: string) {
		this.#database = database;
		this.#text = text;
	}

	/** Where the next statement begins, in letters. */
	get at(): number {
		return this.#at;
	}

	/** The next statement; `null` where there is none. Throws what SQLite says of it. */
	next(): StatementSync | null {
		const text = this.#text;
		for (let length = FIRST_LOOK; ; length *= 2) {
			const end = Math.min(text.length, this.#at + length);
			const isRest = end === text.length;
			const isMost = isRest || length > MOST_SQL;
			let statement: StatementSync;
			try {
				statement = this.#database.prepare(text.slice(this.#at, end));
			} catch (error) {
				if (hasNone(error) && isRest) return null;
				if (isMost && !isRest && isCut(error as Error)) throw tooLong();
				if (isMost) throw error;
				continue; // It may go on, and make sense then.
			}
			const { sourceSQL } = statement;
			// One that ends where the look does may not be whole.
			if (!isRest && !sourceSQL.endsWith(";")) {
				if (!isMost) continue;
				throw tooLong();
			}
			if (Buffer.byteLength(sourceSQL) > MOST_SQL) throw tooLong();
			this.#at += sourceSQL.length;
			return statement;
		}
	}
}

function hasNone(error: unknown): boolean {
	return (error as { code?: string }).code === "ERR_INVALID_ARG_VALUE";
}

/** Whether a statement goes on behind what was looked at, by what SQLite says of that. */
function isCut({ message }: { message?: string }): boolean {
	return /^(?:incomplete input|unrecognized token)/.test(message ?? "");
}

function tooLong(): Error {
	// https://www.sqlite.org/rescode.html#toobig
	return Object.assign(new Error(`a statement has more than ${MOST_SQL} bytes`), { errcode: 18 });
}
