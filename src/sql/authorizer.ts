import { constants } from "node:sqlite";

const { SQLITE_OK: OK, SQLITE_DENY: DENY, SQLITE_IGNORE: IGNORE } = constants;

/** Those that read, with what a table has, and change nothing. */
const READING = new Set([
	"compile_options",
	"data_version",
	"foreign_key_check",
	"foreign_key_list",
	"function_list",
	"index_info",
	"index_list",
	"index_xinfo",
	"module_list",
	"pragma_list",
	"quick_check",
	"table_info",
	"table_list",
	"table_xinfo",
]);

/** Those that change how a connection goes on, which is not to outlive the call. */
const CHANGING = new Set([
	"case_sensitive_like",
	"defer_foreign_keys",
	"ignore_check_constraints",
	"legacy_alter_table",
	"recursive_triggers",
	"reverse_unordered_selects",
]);

/** Virtual tables of these modules may be made. */
const MODULES = new Set(["fts5", "fts5vocab"]);
/** Tables that are always there, and tell of the file and not of what is in it. */
const INTERNAL = new Set(["dbstat", "sqlite_dbpage", "sqlite_stmt", "bytecode", "tables_used"]);
/** What SQLite keeps for itself that a statement may empty and fill: counters of AUTOINCREMENT, and statistics. */
const OWN = /^sqlite_(?:master|schema|sequence|stat[134])$/i;

const WRITING = new Set<number>([
	constants.SQLITE_INSERT,
	constants.SQLITE_UPDATE,
	constants.SQLITE_DELETE,
	constants.SQLITE_ALTER_TABLE,
	constants.SQLITE_REINDEX,
	constants.SQLITE_ANALYZE,
]);
const OF_SCHEMA = new Set<number>([
	constants.SQLITE_CREATE_INDEX,
	constants.SQLITE_CREATE_TABLE,
	constants.SQLITE_CREATE_TRIGGER,
	constants.SQLITE_CREATE_VIEW,
	constants.SQLITE_DROP_INDEX,
	constants.SQLITE_DROP_TABLE,
	constants.SQLITE_DROP_TRIGGER,
	constants.SQLITE_DROP_VIEW,
	constants.SQLITE_DROP_VTABLE,
	constants.SQLITE_ALTER_TABLE,
]);

const TRANSACTION =
	"cannot begin or end a transaction by BEGIN, COMMIT, ROLLBACK or SAVEPOINT: the statements of a batch() are one";
const NOT_AUTHORIZED = "not authorized";

/**
 * Says what statements of strangers may do, as they are compiled, and what those that were compiled will do. What it
 * does not know is refused.
 */
export class Authorizer {
	/** The statements are this process's own. */
	trusts = false;
	/** What has been compiled changes the database. */
	writes = false;
	/** It changes what tables there are. */
	changesSchema = false;
	/** It changes how the connection goes on. */
	changesConnection = false;
	/** Why the last one was refused. */
	refusal = NOT_AUTHORIZED;

	/** Begins with the next statement. */
	reset(): void {
		this.writes = false;
		this.changesSchema = false;
		this.changesConnection = false;
		this.refusal = NOT_AUTHORIZED;
	}

	/** https://www.sqlite.org/c3ref/set_authorizer.html */
	readonly decide = (action: number, first: string | null, second: string | null, database: string | null): number => {
		if (this.trusts) return OK;
		if (database !== null && database !== "main") return DENY;
		switch (action) {
			case constants.SQLITE_SELECT:
			case constants.SQLITE_RECURSIVE:
				return OK;
			case constants.SQLITE_READ:
				return INTERNAL.has(`${first}`.toLowerCase()) ? DENY : OK;
			case constants.SQLITE_FUNCTION:
				return `${second}`.toLowerCase() === "load_extension" ? DENY : OK;
			case constants.SQLITE_PRAGMA:
				return this.#pragma(`${first}`.toLowerCase(), second);
			case constants.SQLITE_TRANSACTION:
			case constants.SQLITE_SAVEPOINT:
				this.refusal = TRANSACTION;
				return DENY;
			case constants.SQLITE_CREATE_VTABLE:
				if (!MODULES.has(`${second}`.toLowerCase())) return DENY;
				this.writes = true;
				this.changesSchema = true;
				return OK;
		}
		if (OF_SCHEMA.has(action)) this.changesSchema = true;
		else if (!WRITING.has(action)) return DENY;
		else if (/^sqlite_/i.test(`${first}`) && !OWN.test(`${first}`) && action !== constants.SQLITE_REINDEX) return DENY;
		this.writes = true;
		return OK;
	};

	#pragma(name: string, value: string | null): number {
		if (READING.has(name)) return OK;
		// It is always on, as whoever turns it on or off in a transaction would find, too.
		if (name === "foreign_keys") return value === null ? OK : IGNORE;
		if (name === "optimize") {
			this.writes = true;
			return OK;
		}
		if (!CHANGING.has(name)) return DENY;
		if (value !== null) {
			this.writes = true;
			this.changesConnection = true;
		}
		return OK;
	}
}
