import type { StatementSync } from "node:sqlite";
import type { Quota } from "../../stores/quota.ts";
import type { DataFiles, DataStore, Done } from "../../stores/store.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import type {
	ContentType,
	GivingUp,
	Leased,
	QueueId,
	QueueLease,
	QueueSend,
	QueueSettle,
	SentTrace,
	Settled,
	WaitingQueue,
} from "./calls.ts";

/** What a message takes beside its body. */
const MESSAGE_BYTES: Bytes = 100;
/** So much comes with one lease, and one message at least. */
const MOST_LEASED: Bytes = 256 * 1024;
/** So much is removed at a time: others wait for it. */
const MOST_REMOVED: Bytes = 4 * 2 ** 20;
/** So many queues are told of at a time. */
const MOST_TOLD = 1000;

/** Messages are counted up to so many: what is asked beside them has to wait for it. */
const MOST_COUNTED = 100_000;

interface NewMessage {
	type: ContentType;
	delayMs: Milliseconds;
	trace: SentTrace;
	body: Uint8Array;
}

interface Row {
	id: number;
	queue: number;
	due: Milliseconds;
	sent: Milliseconds;
	attempts: number;
	type: ContentType;
	body: Uint8Array;
	depth: number;
	trace: SentTrace;
}

/** How many messages are due, up to as many as may be leased. */
interface Ready {
	messages: number;
	/** Since when the first of them is; `null` where none is. */
	first: Milliseconds | null;
	/** How often one of them was leased at most. */
	attempts: number;
}

/**
 * Messages of tenants' queues. A message is there from its acknowledgement on until a consumer has acknowledged it, and
 * one consumer at a time has it.
 */
export class QueueStore implements DataStore {
	readonly #quota: Quota;
	readonly #statements;

