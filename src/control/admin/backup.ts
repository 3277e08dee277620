import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import type { Control } from "../control.ts";

/** Whether a file of the data folder is a copy of the database that was made for a backup. */
export const isBackupDraft = (name: string) => /^backup\.[0-9a-f]{12}\.sqlite/.test(name);

/**
 * A tar of a copy of the database, and of all uploads that were there then: an upload is written before what names it.
 * Artifacts are made again. The key of the secrets is not in it, so that a backup alone gives nothing away.
 */
export async function backupOf(control: Control): Promise<ReadableStream> {
	const copy = `backup.${randomBytes(6).toString("hex")}.sqlite`;
	await control.store.backup(copy);
	const pack = tar.pack();
	const add = async (name: string, path: string) => {
		const { size, mtime } = await stat(path);
		await pipeline(createReadStream(path), pack.entry({ name, size, mtime }));
	};
	const write = async () => {
		await add("control.sqlite", copy);
		for (const name of await readdir("uploads"))
			if (!name.includes(".")) await add(join("uploads", name), join("uploads", name));
		pack.finalize();
	};
	write()
		.catch((error: Error) => pack.destroy(error))
		.finally(() => rm(copy, { force: true }));
	return Readable.toWeb(Readable.from(pack)) as ReadableStream;
}
