import type { BindingNumber } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import { concatBytes, copyBytes, encodeUtf8, isBufferSource } from "../../prelude/encoding/bytes.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { asInterface, requireArguments, toDictionary } from "../../prelude/interface.ts";
import { quote } from "../../prelude/json.ts";
import type { SqlOperation } from "./schema.ts";

const SECRET = Symbol("construct");

type Row = Record<string, unknown>;
interface D1Result {
	success: true;
	results: Row[];
	meta: object;
}
/** What one statement has come to, as its database's process tells it. */
interface Told {
	columns: string[];
	rows: unknown[][];
	meta: object;
}

/** A query that was prepared, for the isolate's own use. */
interface Prepared {
	database: Database;
	sql: string;
	params: Param[];
}

/** A value that is bound: a blob, or what JSON can hold, as JSON. */
type Param = string | Uint8Array;

/** A database as a session, or nobody in particular, asks it. */
class Database {
	readonly #binding: BindingNumber;
	bookmark: string | null = null;

	constructor(binding: BindingNumber, bookmark: string | null) {
		this.#binding = binding;
		this.bookmark = bookmark;
	}

	/** `text` goes as a line, with blobs behind it. */
	async ask(operation: SqlOperation, text: string, blobs: Uint8Array[], kind = "D1_ERROR"): Promise<unknown> {
		const line = encodeUtf8(blobs.length === 0 ? text : `${text}\n`);
		const parts = [line];
		for (let i = 0; i < blobs.length; i++) parts.push(blobs[i] as Uint8Array<ArrayBuffer>);
		const body = new Body(blobs.length === 0 ? line : concatBytes(parts), null);
		const call = new Call(this.#binding, { what: `D1 ${operation}`, argument: operation, body, signal: null });
		await call.answered;
		if (call.failure !== null) throw failure(kind, call.failure);
		this.bookmark = call.text;
		return JSON.parse(call.body === null ? "[]" : await call.body.text()) as unknown;
	}
}

let preparedOf: (statement: unknown) => Prepared | null;

/** https://developers.cloudflare.com/d1/worker-api/prepared-statements/ */
export class D1PreparedStatement {
	readonly #prepared: Prepared;

	constructor(secret?: unknown, prepared?: Prepared) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#prepared = prepared as Prepared;
	}

	bind(...values: unknown[]): D1PreparedStatement {
		const params: Param[] = [];
		for (let i = 0; i < values.length; i++) params.push(paramOf(values[i]));
		const { database, sql } = this.#prepared;
		return new D1PreparedStatement(SECRET, { database, sql, params });
	}

	async first(column?: unknown): Promise<unknown> {
		const row = (await this.all()).results[0];
		if (row === undefined) return null;
		if (column === undefined) return row;
		const name = `${column as string}`;
		if (!Object.hasOwn(row, name)) throw failure("D1_COLUMN_NOTFOUND", `Column not found (${name})`);
		return row[name];
	}