	constructor({ database, quota }: DataFiles) {
		this.#quota = quota;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		const size = "length(body) + coalesce(length(trace), 0) AS size";
		const at = "queue = (SELECT id FROM queues WHERE tenant = ? AND name = ?)";
		this.#statements = {
			make: prepare("INSERT INTO queues (tenant, name) VALUES (?, ?) ON CONFLICT DO NOTHING"),
			send: prepare(
				`INSERT INTO queue_messages (queue, due, sent, attempts, lease, type, body, trace)
				VALUES ((SELECT id FROM queues WHERE tenant = ? AND name = ?), ?, ?, 0, NULL, ?, ?, ?)`,
			),
			leased: prepare("SELECT * FROM queue_messages WHERE lease = ? ORDER BY due, id"),
			due: prepare(`SELECT * FROM queue_messages WHERE ${at} AND due <= ? ORDER BY due, id LIMIT ?`),
			// Without bodies: a queue is looked at more often than a batch of it is full.
			ready: prepare(
				`SELECT count(*) AS messages, min(due) AS first, coalesce(max(attempts), 0) AS attempts
				FROM (SELECT due, attempts FROM queue_messages WHERE ${at} AND due <= ? ORDER BY due, id LIMIT ?)`,
			),
			next: prepare(`SELECT due FROM queue_messages WHERE ${at} ORDER BY due LIMIT 1`),
			lease: prepare("UPDATE queue_messages SET lease = ?, due = ?, attempts = attempts + 1 WHERE id = ?"),
			extend: prepare("UPDATE queue_messages SET due = ? WHERE lease = ?"),
			mine: prepare(`SELECT attempts, ${size} FROM queue_messages WHERE id = ? AND lease = ?`),
			size: prepare(`SELECT ${size} FROM queue_messages WHERE id = ?`),
			remove: prepare("DELETE FROM queue_messages WHERE id = ?"),
			retry: prepare("UPDATE queue_messages SET lease = NULL, due = ?, attempts = ? WHERE id = ?"),
			move: prepare(
				`UPDATE queue_messages SET queue = (SELECT id FROM queues WHERE tenant = ? AND name = ?), lease = NULL, due = ?,
				attempts = 0 WHERE id = ?`,
			),
			waiting: prepare(
				`SELECT id, tenant, name AS queue FROM queues WHERE id > ? AND EXISTS
				(SELECT 1 FROM queue_messages WHERE queue = queues.id AND due <= ?) ORDER BY id LIMIT ${MOST_TOLD}`,
			),
			count: prepare(
				`SELECT count(*) AS messages, coalesce(sum(size), 0) AS bytes, min(sent) AS oldest
				FROM (SELECT length(body) AS size, sent FROM queue_messages WHERE ${at} LIMIT ${MOST_COUNTED})`,
			),
			some: prepare(`SELECT id, ${size} FROM queue_messages WHERE ${at} LIMIT 1000`),
			drop: prepare(
				`DELETE FROM queues WHERE tenant = ? AND name = ? AND NOT EXISTS
				(SELECT 1 FROM queue_messages WHERE queue = queues.id)`,
			),
		};
	}

	readonly reads = {
		/** Queues that have messages for a consumer now, behind one that was told before, and where to go on. */
		waiting: ({ after }: { after: number }): Done => {
			const queues = this.#statements.waiting.all(after, Date.now()) as unknown as WaitingQueue[];
			return { said: { queues, after: queues.length < MOST_TOLD ? 0 : queues[MOST_TOLD - 1].id } };
		},
		count: ({ tenant, queue }: QueueId): Done => ({ said: this.#statements.count.get(tenant, queue) }),
	};

	/** A message whose lease or settlement is forgotten is delivered again. */
	readonly unsynced = new Set(["lease", "extend", "settle"]);

	readonly writes = {
		send: ({ tenant, queue, messages, trace, mostBytes }: QueueSend, bytes: Buffer): Done => {
			let at = 0;
			for (const { type, size, delayMs } of messages) {
				this.insert({ tenant, queue }, { type, delayMs, trace, body: bytes.subarray(at, at + size) }, mostBytes);
				at += size;
			}
			return {};
		},
		lease: ({ tenant, queue, lease, most, waitMs, leaseMs, ...givingUp }: QueueLease): Done => {
			const now = Date.now();
			const again = this.#statements.leased.all(lease) as unknown as Row[];
			if (again.length > 0) return given(again, 0);
			const ready = this.#statements.ready.get(tenant, queue, now, most) as unknown as Ready;
			/** In how long a batch that is not full is due. */
			const inMs = (since: Milliseconds) => Math.max(1, since + waitMs - now);
			const isEarly = (messages: number, since: Milliseconds) => messages < most && since + waitMs > now;
			if (ready.first === null) {
				const next = this.#statements.next.get(tenant, queue) as Pick<Row, "due"> | undefined;
				if (next !== undefined) return nothing({ nextMs: inMs(next.due) });
				this.#statements.drop.run(tenant, queue);
				return nothing({});
			}
			if (ready.attempts <= givingUp.maxRetries && isEarly(ready.messages, ready.first))
				return nothing({ nextMs: inMs(ready.first), missing: most - ready.messages });
			const found = this.#statements.due.all(tenant, queue, now, most) as unknown as Row[];
			let dropped = 0;
			// Whoever had one last has died of it, perhaps: what was not settled is not delivered for ever.
			const due = found.filter((row) => {
				const { id, attempts } = row;
				if (attempts <= givingUp.maxRetries) return true;
				if (this.#giveUp({ tenant, id, size: sizeOf(row) }, givingUp)) dropped++;
				return false;
			});
			if (due.length === 0) return nothing({ nextMs: 1, dropped });
			if (isEarly(due.length, due[0].due))
				return nothing({ nextMs: inMs(due[0].due), missing: most - due.length, dropped });
			const rows = fitting(due);
			for (const row of rows) {
				this.#statements.lease.run(lease, now + leaseMs, row.id);
				row.attempts++;
			}
			return given(rows, dropped);
		},
		/** Consumers are still at work on what they have leased. */
		extend: ({ leases, leaseMs }: { leases: string[]; leaseMs: Milliseconds }): Done => {
			for (const lease of leases) this.#statements.extend.run(Date.now() + leaseMs, lease);
			return {};
		},
		settle: ({ tenant, lease, acknowledged, retried, ...givingUp }: QueueSettle): Done => {
			const now = Date.now();
			const settled: Settled = { unheld: [], dropped: 0 };
			for (const id of acknowledged) {
				const row = this.#mine(id, lease);
				if (row === null) settled.unheld.push(id);
				else this.#remove(tenant, id, row.size);
			}
			for (const { id, delayMs, counted } of retried) {
				const row = this.#mine(id, lease);
				if (row === null) settled.unheld.push(id);
				else if (!counted || row.attempts <= givingUp.maxRetries)
					this.#statements.retry.run(now + delayMs, counted ? row.attempts : row.attempts - 1, id);
				else if (this.#giveUp({ tenant, id, size: row.size }, givingUp)) settled.dropped++;
			}
			return { said: settled };
		},
		/** Removes messages, so many at a time; says whether none is left. */
		purge: ({ tenant, queue }: QueueId): Done => {
			const rows = this.#statements.some.all(tenant, queue) as unknown as { id: number; size: Bytes }[];
			let bytes = 0;
			for (const { id, size } of rows) {
				if (bytes > MOST_REMOVED) break;
				bytes += size;
				this.#remove(tenant, id, size);
			}
			if (rows.length === 0) this.#statements.drop.run(tenant, queue);
			return { said: rows.length === 0 };
		},
	};

	/** One more message. Gives its number. Throws Refused where the tenant would have stored more than it may. */
	insert({ tenant, queue }: QueueId, message: NewMessage, mostBytes?: Bytes): number {
		const { type, delayMs, trace, body } = message;
		const { make, send } = this.#statements;
		this.#quota.use(tenant, sizeOf(message) + MESSAGE_BYTES, mostBytes);
		make.run(tenant, queue);
		const now = Date.now();
		return Number(send.run(tenant, queue, now + delayMs, now, type, body, trace ?? null).lastInsertRowid);
	}

	/** Removes a message, whoever has it. */
	remove(tenant: string, id: number): void {
		const row = this.#statements.size.get(id) as { size: Bytes } | undefined;
		if (row !== undefined) this.#remove(tenant, id, row.size);
	}

	/** A message that a lease still holds. */
	#mine(id: number, lease: string): { attempts: number; size: Bytes } | null {
		return (this.#statements.mine.get(id, lease) as { attempts: number; size: Bytes } | undefined) ?? null;
	}

	/** Whether it is gone, since there is no queue for it. */
	#giveUp(message: { tenant: string; id: number; size: Bytes }, { deadLetterQueue: dead }: GivingUp): boolean {
		const { tenant, id, size } = message;
		if (dead === "") this.#remove(tenant, id, size);
		else {
			this.#statements.make.run(tenant, dead);
			this.#statements.move.run(tenant, dead, Date.now(), id);
		}
		return dead === "";
	}

	#remove(tenant: string, id: number, size: Bytes): void {
		this.#statements.remove.run(id);
		this.#quota.use(tenant, -size - MESSAGE_BYTES);
	}
}

/** What a message counts for beside what each does. */
function sizeOf({ body, trace }: Pick<Row, "body" | "trace">): Bytes {
	return body.byteLength + (trace?.length ?? 0);
}

/** As many of the first as fit into one lease. */
function fitting(rows: Row[]): Row[] {
	let bytes = 0;
	return rows.filter(({ body }, i) => {
		bytes += body.byteLength;
		return i === 0 || bytes <= MOST_LEASED;
	});
}

function given(rows: Row[], dropped: number): Done {
	const messages = rows.map(({ id, sent, attempts, type, body, depth, trace }) => ({
		id,
		sent,
		attempts,
		type,
		size: body.byteLength,
		depth,
		trace,
	}));
	const said: Leased = { messages, nextMs: null, missing: 0, dropped };
	return { said, bytes: Buffer.concat(rows.map(({ body }) => body)) };
}

/** A lease of no message. */
function nothing(said: Partial<Leased>): Done {
	return { said: { messages: [], nextMs: null, missing: 0, dropped: 0, ...said } satisfies Leased };
}
