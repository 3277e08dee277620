import type { Bytes } from "../units.ts";

/** What one call may bring, as JSON. */
export const MOST_RESULT: Bytes = 8 * 2 ** 20;

/** A value as `setReadBigInts` gives it. */
export type Value = null | bigint | number | string | Uint8Array;

/** Rows as JSON: numbers as JavaScript has them, blobs as arrays of bytes. */
export class Rows {
	readonly #parts: string[] = [];
	#length = 0;
	count = 0;
	/** What all rows of the call may have still. */
	readonly #most: number;

	constructor(most: number) {
		this.#most = most;
	}

	/** In letters. */
	get length(): number {
		return this.#length;
	}

	/** Throws where that is more than a call may bring. */
	add(row: readonly Value[]): void {
		const text = `[${row.map(written).join(",")}]`;
		this.#length += text.length + 1;
		if (this.#length > this.#most) throw tooMuch();
		this.#parts.push(text);
		this.count++;
	}

	toJSON(): string {
		return `[${this.#parts.join(",")}]`;
	}
}

function written(value: Value): string {
	if (typeof value === "string") return JSON.stringify(value);
	if (value === null) return "null";
	if (typeof value === "bigint") return `${value}`;
	if (typeof value === "number") return Number.isFinite(value) ? `${value}` : value > 0 ? "1e999" : "-1e999";
	return `[${value.join(",")}]`;
}

function tooMuch(): Error {
	return Object.assign(new Error(`the results have more than ${MOST_RESULT} bytes`), { errcode: 18 });
}
