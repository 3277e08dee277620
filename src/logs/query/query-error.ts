/** Why a query cannot be read: where, and what should have stood there. */
export class QueryError extends Error {
	override name = "QueryError";
	/** The letter at which it was noticed, from 0. */
	readonly position: number;
	readonly expected: string;

	constructor(position: number, expected: string) {
		super(`at position ${position}: expected ${expected}`);
		this.position = position;
		this.expected = expected;
	}
}
