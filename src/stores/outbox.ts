import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes, Milliseconds } from "../units.ts";
import type { Quota } from "./quota.ts";
import { concerns, type StorageAction, type StorageRule, type StorageTelling } from "./storage-rule.ts";

/** What a message takes beside its body, as for any of a queue. */
const MESSAGE_BYTES: Bytes = 100;
/** Events that a function leads to by what it does for an event are told so deep; then its chain ends. */
const MOST_DEPTH = 16;

/** A change of what is stored. */
export interface StorageChange {
	tenant: string;
	action: StorageAction;
	key: string;
	time: Milliseconds;
	/** What the event says beside the account, the action and the time. */
	about: object;
}

/** What was told of changes. */
export interface Told {
	queues: Set<string>;
	dropped: number;
}

export const newTold = (): Told => ({ queues: new Set(), dropped: 0 });

/** What an operation says of that. */
export const saidOf = ({ queues, dropped }: Told) => ({ said: { queues: [...queues], dropped } });

/**
 * Makes events of changes: messages of queues, in the transaction that makes the change. So there is an event of each
 * change that is acknowledged, and of no other.
 */
export class Outbox {
	readonly #quota: Quota;
	readonly #make: StatementSync;
	readonly #send: StatementSync;

	constructor(database: DatabaseSync, quota: Quota) {
		this.#quota = quota;
		this.#make = database.prepare("INSERT INTO queues (tenant, name) VALUES (?, ?) ON CONFLICT DO NOTHING");
		this.#send = database.prepare(
			`INSERT INTO queue_messages (queue, due, sent, attempts, lease, type, body, depth, trace)
			VALUES ((SELECT id FROM queues WHERE tenant = ? AND name = ?), ?, ?, 0, NULL, 'json', ?, ?, ?)`,
		);
	}

	/** Tells of a change as rules have it; a queue that several of them name is told once. */
	tell(change: StorageChange, rules: readonly StorageRule[], by: StorageTelling, told: Told): void {
		const { depth, trace, mostBytes } = by;
		const { tenant, action, key, time, about } = change;
		const matching = rules.filter((rule) => rule.actions.includes(action) && concerns(rule, key));
		if (matching.length === 0) return;
		const queues = new Set(matching.map(({ queue }) => queue));
		if (depth >= MOST_DEPTH) {
			told.dropped += queues.size;
			return;
		}
		const said = { account: tenant, action, ...about, eventTime: new Date(time).toISOString() };
		const body = Buffer.from(JSON.stringify(said));
		for (const queue of queues) {
			this.#quota.use(tenant, body.length + (trace?.length ?? 0) + MESSAGE_BYTES, mostBytes);
			this.#make.run(tenant, queue);
			this.#send.run(tenant, queue, time, time, body, depth + 1, trace ?? null);
			told.queues.add(queue);
		}
	}
}
