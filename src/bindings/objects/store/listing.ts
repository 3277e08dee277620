import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../../units.ts";
import type { ObjectHead, ObjectList, ObjectListed } from "../calls.ts";
import { HEAD, headOf, type Row } from "./row.ts";

/** A list that tells metadata ends after so much of it. */
const MOST_METADATA: Bytes = 256 * 1024;

/** Objects in the order of their keys' bytes: each call looks at as many of them as it gives, and one more. */
export class Listing {
	readonly #bare: StatementSync;
	readonly #whole: StatementSync;

	constructor(database: DatabaseSync) {
		const where = "bucket = (SELECT id FROM buckets WHERE tenant = ? AND name = ?) AND key >= ? ORDER BY key";
		const bare = HEAD.replace("http, custom, body", "'[]' AS http, '[]' AS custom, NULL AS body");
		this.#bare = database.prepare(`SELECT ${bare} FROM objects WHERE ${where}`);
		this.#whole = database.prepare(`SELECT ${HEAD} FROM objects WHERE ${where}`);
	}

	list(asked: ObjectList): ObjectListed {
		const { limit } = asked;
		const listed: ObjectListed = { objects: [], prefixes: [], next: null };
		let metadata = 0;
		for (const { row, group } of this.#found(asked)) {
			if (listed.objects.length + listed.prefixes.length >= limit || metadata > MOST_METADATA) {
				listed.next = row.key;
				return listed;
			}
			metadata += row.http.length + row.custom.length;
			if (group === null) listed.objects.push(told(headOf(row), asked));
			else listed.prefixes.push(group);
		}
		return listed;
	}

	/** Those that begin with the prefix, and of those with a common one up to the delimiter the first, with that. */
	*#found(asked: ObjectList): Generator<{ row: Row; group: string | null }> {
		const { tenant, bucket, prefix, from, delimiter, http, custom } = asked;
		const statement = http || custom ? this.#whole : this.#bare;
		let at: string | null = Buffer.compare(Buffer.from(from), Buffer.from(prefix)) < 0 ? prefix : from;
		while (at !== null) {
			const rows = statement.iterate(tenant, bucket, at) as unknown as Iterable<Row>;
			at = null;
			for (const row of rows) {
				if (!row.key.startsWith(prefix)) return;
				const end = delimiter === "" ? -1 : row.key.indexOf(delimiter, prefix.length);
				const group = end < 0 ? null : row.key.slice(0, end + delimiter.length);
				yield { row, group };
				if (group === null) continue;
				at = behind(group);
				break;
			}
		}
	}
}

function told(head: ObjectHead, { http, custom }: ObjectList): ObjectHead {
	return { ...head, http: http ? head.http : [], custom: custom ? head.custom : [] };
}

/** The first text in the order of bytes that comes after all that begin with one; `null` where there is none. */
function behind(text: string): string | null {
	const letters = [...text];
	for (let last = letters.pop(); last !== undefined; last = letters.pop()) {
		const code = last.codePointAt(0) as number;
		// What stands for halves of a letter is none.
		if (code < 0x10ffff) return letters.join("") + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
	}
	return null;
}
