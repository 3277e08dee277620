import { chmodSync, closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { UsageError } from "../../errors.ts";

/** Makes a file for this user alone, unless it is there; an empty one is an empty database. Its journals get its mode. */
export function makeOwn(path: string): void {
	closeSync(openSync(path, "a", 0o600));
	chmodSync(path, 0o600);
}

/** Does the migrations that a database has not seen yet. Throws UsageError for one of a newer atoll. */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
	const { user_version: done } = database.prepare("PRAGMA user_version").get() as { user_version: number };
	if (done > migrations.length)
		throw new UsageError(
			`${path} was written by a newer atoll (its format is ${done}, this one knows ${migrations.length}): upgrade atoll, or restore a backup from before`,
			"data_unusable",
		);
	for (let step = done; step < migrations.length; step++)
		database.exec(`BEGIN IMMEDIATE; ${migrations[step]}; PRAGMA user_version = ${step + 1}; COMMIT`);
}
