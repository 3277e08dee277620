import { createReadStream, createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Client } from "../client.ts";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, listing, progress, say } from "../command.ts";

interface SqlOptions extends ClientOptions {
	file?: string;
}

interface DatabaseInfo {
	id: string;
	name: string;
	created: string;
}

interface Statement {
	columns: string[];
	rows: unknown[][];
	meta: { changes: number };
}

/** As wrangler has it, so that either goes on where the other has ended. */
const MIGRATIONS = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
SELECT name FROM "d1_migrations" ORDER BY id`;

/** `atoll sql` */
export async function sql(
	action: string,
	name: string | undefined,
	what: string | undefined,
	options: SqlOptions,
): Promise<void> {
	const client = clientOf(options);
	const all = `/tenants/${encodeURIComponent(options.tenant)}/databases`;
	if (action === "list") {
		const databases = await client.get<DatabaseInfo[]>(all);
		say(options, databases, () =>
			listing(
				["NAME", "ID", "CREATED"],
				databases.map((one) => [one.name, one.id, one.created]),
				`the tenant ${options.tenant} has no SQL databases yet: \`atoll sql create NAME\` makes one`,
			),
		);
		return;
	}
	if (name === undefined) throw new ClientError(`which database? atoll sql ${action} DATABASE`, Exit.usage);
	const path = `${all}/${encodeURIComponent(name)}`;
	switch (action) {
		case "create": {
			const made = await client.ask<DatabaseInfo>("POST", all, { name });
			say(options, made, () => `${made.name} was made; functions are bound to it by its name or its id, ${made.id}`);
			return;
		}
		case "delete":
			await client.ask("DELETE", path);
			say(options, {}, () => `${name} was removed`);
			return;
		case "execute":
			if (options.file !== undefined) await importFile(client, path, options.file, options);
			else await execute(client, path, required(what, "which statements? atoll sql execute DATABASE SQL"), options);
			return;
		case "export": {
			const file = required(what, "into which file? atoll sql export DATABASE FILE");
			const { body } = await client.send("GET", `${path}/export`);
			await pipeline(Readable.fromWeb(body as never), createWriteStream(file));
			say(options, { file }, () => `${name} is in ${file}`);
			return;
		}
		default:
			await migrate(client, path, what ?? "migrations", options);
	}
}

function required(what: string | undefined, question: string): string {
	if (what === undefined) throw new ClientError(question, Exit.usage);
	return what;
}

const query = (client: Client, path: string, text: string) =>
	client.ask<Statement[]>("POST", `${path}/query`, { sql: text });

async function execute(client: Client, path: string, text: string, options: SqlOptions): Promise<void> {
	const results = await query(client, path, text);
	const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
	say(options, results, () =>
		results
			.map(({ columns, rows, meta }) =>
				columns.length === 0
					? `${meta.changes} ${meta.changes === 1 ? "row" : "rows"} changed`
					: listing(
							columns,
							rows.map((row) => row.map(shown)),
							"no rows",
						),
			)
			.join("\n\n"),
	);
}

async function importFile(client: Client, path: string, file: string, options: SqlOptions): Promise<void> {
	refuseMissing(file, "file");
	const body = Readable.toWeb(createReadStream(file)) as ReadableStream;
	const response = await client.send("POST", `${path}/import`, { body, duplex: "half" } as RequestInit);
	const done = (await response.json()) as { count: number; rowsWritten: number };
	say(options, done, () => `${done.count} statements were run, ${done.rowsWritten} rows written`);
}

function refuseMissing(path: string, what: string): void {
	if (!existsSync(path)) throw new ClientError(`${path}: there is no such ${what}`, Exit.usage);
}

/** Applies those of a folder's migrations that the database does not have, each as a whole. */
async function migrate(client: Client, path: string, folder: string, options: SqlOptions): Promise<void> {
	refuseMissing(folder, "folder");
	const files = readdirSync(folder)
		.filter((file) => file.endsWith(".sql"))
		.sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1));
	const applied = new Set((await query(client, path, MIGRATIONS)).at(-1)?.rows.map(([file]) => file));
	const missing = files.filter((file) => !applied.has(file));
	for (const file of missing) {
		progress(options, `applying ${file}`);
		const record = `INSERT INTO "d1_migrations" (name) values ('${file.replaceAll("'", "''")}');`;
		// The last statement of a file may come without its semicolon.
		await query(client, path, `${readFileSync(join(folder, file), "utf8")}\n;${record}`).catch((error) => {
			throw error instanceof ClientError ? new ClientError(`${file}: ${error.message}`, error.exitCode) : error;
		});
	}
	say(options, { applied: missing }, () =>
		missing.length === 0 ? "there is nothing to apply" : `${counted(missing.length, "migration")} applied`,
	);
}

const counted = (count: number, what: string) => (count === 1 ? `1 ${what} was` : `${count} ${what}s were`);

/** What a migration's name begins with. */
function numberOf(file: string): number {
	return Number.parseInt(file, 10) || 0;
}
