import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { UsageError } from "../errors.ts";

/** What a backup may hold, and nothing that would lead elsewhere. */
const ENTRY =
	/^(?:control\.sqlite|data-processes|metering\/usage\.sqlite|uploads\/[0-9a-f]{64}|stores(?:-\d{1,2})?\/(?:data\.db|blobs\/[0-9a-z-]{1,100})|sql\/[0-9a-z_-]{1,63}\/\w[\w-]{0,99}\.sqlite)$/;

/** `atoll restore`: a data folder of a backup. It is there as a whole, or not at all. */
export async function restore(file: string, data: string): Promise<void> {
	const target = resolve(data);
	for (const [name, what] of [
		["control.sqlite", "a database"],
		["stores", "what functions have stored (stores/)"],
		["sql", "their SQL databases (sql/)"],
		["metering", "what functions have used (metering/)"],
	])
		if (existsSync(join(target, name)))
			throw new UsageError(`${data} has ${what} already: move that away first, or name another folder with --data`);
	if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`);
	const draft = join(dirname(target), `.atoll-restore-${process.pid}`);
	for (const folder of ["uploads", "stores/blobs", "sql", "metering"])
		await mkdir(join(draft, folder), { recursive: true, mode: 0o700 });
	try {
		let isWhole = false;
		const extract = tar.extract();
		const write = async () => {
			for await (const entry of extract) {
				const { name } = entry.header;
				if (!ENTRY.test(name)) throw new UsageError(`${file} is no backup of atoll: it holds ${JSON.stringify(name)}`);
				await mkdir(dirname(join(draft, name)), { recursive: true, mode: 0o700 });
				await using output = await open(join(draft, name), "wx", 0o600);
				for await (const chunk of entry) await output.write(chunk as Uint8Array);
				await output.sync();
				if (name === "control.sqlite") isWhole = true;
			}
		};
		// What ends one of them ends the other, whose own end says less.
		const ends = await Promise.allSettled([write(), pipeline(createReadStream(file), extract)]);
		for (const end of ends) if (end.status === "rejected") throw end.reason;
		if (!isWhole) throw new UsageError(`${file} is no backup of atoll: it holds no database`);
		// A key may be there already, which is to be kept.
		await mkdir(target, { recursive: true, mode: 0o700 });
		await rm(join(target, "uploads"), { recursive: true, force: true });
		// What says that it is there comes last.
		for (const name of await readdir(draft))
			if (name !== "control.sqlite") await rename(join(draft, name), join(target, name));
		await rename(join(draft, "control.sqlite"), join(target, "control.sqlite"));
	} catch (error) {
		if (error instanceof UsageError) throw error;
		throw new UsageError(
			`${file} cannot be restored: ${(error as Error).message}. It is no backup of atoll, or not all of one`,
		);
	} finally {
		await rm(draft, { recursive: true, force: true });
	}
	const hint = existsSync(join(target, "secrets.key"))
		? ""
		: `; put secrets.key there before you start it, or its secrets cannot be read`;
	console.log(`${data} is restored${hint}`);
}