	async all(): Promise<D1Result> {
		return resultOf(await this.#ask());
	}

	async run(): Promise<D1Result> {
		return resultOf(await this.#ask());
	}

	async raw(options?: unknown): Promise<unknown[][]> {
		const { columnNames } = toDictionary(options, "D1PreparedStatement.raw");
		const { columns, rows } = await this.#ask();
		if (!columnNames) return rows;
		const all: unknown[][] = [columns];
		for (let i = 0; i < rows.length; i++) all.push(rows[i]);
		return all;
	}

	async #ask(): Promise<Told> {
		const blobs: Uint8Array[] = [];
		const query = queryOf(this.#prepared, blobs);
		return ((await this.#prepared.database.ask("query", query, blobs)) as Told[])[0];
	}

	static {
		preparedOf = (one) => (typeof one === "object" && one !== null && #prepared in one ? one.#prepared : null);
	}
}
asInterface(D1PreparedStatement, "D1PreparedStatement", { constructor: 0, bind: 0, first: 0, raw: 0 });

/** https://developers.cloudflare.com/d1/worker-api/d1-database/#withsession */
export class D1DatabaseSession {
	readonly #database: Database;

	constructor(secret?: unknown, database?: Database) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#database = database as Database;
	}

	prepare(query: unknown): D1PreparedStatement {
		requireArguments(arguments.length, 1, "D1DatabaseSession.prepare");
		return prepare(this.#database, query);
	}

	async batch(statements: unknown): Promise<D1Result[]> {
		return batch(this.#database, statements);
	}

	getBookmark(): string | null {
		return this.#database.bookmark;
	}
}
asInterface(D1DatabaseSession, "D1DatabaseSession", { constructor: 0 });

/** https://developers.cloudflare.com/d1/worker-api/d1-database/ */
export class D1Database {
	readonly #binding: BindingNumber;
	readonly #database: Database;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
		this.#database = new Database(this.#binding, null);
	}

	prepare(query: unknown): D1PreparedStatement {
		requireArguments(arguments.length, 1, "D1Database.prepare");
		return prepare(this.#database, query);
	}

	async batch(statements: unknown): Promise<D1Result[]> {
		return batch(this.#database, statements);
	}

	async exec(query: unknown): Promise<unknown> {
		requireArguments(arguments.length, 1, "D1Database.exec");
		return this.#database.ask("exec", `${query as string}`, [], "D1_EXEC_ERROR");
	}

	withSession(constraintOrBookmark?: unknown): D1DatabaseSession {
		const given =
			constraintOrBookmark === undefined || constraintOrBookmark === null
				? "first-unconstrained"
				: `${constraintOrBookmark as string}`;
		if (given === "") throw failure("D1_SESSION_ERROR", "Invalid bookmark or constraint");
		// There is one copy of a database, which has seen whatever a bookmark stands for.
		const bookmark = given === "first-primary" || given === "first-unconstrained" ? null : given;
		return new D1DatabaseSession(SECRET, new Database(this.#binding, bookmark));
	}

	async dump(): Promise<never> {
		throw failure("D1_DUMP_ERROR", "dump() is not there: export the database (wrangler d1 export, atoll sql export)");
	}
}
asInterface(D1Database, "D1Database", { constructor: 0, withSession: 0 });

function prepare(database: Database, query: unknown): D1PreparedStatement {
	return new D1PreparedStatement(SECRET, { database, sql: `${query as string}`, params: [] });
}

async function batch(database: Database, statements: unknown): Promise<D1Result[]> {
	if (!Array.isArray(statements)) throw new TypeError("D1Database.batch: statements is not an array");
	const blobs: Uint8Array[] = [];
	let text = "[";
	for (let i = 0; i < statements.length; i++) {
		const prepared = preparedOf(statements[i]);
		if (prepared === null) throw new TypeError("D1Database.batch: a statement is not a D1PreparedStatement");
		text += `${i === 0 ? "" : ","}${queryOf(prepared, blobs)}`;
	}
	if (statements.length === 0) throw failure("D1_ERROR", "No SQL statements detected.");
	const told = (await database.ask("batch", `${text}]`, blobs)) as Told[];
	const results: D1Result[] = [];
	for (let i = 0; i < told.length; i++) results.push(resultOf(told[i]));
	return results;
}

/** As JSON, which asks no object how it wants to be written. Its blobs are added to those that go behind it. */
function queryOf({ sql, params }: Prepared, blobs: Uint8Array[]): string {
	let text = "";
	for (let i = 0; i < params.length; i++) {
		const param = params[i];
		if (typeof param !== "string") blobs.push(param);
		text += `${i === 0 ? "" : ","}${typeof param === "string" ? param : `{"blob":${param.length}}`}`;
	}
	return `{"sql":${quote(sql)},"params":[${text}]}`;
}

function paramOf(value: unknown): Param {
	if (typeof value === "string") return quote(value);
	if (typeof value === "boolean") return value ? "1" : "0";
	if (value === null) return "null";
	if (typeof value === "number") {
		if (Number.isNaN(value)) return "null"; // As SQLite has NaN.
		return value === Infinity ? "1e999" : value === -Infinity ? "-1e999" : `${value}`;
	}
	if (isBufferSource(value)) return copyBytes(value);
	if (Array.isArray(value) && areBytes(value)) return new Uint8Array(value);
	const what = `Type '${typeof value}' not supported for value '${describe(value)}'`;
	throw failure("D1_TYPE_ERROR", what);
}

function describe(value: unknown): string {
	try {
		return `${value as string}`;
	} catch {
		return typeof value;
	}
}

function areBytes(list: unknown[]): list is number[] {
	for (let i = 0; i < list.length; i++) {
		const one = list[i];
		if (typeof one !== "number" || !(one >= 0 && one < 256)) return false;
	}
	return true;
}

function resultOf({ columns, rows, meta }: Told): D1Result {
	const results: Row[] = [];
	for (let i = 0; i < rows.length; i++) {
		const row: Row = {};
		const values = rows[i];
		for (let j = 0; j < columns.length; j++) {
			const name = columns[j];
			if (name === "__proto__")
				Object.defineProperty(row, name, { value: values[j], writable: true, enumerable: true, configurable: true });
			else row[name] = values[j];
		}
		results.push(row);
	}
	return { success: true, meta, results };
}

/** An error as Workers have it, whose cause says the same without its kind. */
function failure(kind: string, message: string): Error {
	return new Error(`${kind}: ${message}`, { cause: new Error(message) });
}

export const create = (binding: BindingNumber): D1Database => new D1Database(SECRET, binding);
