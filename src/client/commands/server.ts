import { createWriteStream, existsSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, say, table } from "../command.ts";

/** `atoll backup` */
export async function backup(file: string, options: ClientOptions): Promise<void> {
	const path = resolve(file);
	if (existsSync(path)) throw new ClientError(`${file} is there already; choose another name`, Exit.usage);
	const folder = dirname(path);
	if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
		throw new ClientError(`${file}: there is no folder ${folder}; make it, or choose another`, Exit.usage);
	const response = await clientOf(options).send("GET", "/backup");
	const draft = `${path}.part`;
	try {
		await pipeline(Readable.fromWeb(response.body as never), createWriteStream(draft, { mode: 0o600 }));
		await rename(draft, path);
	} catch (error) {
		await rm(draft, { force: true });
		const { message, syscall } = error as NodeJS.ErrnoException;
		if (syscall !== undefined) throw new ClientError(`${file} cannot be written: ${message}`, Exit.usage);
		throw new ClientError(`the backup broke off, and nothing of it was kept: ${message}; try again`, Exit.unreachable);
	}
	say(
		options,
		{ file: path },
		() => `${file} is a backup. The key of the secrets is not in it: keep secrets.key of the data folder elsewhere`,
	);
}

/** `atoll doctor` */
export async function doctor(options: ClientOptions): Promise<void> {
	const client = clientOf(options);
	const about = await client.get<Record<string, unknown>>("/doctor");
	say(options, about, () =>
		table(
			Object.entries(about).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
		),
	);
}
