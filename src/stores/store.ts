import type { DatabaseSync } from "node:sqlite";
import type { Blobs } from "./blobs.ts";
import type { Outbox } from "./outbox.ts";
import type { Quota } from "./quota.ts";

/** What came of an operation. */
export interface Done {
	/** For the edge's side of the binding; anything that JSON can hold. */
	said?: unknown;
	bytes?: Uint8Array;
}

/**
 * An operation of a store: reads or changes what is kept, at once. Throws Refused for what cannot be; what it has changed
 * is undone where it throws.
 */
type Operation = (said: never, bytes: Buffer) => Done;

/** The same for what waits for the disk, while others go on: it changes nothing in a database. */
type SlowOperation = (said: never, bytes: Buffer) => Promise<Done>;

/** What a binding's `store.ts` makes, in the data process: operations by their names. */
export interface DataStore {
	/** Those that change what is kept, which are written to the disk before they are acknowledged. */
	readonly writes: Readonly<Record<string, Operation>>;
	/**
	 * The names of those of them that are acknowledged before that, where nothing beside them has to be on the disk: they
	 * outlive the process, but where the machine goes down they may not have been, and are done again.
	 */
	readonly unsynced?: ReadonlySet<string>;
	readonly reads: Readonly<Record<string, Operation | SlowOperation>>;
	/** The names of the blobs that it keeps, if any; those of no store are removed when a data process starts. */
	blobs?(): Iterable<string>;
}

/** What a store is kept in. */
export interface DataFiles {
	database: DatabaseSync;
	blobs: Blobs;
	quota: Quota;
	outbox: Outbox;
}

/** Something cannot be done, and why, in words that whoever asked may read. */
export class Refused extends Error {
	override name = "Refused";
}
