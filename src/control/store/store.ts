import type { Documents, Kind, Timestamp } from "./documents.ts";

/** Counts the commits of a store, from 1. */
export type Sequence = number;

/** A document as it is now. */
export interface Entry<K extends Kind = Kind> {
	key: string;
	value: Documents[K];
	/** The commit that it was last changed by. */
	revision: Sequence;
}

/** One document's part in a commit. */
export type Change = {
	[K in Kind]: {
		kind: K;
		key: string;
		/** `null` removes it. */
		value: Documents[K] | null;
		/**
		 * The revision that it must have, 0 for none of its key: a commit that was thought out on what is no longer so
		 * is refused.
		 */
		expected: Sequence;
	};
}[Kind];

/** Who has done what to what: a line of the audit log. */
export interface Deed {
	/** The label of a token, or `system`. */
	actor: string;
	/** As `version.upload`. */
	action: string;
	/** The key of what it was done to. */
	target: string;
}

export interface AuditEntry extends Deed {
	sequence: Sequence;
	time: Timestamp;
}

/** What has become of a document since. */
export interface Changed {
	kind: Kind;
	key: string;
	/** `null` where it was removed. */
	value: Documents[Kind] | null;
}

/** Which documents of a kind to list, in the order of their keys. */
export interface Range {
	/** What their keys begin with. Default: anything. */
	prefix?: string;
	/** The key that they come after. Default: from the first. */
	after?: string;
	/** Default: all. */
	limit?: number;
}

/** A commit was thought out on documents that have changed since. */
export class Conflict extends Error {
	override name = "Conflict";
}

/** A commit that others got ahead of is thought out again so often. */
const MOST_TRIES = 20;

/** Thinks a commit out, and again with what others have made of its documents meanwhile. Rejects with the last Conflict. */
export async function retried<T>(attempt: () => Promise<T>): Promise<T> {
	for (let tries = 1; ; tries++) {
		try {
			return await attempt();
		} catch (error) {
			if (!(error instanceof Conflict) || tries === MOST_TRIES) throw error;
		}
	}
}

/**
 * What control keeps: documents by kind and key, changed by commits that are numbered and happen as a whole or not at
 * all. A commit that was acknowledged survives whatever ends the process or the machine. Small enough for a server of
 * several machines to stand behind it: get and compare-and-set, a list by prefix, a sequence of what changed.
 */
export interface Store {
	/** The last commit's number; 0 before the first. */
	readonly sequence: Sequence;
	get<K extends Kind>(kind: K, key: string): Promise<Entry<K> | null>;
	list<K extends Kind>(kind: K, range?: Range): Promise<Entry<K>[]>;
	/** The keys alone, of documents that may be large. */
	keys(kind: Kind, range?: Range): Promise<string[]>;
	/** Rejects with Conflict, and nothing has changed, where a document has not the revision that was expected. */
	commit(deed: Deed, changes: readonly Change[]): Promise<Sequence>;
	/** Each document that has changed after a commit, as it is now; `null` where that is too long ago to be known. */
	changes(since: Sequence): Promise<Changed[] | null>;
	/** Calls a listener after each commit, until the function that it returns is called. */
	onCommit(listener: (sequence: Sequence) => void): () => void;
	/** The latest entries of the audit log, the last one first. */
	audit(limit: number): Promise<AuditEntry[]>;
	/** Writes a copy that is consistent, while the store is at work, to a file that is not there yet. */
	backup(path: string): Promise<void>;
	close(): Promise<void>;
}
