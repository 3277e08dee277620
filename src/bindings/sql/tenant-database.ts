import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import type { TenantName } from "../../names.ts";
import type { SqlProcesses } from "../../stores/sql-processes.ts";
import type { Bytes, Milliseconds } from "../../units.ts";

/** Who administers a database may let it compute for longer than a function may, and longest what takes in or gives all of it. */
const MOST_CPU_MS: Milliseconds = 30_000;
const MOST_CPU_OF_ALL_MS: Milliseconds = 300_000;
const OF_ALL = ["import", "export", "copy", "drop"];

/** What a statement has come to, as a process of SQL tells it. */
export interface StatementResult {
	columns: string[];
	rows: unknown[][];
	meta: StatementMeta;
}

export interface StatementMeta {
	duration: Milliseconds;
	changes: number;
	rows_read: number;
	rows_written: number;
	size_after: Bytes;
	[more: string]: unknown;
}

/** What is to be in an export. */
export interface ExportOptions {
	tables: string[];
	schema: boolean;
	data: boolean;
}

/** A tenant's database, as whoever administers it uses it. What is refused is told in words for that. */
export class TenantDatabase {
	readonly #sql: SqlProcesses;
	readonly #tenant: TenantName;
	readonly #database: string;
	readonly #refused: (message: string) => Error;

	/** `refused` makes an error of why something was not done. */
	constructor(
		sql: SqlProcesses,
		{ tenant, database }: { tenant: TenantName; database: string },
		refused: (message: string) => Error,
	) {
		this.#refused = refused;
		this.#sql = sql;
		this.#tenant = tenant;
		this.#database = database;
	}

	async #ask(operation: string, said: object = {}, bytes?: Uint8Array) {
		const cpuMs = OF_ALL.includes(operation) ? MOST_CPU_OF_ALL_MS : MOST_CPU_MS;
		const call = { operation, database: this.#database, said, cpuMs, ...(bytes && { bytes }) };
		try {
			return await this.#sql.ask(this.#tenant, call);
		} catch (error) {
			throw this.#refused((error as Error).message);
		}
	}

	/** Makes it, where it is missing. */
	async create(): Promise<void> {
		await this.#ask("create");
	}

	/** Runs statements, all of them or none. */
	async run(sql: string, params: readonly unknown[] = []): Promise<StatementResult[]> {
		const { bytes } = await this.#ask("script", {}, Buffer.from(JSON.stringify({ sql, params })));
		return JSON.parse(Buffer.from(bytes).toString()) as StatementResult[];
	}

	/** The same for several, each with what is bound to it. */
	async batch(
		queries: readonly { sql: string; params?: readonly unknown[] | undefined }[],
	): Promise<StatementResult[]> {
		const { bytes } = await this.#ask("batch", {}, Buffer.from(JSON.stringify(queries)));
		return JSON.parse(Buffer.from(bytes).toString()) as StatementResult[];
	}

	/** How large it is, and how many tables it has. */
	async about(): Promise<{ size: Bytes; tables: number }> {
		return JSON.parse((await this.#ask("about")).text) as { size: Bytes; tables: number };
	}

	/** The path of a new file for an import, an export or a backup, which its database's process can read and write. */
	file(what: "import" | "export" | "backup"): string {
		return join(this.#sql.folderOf(this.#tenant), `${what}.${randomBytes(6).toString("hex")}.sql`);
	}

	/** Runs all statements of a file, or none. */
	async import(path: string): Promise<{ count: number; meta: StatementMeta }> {
		const { text } = await this.#ask("import", { file: basename(path) });
		return JSON.parse(text) as { count: number; meta: StatementMeta };
	}

	/** Writes into a file the statements that make it anew. */
	async export(path: string, options: ExportOptions): Promise<void> {
		await this.#ask("export", { file: basename(path), options });
	}

	/** Writes a copy of it, as it is at one moment, into a file. */
	async copy(path: string): Promise<void> {
		await this.#ask("copy", { file: basename(path) });
	}

	/** Removes it with all that is in it. */
	async drop(): Promise<void> {
		await this.#ask("drop");
	}
}
