/** What is wrong with a query, in words that whoever wrote it may read. */
export class SqlProblem extends Error {
	override name = "SqlProblem";
}

/** https://www.sqlite.org/rescode.html#primary_result_code_list */
const NAMES = [
	"OK",
	"ERROR",
	"INTERNAL",
	"PERM",
	"ABORT",
	"BUSY",
	"LOCKED",
	"NOMEM",
	"READONLY",
	"INTERRUPT",
	"IOERR",
	"CORRUPT",
	"NOTFOUND",
	"FULL",
	"CANTOPEN",
	"PROTOCOL",
	"EMPTY",
	"SCHEMA",
	"TOOBIG",
	"CONSTRAINT",
	"MISMATCH",
	"MISUSE",
	"NOLFS",
	"AUTH",
	"FORMAT",
	"RANGE",
	"NOTADB",
];
const AUTH = 23;
const MOST_MESSAGE = 500;

/** What SQLite has thrown, as D1 tells of it; `refusal` is why something was not authorized. */
export function problemOf(error: unknown, refusal = "not authorized"): SqlProblem {
	if (error instanceof SqlProblem) return error;
	const { message, errcode } = error as Error & { errcode?: number };
	if (errcode === undefined) return new SqlProblem(message.slice(0, MOST_MESSAGE));
	// https://www.sqlite.org/rescode.html#extended_result_code_list
	const primary = errcode & 255;
	const why = primary === AUTH && message === "not authorized" ? refusal : message;
	return new SqlProblem(`${why.slice(0, MOST_MESSAGE)}: SQLITE_${NAMES[primary] ?? primary}`);
}
