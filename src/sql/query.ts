import { SqlProblem } from "./problem.ts";

export type Param = null | number | string | Uint8Array;

/** Statements with what is bound to the last of them. */
export interface Query {
	sql: string;
	params: readonly Param[];
}

/** The query that bytes stand for: a line of JSON, and behind it the blobs that it names, one after the other. */
export function queryIn(bytes: Buffer): Query {
	const { given, blobs } = parsed(bytes);
	return queryOf(given, blobs);
}

/** The same for a list of them. */
export function queriesIn(bytes: Buffer): Query[] {
	const { given, blobs } = parsed(bytes);
	if (!Array.isArray(given)) throw new SqlProblem("a batch is a list of statements");
	return given.map((one) => queryOf(one, blobs));
}

/** Bytes that are taken in their order. */
class Blobs {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	take(length: number): Uint8Array {
		const from = this.#at;
		this.#at += length;
		return this.#bytes.subarray(from, this.#at);
	}
}

function parsed(bytes: Buffer): { given: unknown; blobs: Blobs } {
	const end = bytes.indexOf("\n");
	const line = end === -1 ? bytes : bytes.subarray(0, end);
	try {
		return { given: JSON.parse(line.toString()), blobs: new Blobs(bytes.subarray(line.length + 1)) };
	} catch {
		throw new SqlProblem("what is asked for makes no sense");
	}
}

function queryOf(given: unknown, blobs: Blobs): Query {
	const { sql, params = [] } = (given ?? {}) as { sql?: unknown; params?: unknown };
	if (typeof sql !== "string" || !Array.isArray(params)) throw new SqlProblem("what is asked for makes no sense");
	return { sql, params: params.map((one) => paramOf(one, blobs)) };
}

function paramOf(given: unknown, blobs: Blobs): Param {
	if (given === null || typeof given === "string" || typeof given === "number") return given;
	if (typeof given === "boolean") return given ? 1 : 0;
	if (Array.isArray(given)) return Uint8Array.from(given as number[]);
	const { blob } = given as { blob?: unknown };
	if (typeof blob !== "number") throw new SqlProblem("a parameter is of no type that SQL has");
	return blobs.take(blob);
}
