import type { StatementSync } from "node:sqlite";
import type { BucketRule, StorageRule } from "../../../stores/storage-rule.ts";
import { type DataFiles, Refused } from "../../../stores/store.ts";
import type { BucketId } from "../calls.ts";

const MOST_RULES = 100;

interface Row {
	id: string;
	queue: string;
	rule: string;
	created: number;
}

/** Rules that are a bucket's own: all that change it tell by them, also where they know of none. */
export class BucketRules {
	readonly #statements;

	constructor({ database }: DataFiles) {
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		this.#statements = {
			all: prepare(
				"SELECT id, queue, rule, created FROM bucket_rules WHERE tenant = ? AND bucket = ? ORDER BY created, id",
			),
			add: prepare(
				"INSERT INTO bucket_rules (id, tenant, bucket, queue, rule, created) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			),
			remove: prepare("DELETE FROM bucket_rules WHERE tenant = ? AND bucket = ? AND id = ?"),
			drop: prepare("DELETE FROM bucket_rules WHERE tenant = ? AND bucket = ?"),
			buckets: prepare("SELECT DISTINCT bucket FROM bucket_rules WHERE tenant = ? AND queue = ?"),
		};
	}

	of({ tenant, bucket }: BucketId): BucketRule[] {
		const rows = this.#statements.all.all(tenant, bucket) as unknown as Row[];
		return rows.map(({ id, queue, rule, created }) => ({
			...(JSON.parse(rule) as Omit<StorageRule, "queue">),
			...{ id, queue, created },
		}));
	}

	add({ tenant, bucket }: BucketId, rule: BucketRule): void {
		const { id, queue, created, ...rest } = rule;
		if (this.of({ tenant, bucket }).length >= MOST_RULES)
			throw new Refused(`400 a bucket has up to ${MOST_RULES} rules of its own: remove one first`);
		this.#statements.add.run(id, tenant, bucket, queue, JSON.stringify(rest), created);
	}

	remove({ tenant, bucket }: BucketId, ids: readonly string[]): void {
		for (const id of ids) this.#statements.remove.run(tenant, bucket, id);
	}

	drop({ tenant, bucket }: BucketId): void {
		this.#statements.drop.run(tenant, bucket);
	}

	/** The buckets that tell a queue. */
	telling(tenant: string, queue: string): string[] {
		return (this.#statements.buckets.all(tenant, queue) as unknown as { bucket: string }[]).map(({ bucket }) => bucket);
	}
}
