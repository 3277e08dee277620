import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { DATABASE } from "./database.ts";
import { Refused } from "./store.ts";

/** All of it in one step: whatever is written meanwhile has no part in the copy, and does not have it begin anew. */
const ALL_PAGES = 2 ** 30;

/** Copies of the database for backups, each as it was at one moment, made beside whatever goes on. */
export class Copies {
	readonly #folder: string;
	/** What has become of each: `true` once it is there, and why it never will be. */
	readonly #made = new Map<string, boolean | Error>();

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Begins to make one, in a file of this name. */
	begin(name: string): void {
		// On a connection of its own, so that nobody waits for it.
		const database = new DatabaseSync(join(this.#folder, DATABASE), { readOnly: true });
		this.#made.set(name, false);
		backup(database, join(this.#folder, name), { rate: ALL_PAGES })
			.then(
				() => this.#made.set(name, true),
				(error: Error) => this.#made.set(name, error),
			)
			.finally(() => database.close());
	}

	/** Whether it is there. Throws Refused where it cannot be made. */
	isMade(name: string): boolean {
		const made = this.#made.get(name) ?? new Error("the process that made it is gone");
		if (typeof made !== "boolean") throw new Refused(`500 the database cannot be copied: ${made.message}`);
		if (made) this.#made.delete(name);
		return made;
	}
}
