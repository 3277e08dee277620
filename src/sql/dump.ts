import type { SqlDatabase } from "./database.ts";
import { SqlProblem } from "./problem.ts";
import type { Value } from "./rows.ts";

export interface DumpOptions {
	/** Only these tables; all of them where there are none. */
	tables: readonly string[];
	schema: boolean;
	data: boolean;
}

/** A database as statements that make it anew. */
export function* dump(database: SqlDatabase, { tables, schema, data }: DumpOptions): Generator<string> {
	const isAsked = (name: Value) => tables.length === 0 || tables.includes(name as string);
	yield "PRAGMA defer_foreign_keys=TRUE;\n";
	const all = [
		...database.rows(
			"SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL ORDER BY tbl_name = 'sqlite_sequence', rowid",
		),
	] as [string, string][];
	for (const [name, sql] of all) {
		if (!isAsked(name)) continue;
		if (/^create\s+virtual/i.test(sql))
			throw new SqlProblem("D1 Export error: cannot export databases with Virtual Tables (fts5)");
		if (name === "sqlite_sequence") {
			if (schema) yield "DELETE FROM sqlite_sequence;\n";
		} else if (name.startsWith("sqlite_")) continue;
		else if (schema) yield `${sql};\n`;
		if (data) yield* inserts(database, name);
	}
	if (!schema) return;
	for (const [name, sql] of database.rows(
		"SELECT tbl_name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') AND sql NOT NULL ORDER BY rowid",
	))
		if (isAsked(name)) yield `${sql as string};\n`;
}

function* inserts(database: SqlDatabase, table: string): Generator<string> {
	// What is computed of other columns is not inserted.
	const columns = [...database.rows(`PRAGMA table_xinfo(${quoted(table)})`)]
		.filter((column) => column[6] === 0n)
		.map((column) => quoted(column[1] as string))
		.join(",");
	for (const row of database.rows(`SELECT ${columns} FROM ${quoted(table)}`))
		yield `INSERT INTO ${quoted(table)} (${columns}) VALUES(${row.map(literal).join(",")});\n`;
}

function literal(value: Value): string {
	if (value === null) return "NULL";
	if (typeof value === "string") return text(value);
	if (typeof value === "bigint") return `${value}`;
	if (typeof value === "number") {
		if (!Number.isFinite(value)) return value > 0 ? "9e999" : "-9e999";
		return Number.isInteger(value) ? value.toFixed(1) : `${value}`;
	}
	return `X'${Buffer.from(value).toString("hex")}'`;
}

/** A text as SQL has it, which ends at a NUL. */
function text(value: string): string {
	return value.includes("\0")
		? `CAST(X'${Buffer.from(value).toString("hex")}' AS TEXT)`
		: `'${value.replaceAll("'", "''")}'`;
}

function quoted(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
