import type { DatabaseSync } from "node:sqlite";
import type { Milliseconds } from "../units.ts";

/** Calls are committed at once until they have taken so long: their results wait for it. */
const GROUP_MS: Milliseconds = 20;

/** Something that is asked for, with a number of its own. */
interface Numbered<T> {
	id: number;
	run: () => T;
}

/** The transactions of a database: one for each call, or one for several, in which each of them is a savepoint. */
export class Transactions {
	readonly #database: DatabaseSync;
	readonly #exec: (sql: string) => void;
	readonly #onCommit: (calls: Iterable<number>) => void;
	#isGroup = false;
	/** The call that is done, and those whose changes are not committed. */
	#call = 0;
	readonly #changing = new Set<number>();

	/** `exec` runs what this process says itself; `onCommit` is called before anything lasts that these calls have changed. */
	constructor(database: DatabaseSync, exec: (sql: string) => void, onCommit: (calls: Iterable<number>) => void) {
		this.#database = database;
		this.#exec = exec;
		this.#onCommit = onCommit;
	}

	/** Does what a call asks for. */
	perform<T>(id: number, run: () => T): T {
		this.#call = id;
		return run();
	}

	/** Makes changes, all of them or none. Throws what `told` makes of an error. */
	run<T>(what: () => T, told: (error: unknown) => Error): T {
		if (!this.#database.isTransaction) this.#begin();
		if (this.#isGroup) this.#exec("SAVEPOINT call");
		this.#changing.add(this.#call);
		try {
			const done = what();
			if (this.#isGroup) this.#exec("RELEASE call");
			else this.#commit();
			return done;
		} catch (error) {
			const problem = told(error);
			if (this.#database.isTransaction) this.#exec(this.#isGroup ? "ROLLBACK TO call; RELEASE call" : "ROLLBACK");
			throw problem;
		}
	}

	/**
	 * Does what calls ask for, one after the other, and commits at once what they have changed, until they have taken long
	 * enough or `isEnough` says so. Gives what came of each of these, or, as an Error, why nothing did.
	 */
	group<T>(calls: readonly Numbered<T>[], isEnough: (done: T) => boolean): (T | Error)[] {
		const until = performance.now() + GROUP_MS;
		const done: (T | Error)[] = [];
		this.#isGroup = true;
		try {
			for (const call of calls) {
				const wasOpen = this.#database.isTransaction;
				const result = this.#attempt(call);
				done.push(result);
				// A conflict, or a full disk, may undo what those before have changed, too.
				if (wasOpen && !this.#database.isTransaction) return this.#apart(calls.slice(0, done.length));
				if (performance.now() > until || (!(result instanceof Error) && isEnough(result))) break;
			}
			if (this.#database.isTransaction) this.#commit();
			return done;
		} catch {
			return this.#apart(calls.slice(0, done.length));
		} finally {
			this.#isGroup = false;
		}
	}

	#attempt<T>({ id, run }: Numbered<T>): T | Error {
		try {
			return this.perform(id, run);
		} catch (error) {
			return error as Error;
		}
	}

	/** What could not be committed at once is done again, each call for itself. */
	#apart<T>(calls: readonly Numbered<T>[]): (T | Error)[] {
		if (this.#database.isTransaction) this.#exec("ROLLBACK");
		this.#isGroup = false;
		return calls.map((call) => this.#attempt(call));
	}

	#begin(): void {
		this.#changing.clear();
		this.#exec("BEGIN IMMEDIATE");
	}

	#commit(): void {
		this.#onCommit(this.#changing);
		this.#exec("COMMIT");
	}
}
