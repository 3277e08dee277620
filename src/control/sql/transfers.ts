import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ExportOptions, StatementMeta } from "../../bindings/sql/tenant-database.ts";
import type { TenantName } from "../../names.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { SqlDatabases } from "./databases.ts";

/** A file of SQL may be so large: its database's process has it in memory. */
const MOST_IMPORT: Bytes = 64 * 2 ** 20;
/** So long a file is kept for whoever is to send or fetch it. */
const KEPT_MS: Milliseconds = 900_000;
const MOST_OF_TENANT = 10;
const FILE = /^(?:import|export|backup)\.[0-9a-f]{12}\.sql$/;

/** A file on its way into a database or out of one. */
interface Transfer {
	tenant: TenantName;
	database: string;
	path: string;
	/** Whether all of it is there. */
	isWhole: boolean;
	expires: Milliseconds;
}

/**
 * Files of SQL that go to databases and come from them by URLs which are secrets: whoever has one needs no token. They
 * are forgotten when control ends.
 */
export class SqlTransfers {
	readonly #databases: SqlDatabases;
	readonly #transfers = new Map<string, Transfer>();

	constructor(databases: SqlDatabases) {
		this.#databases = databases;
	}

	/** Gives the secret by which a file may be sent. */
	async expect(tenant: TenantName, database: string): Promise<string> {
		return this.#add("import", tenant, database);
	}

	async #add(what: "import" | "export", tenant: TenantName, database: string): Promise<string> {
		await this.#expire();
		if ([...this.#transfers.values()].filter((one) => one.tenant === tenant).length >= MOST_OF_TENANT)
			throw new ControlError("too_many_uploads", `a tenant may have ${MOST_OF_TENANT} files on their way`, 60);
		const path = (await this.#databases.open(tenant, database, "deploy")).file(what);
		const secret = randomBytes(24).toString("hex");
		const expires = performance.now() + KEPT_MS;
		this.#transfers.set(secret, { tenant, database, path, isWhole: false, expires });
		return secret;
	}

	#find(secret: string): Transfer {
		const one = this.#transfers.get(secret);
		if (one === undefined) throw new ControlError("not_found", "there is no such file, or not any more");
		return one;
	}

	/** Takes a file in. Gives its MD5. */
	async receive(secret: string, content: ReadableStream<Uint8Array>): Promise<string> {
		const one = this.#find(secret);
		if (one.isWhole) throw new ControlError("conflict", "this file was sent already");
		one.isWhole = true;
		const hash = createHash("md5");
		let bytes = 0;
		try {
			await using file = await open(one.path, "wx", 0o600);
			for await (const chunk of content) {
				bytes += chunk.byteLength;
				if (bytes > MOST_IMPORT)
					throw new ControlError("too_large", `a file of SQL may have ${MOST_IMPORT / 2 ** 20} MB at most`);
				hash.update(chunk);
				await file.write(chunk);
			}
		} catch (error) {
			await this.#remove(secret);
			throw error;
		}
		return hash.digest("hex");
	}

	/** Runs what was sent, all of it or nothing. */
	async ingest(tenant: TenantName, database: string, secret: string): Promise<{ count: number; meta: StatementMeta }> {
		const one = this.#find(secret);
		if (one.tenant !== tenant || one.database !== database || !one.isWhole)
			throw new ControlError("not_found", "the file has not been sent");
		try {
			return await (await this.#databases.open(tenant, database, "deploy")).import(one.path);
		} finally {
			await this.#remove(secret);
		}
	}

	/** Has a database written down. Gives the secret by which that is fetched, once. */
	async export(tenant: TenantName, database: string, options: ExportOptions): Promise<string> {
		const secret = await this.#add("export", tenant, database);
		const one = this.#find(secret);
		try {
			await (await this.#databases.open(tenant, database, "deploy")).export(one.path, options);
			one.isWhole = true;
		} catch (error) {
			await this.#remove(secret);
			throw error;
		}
		return secret;
	}

	/** What was written down; it is gone then. */
	async *fetch(secret: string): AsyncGenerator<Uint8Array> {
		const one = this.#find(secret);
		try {
			// What is written by a process that is not trusted leads nowhere else.
			await using file = await open(one.path, constants.O_RDONLY | constants.O_NOFOLLOW);
			yield* file.createReadStream({ autoClose: false });
		} finally {
			await this.#remove(secret);
		}
	}

	/** Whether there is an export of this secret. */
	has(secret: string): boolean {
		return this.#transfers.get(secret)?.isWhole ?? false;
	}

	async #remove(secret: string): Promise<void> {
		const one = this.#transfers.get(secret);
		this.#transfers.delete(secret);
		if (one !== undefined) await rm(one.path, { force: true });
	}

	async #expire(): Promise<void> {
		const now = performance.now();
		for (const [secret, { expires }] of this.#transfers) if (expires < now) await this.#remove(secret);
	}
}

/** Removes the files beside databases that a control which has ended left behind. */
export async function removeTransfers(folder: string): Promise<void> {
	for (const tenant of await readdir(folder, { withFileTypes: true }))
		if (tenant.isDirectory())
			for (const name of await readdir(join(folder, tenant.name)))
				if (FILE.test(name)) await rm(join(folder, tenant.name, name), { force: true });
}
