import { randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { lstat, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import tar from "tar-stream";
import { TenantDatabase } from "../../bindings/sql/tenant-database.ts";
import { databaseId, type TenantName, tenantName } from "../../names.ts";
import type { DataProcess } from "../../stores/data-process.ts";
import { COUNT as DATA_PROCESSES } from "../../stores/data-processes.ts";
import type { Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import { USAGE_FILE } from "../metering/metering.ts";

/** How often a data process hears that there is a backup, and is asked whether its copy is there. */
const HOLD_MS: Milliseconds = 60_000;
const ASK_MS: Milliseconds = 50;

/** Whether a file of the data folder is a copy of a database that was made for a backup. */
export const isBackupDraft = (name: string) => /^backup\.[0-9a-f]{12}\.sqlite/.test(name);

/**
 * A tar of copies of the databases, and of all uploads and large values that were there then: either is written before
 * what names it. SQL databases follow, each as it is at a moment of its own. Artifacts are made again. The key of the secrets is not in it, so that a backup alone gives nothing
 * away.
 */
export async function backupOf(control: Control): Promise<ReadableStream> {
	const draft = () => `backup.${randomBytes(6).toString("hex")}.sqlite`;
	const [copy, usage] = [draft(), draft()];
	const stores: StoresCopy[] = [];
	const end = async () => {
		for (const one of stores) one.end();
		for (const path of [copy, usage, ...stores.map(({ folder }) => join(folder, copy))])
			await rm(path, { force: true });
	};
	try {
		for (const process of control.data.all)
			if (existsSync(join(process.folder, "data.db"))) stores.push(await copyStores(process, copy));
		await control.store.backup(copy);
		await control.metering.backup(usage);
	} catch (error) {
		await end();
		throw error;
	}
	const pack = tar.pack();
	const add = async (name: string, path = name) => {
		// What is written by a process that is not trusted leads nowhere else.
		await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
		const { size, mtime } = await file.stat();
		await pipeline(file.createReadStream({ autoClose: false }), pack.entry({ name, size, mtime }));
	};
	const write = async () => {
		await add("control.sqlite", copy);
		await add(USAGE_FILE, usage);
		for (const name of await readdir("uploads")) if (!name.includes(".")) await add(join("uploads", name));
		if (existsSync(DATA_PROCESSES)) await add(DATA_PROCESSES);
		for (const { folder, blobs } of stores) {
			await add(join(folder, "data.db"), join(folder, copy));
			for (const name of await blobs()) await add(join(folder, "blobs", name));
		}
		// One after the other, so that the disk holds one copy at a time.
		const { copyingSql } = control;
		for (const { tenant, database } of await databasesIn(copyingSql.folder)) {
			const of = new TenantDatabase(copyingSql, { tenant, database }, (message) => new Error(message));
			const path = of.file("backup");
			const name = `${database}.sqlite`;
			try {
				await of.copy(path);
				await add(join("sql", tenant, name), path);
			} catch (error) {
				// One that its tenant has dropped meanwhile is in no backup.
				if (existsSync(join(copyingSql.folder, tenant, name))) throw error;
			} finally {
				await rm(path, { force: true });
			}
		}
		pack.finalize();
	};
	write()
		.catch((error: Error) => pack.destroy(error))
		.finally(end);
	return Readable.toWeb(Readable.from(pack)) as ReadableStream;
}

/** The SQL databases whose files there are: those that nobody has made by name, too. */
async function databasesIn(folder: string): Promise<{ tenant: TenantName; database: string }[]> {
	if (!existsSync(folder)) return [];
	const found: { tenant: TenantName; database: string }[] = [];
	for (const one of await readdir(folder, { withFileTypes: true })) {
		const tenant = one.name;
		if (!one.isDirectory() || !tenantName.safeParse(tenant).success) continue;
		for (const file of await readdir(join(folder, tenant))) {
			const database = databaseId.safeParse(/^(.+)\.sqlite$/.exec(file)?.[1]);
			if (database.success) found.push({ tenant, database: database.data });
		}
	}
	return found;
}

/** What functions have stored, as it was at one moment. */
interface StoresCopy {
	/** Where its process keeps it, within the data folder. */
	folder: string;
	/** The names of all large values that it names, and of some more. */
	blobs(): Promise<string[]>;
	/** Nothing of it is needed any more. */
	end(): void;
}

/** Has a data process copy its database into a file of a name: it was written by one, and control reads none of it. */
async function copyStores(data: DataProcess, name: string): Promise<StoresCopy> {
	const ask = async (operation: string, said = {}) => (await data.ask("", { store: "copies", operation, said })).said;
	// Before it is copied, and until all that it names has been read.
	await ask("hold");
	const holding = setInterval(() => ask("hold").catch(() => undefined), HOLD_MS);
	try {
		await ask("begin", { name });
		while (!(await ask("made", { name }))) await sleep(ASK_MS);
	} catch (error) {
		clearInterval(holding);
		throw error;
	}
	const { folder } = data;
	return {
		folder,
		async blobs() {
			const blobs = join(folder, "blobs");
			if (!(await lstat(blobs)).isDirectory()) throw new Error(`${blobs} is no folder`);
			return readdir(blobs);
		},
		end: () => clearInterval(holding),
	};
}
