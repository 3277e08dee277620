import { randomUUID } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SentTrace } from "../bindings/queue/calls.ts";
import type { QueueStore } from "../bindings/queue/store.ts";
import type { Quota } from "../stores/quota.ts";
import type { DataFiles, DataStore, Done } from "../stores/store.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import {
	type Attempted,
	type InvocationLease,
	type InvocationSettings,
	type InvocationState,
	invocationQueue,
	type LeasedInvocation,
	type NewInvocation,
	type TakeIn,
	type TakenIn,
} from "./invocation-calls.ts";

/** What an invocation takes beside what it is called with, and a key under which something was taken in. */
const INVOCATION_BYTES: Bytes = 300;
const TAKEN_BYTES: Bytes = 150;
/** What has ended is known for so long, and so many of a tenant; what could not be performed is given up after as long. */
const KEPT_MS: Milliseconds = 3 * 24 * 3600_000;
const MOST_KEPT = 10_000;
/** It is looked whether there are more of them each time that so many have ended. */
const TRIM_EVERY = 100;
/** So many are removed at a time: others wait for it. */
const MOST_REMOVED = 200;
/** How often one is tried that a destination is told by. */
const DESTINATION_RETRIES = 3;
const MOST_LISTED = 100;
const LOST = "whoever performed it died each time";
/** So many of these are given up at a time. */
const MOST_LOST = 20;
const NOTHING = new Uint8Array();
/** An answer is kept once, and told in JSON, in which a letter may have six: a tenant without room for it has none kept. */
const TIMES_IN_ALL = 7;
const NOT_THERE = "there was nobody to perform it: the function is gone, or was paused for too long";

interface Row {
	id: string;
	tenant: string;
	function: string;
	message: number | null;
	created: Milliseconds;
	settings: string;
	state: InvocationState["state"];
	attempts: number;
	ended: Milliseconds | null;
	status: number;
	error: string | null;
	result: Uint8Array | null;
	size: Bytes;
	/** Of its message, where that is there. */
	due: Milliseconds | null;
	lease: string | null;
	tries: number | null;
	trace: SentTrace;
}

type Ending = Pick<Attempted, "status" | "error"> & { state: "succeeded" | "failed" | "cancelled"; body: Uint8Array };

/**
 * Invocations that nobody waits for: each is a message of its function's own queue, and a row that says what has become
 * of it, which stays for a while.
 */
export class InvocationStore implements DataStore {
	readonly #queue: QueueStore;
	readonly #quota: Quota;
	readonly #statements;
	#ended = 0;

	constructor({ database, quota }: DataFiles, queue: QueueStore) {
		this.#queue = queue;
		this.#quota = quota;
		this.#statements = prepared(database);
	}

	readonly reads = {
		/** What has become of one; `null` where it is not known. The answer's body comes beside it. */
		get: ({ tenant, function: name, id }: { tenant: string; function: string; id: string }): Done => {
			const row = this.#statements.get.get(id) as unknown as Row | undefined;
			if (row === undefined || row.tenant !== tenant || row.function !== name) return { said: null };
			return { said: stateOf(row), ...(row.result !== null && { bytes: row.result }) };
		},
		/** The latest of a function, the last one first. */
		list: ({ tenant, function: name }: { tenant: string; function: string }): Done => ({
			said: (this.#statements.list.all(tenant, name) as unknown as Row[]).map(stateOf),
		}),
	};

	readonly writes = {
		/** Takes in what is to be done later; twice the same under a key is once. */
		take: ({ tenant, once, invocations, messages, trace, mostBytes }: TakeIn, bytes: Buffer): Done => {
			const before = once === null ? undefined : this.#statements.taken.get(tenant, once.scope, once.key);
			if (before !== undefined && (before.expires as Milliseconds) > Date.now())
				return { said: { repeated: true, invocation: String(before.invocation) } satisfies TakenIn };
			let at = 0;
			const next = (size: Bytes) => {
				at += size;
				return bytes.subarray(at - size, at);
			};
			for (const one of invocations) this.#add(tenant, one, { body: next(one.size), trace }, mostBytes);
			for (const { queue, type, size } of messages)
				this.#queue.insert({ tenant, queue }, { type, delayMs: 0, trace, body: next(size) }, mostBytes);
			const said: TakenIn = { repeated: false, invocation: invocations[0]?.id ?? "" };
			if (once !== null) {
				this.#statements.takeOnce.run({ tenant, ...once, id: said.invocation, expires: Date.now() + KEPT_MS });
				if (before === undefined) this.#quota.use(tenant, TAKEN_BYTES, mostBytes);
			}
			return { said };
		},
		/** One that is due, for whoever asks first; `null` where none is. */
		lease: ({ tenant, function: name, lease, leaseMs }: InvocationLease): Done => {
			const to = { tenant, queue: invocationQueue(name), maxRetries: Number.POSITIVE_INFINITY, deadLetterQueue: "" };
			for (let lost = 0; lost < MOST_LOST; lost++) {
				const done = this.#queue.writes.lease({ ...to, lease, leaseMs, most: 1, waitMs: 0 });
				const { messages } = done.said as { messages: { id: number; attempts: number }[] };
				if (messages.length === 0) break;
				const [{ id: message, attempts }] = messages;
				const row = this.#statements.ofMessage.get(message) as unknown as Row;
				const { event, retries } = JSON.parse(row.settings) as InvocationSettings;
				const said: LeasedInvocation = { message, id: row.id, attempts, created: row.created, event, trace: row.trace };
				if (attempts <= retries + 1) return { said, ...(done.bytes !== undefined && { bytes: done.bytes }) };
				this.#drop({ ...row, tries: attempts - 1 }, { state: "failed", status: 0, error: LOST, body: NOTHING });
			}
			return { said: null };
		},
		/** What came of an attempt. Says which queues have messages by that; nothing is done where the lease is over. */
		finish: (attempted: Attempted, answer: Buffer): Done => {
			const { tenant, function: name, lease, message, outcome, again, delayMs, status, error } = attempted;
			const row = this.#statements.held.get(message, lease) as unknown as Row | undefined;
			if (row === undefined) return { said: [] };
			const { retries } = JSON.parse(row.settings) as InvocationSettings;
			const tries = row.tries as number;
			const counted = outcome !== "unseen";
			const isOver = outcome === "ok" || (counted && (!again || tries > retries));
			this.#queue.writes.settle({
				...{ tenant, queue: invocationQueue(name), lease },
				...{ maxRetries: Number.POSITIVE_INFINITY, deadLetterQueue: "" },
				acknowledged: isOver ? [message] : [],
				retried: isOver ? [] : [{ id: message, delayMs, counted }],
			});
			if (isOver) {
				const hasRoom = this.#quota.hasRoom(tenant, answer.byteLength * TIMES_IN_ALL, attempted.mostBytes);
				const body = hasRoom ? answer : NOTHING;
				return {
					said: this.#end(row, tries, { state: outcome === "ok" ? "succeeded" : "failed", status, error, body }),
				};
			}
			if (counted) this.#statements.tried.run(tries, status, error, row.id);
			return { said: [] };
		},
		/** Gives one up that nobody is at work on. Says whether that could be done. */
		cancel: ({ tenant, function: name, id }: { tenant: string; function: string; id: string }): Done => {
			const row = this.#statements.get.get(id) as unknown as Row | undefined;
			if (row === undefined || row.tenant !== tenant || row.function !== name) return { said: false };
			if (row.message === null || stateOf(row).state === "running") return { said: false };
			this.#drop(row, { state: "cancelled", status: 0, error: "", body: NOTHING });
			return { said: true };
		},
		/** Forgets what has ended long ago, and gives up what nobody has performed. Says whether there is more of it. */
		tidy: (): Done => {
			const now = Date.now();
			const { expired, removeTaken, takenExpired } = this.#statements;
			const rows = expired.all(now, MOST_REMOVED) as unknown as Row[];
			for (const row of rows)
				if (row.message === null) this.#forget(row);
				else this.#drop(row, { state: "failed", status: 0, error: NOT_THERE, body: NOTHING });
			const taken = takenExpired.all(now, MOST_REMOVED) as { tenant: string; scope: string; key: string }[];
			for (const { tenant, scope, key } of taken) {
				removeTaken.run(tenant, scope, key);
				this.#quota.use(tenant, -TAKEN_BYTES);
			}
			return { said: rows.length === MOST_REMOVED || taken.length === MOST_REMOVED };
		},
	};

	#add(tenant: string, given: NewInvocation, sent: { body: Uint8Array; trace: SentTrace }, mostBytes?: Bytes): void {
		const { id, function: name, delayMs, event, retries, onSuccess, onFailure } = given;
		// It was asked for once more.
		if (this.#statements.get.get(id) !== undefined) return;
		const settings = JSON.stringify({ event, retries, onSuccess, onFailure } satisfies InvocationSettings);
		const size = INVOCATION_BYTES + settings.length;
		this.#quota.use(tenant, size, mostBytes);
		const queue = invocationQueue(name);
		const message = this.#queue.insert({ tenant, queue }, { type: "bytes", delayMs, ...sent }, mostBytes);
		const now = Date.now();
		const expires = now + delayMs + KEPT_MS;
		this.#statements.add.run({ id, tenant, name, message, now, settings, size, expires });
	}

	/** What becomes of one that is over, whose message is gone. Gives the queues that have messages by that. */
	#end(row: Row, attempts: number, { state, status, error, body }: Ending): string[] {
		const { id, tenant, trace } = row;
		this.#quota.use(tenant, body.byteLength);
		const now = Date.now();
		const size = row.size + body.byteLength;
		const said = { state, attempts, now, status, error: error || null, size, expires: now + KEPT_MS, id };
		this.#statements.end.run({ ...said, body: body.byteLength === 0 ? null : body });
		if (++this.#ended % TRIM_EVERY === 0)
			for (const old of this.#statements.beyond.all(tenant, MOST_KEPT, MOST_REMOVED))
				this.#forget(old as unknown as Row);
		if (state === "cancelled") return [];
		const { onSuccess, onFailure, event } = JSON.parse(row.settings) as InvocationSettings;
		const to = state === "succeeded" ? onSuccess : onFailure;
		if (to === null) return [];
		const about = { invocation: id, function: row.function, event: event.type, state, attempts, status };
		const text = Buffer.from(body).toString();
		const told = Buffer.from(JSON.stringify({ ...about, error: error || null, ended: now, result: text }));
		if ("queue" in to) {
			this.#queue.insert({ tenant, queue: to.queue }, { type: "json", delayMs: 0, trace, body: told });
			return [to.queue];
		}
		const request = { type: "fetch", path: "/", contentType: "application/json" } as const;
		const next = { id: randomUUID(), function: to.function, delayMs: 0, size: told.length };
		const settings = { retries: DESTINATION_RETRIES, onSuccess: null, onFailure: null };
		this.#add(tenant, { ...next, ...settings, event: request }, { body: told, trace });
		return [invocationQueue(to.function)];
	}

	/** The same for one whose message waits still. */
	#drop(row: Row, ending: Ending): void {
		const { tenant, message, tries } = row;
		this.#queue.remove(tenant, message as number);
		this.#end(row, tries ?? 0, ending);
	}

	#forget({ tenant, id, size }: Pick<Row, "tenant" | "id" | "size">): void {
		this.#statements.remove.run(id);
		this.#quota.use(tenant, -size);
	}
}

function stateOf(row: Row): InvocationState {
	const { id, function: name, attempts, created, ended, status, error, due, lease, tries } = row;
	const isRunning = lease !== null && due !== null && due > Date.now();
	const { event } = JSON.parse(row.settings) as InvocationSettings;
	return {
		...{ id, function: name, event: event.type },
		state: row.message === null ? row.state : isRunning ? "running" : "queued",
		attempts: tries ?? attempts,
		created,
		due: row.message === null || isRunning ? null : due,
		...{ ended, status, error },
	};
}

function prepared(database: DatabaseSync) {
	const prepare = (sql: string): StatementSync => database.prepare(sql);
	const rows = `SELECT invocations.*, queue_messages.due, queue_messages.lease, queue_messages.attempts AS tries,
		queue_messages.trace
		FROM invocations LEFT JOIN queue_messages ON queue_messages.id = invocations.message`;
	return {
		get: prepare(`${rows} WHERE invocations.id = ?`),
		list: prepare(`${rows} WHERE tenant = ? AND function = ? ORDER BY created DESC LIMIT ${MOST_LISTED}`),
		ofMessage: prepare(`${rows} WHERE message = ?`),
		held: prepare(`${rows} WHERE message = ? AND lease = ?`),
		add: prepare(
			`INSERT INTO invocations (id, tenant, function, message, created, settings, state, attempts, status, size, expires)
			VALUES (:id, :tenant, :name, :message, :now, :settings, 'queued', 0, 0, :size, :expires)`,
		),
		tried: prepare("UPDATE invocations SET attempts = ?, status = ?, error = ? WHERE id = ?"),
		end: prepare(
			`UPDATE invocations SET message = NULL, state = :state, attempts = :attempts, ended = :now, status = :status,
			error = :error, result = :body, size = :size, expires = :expires WHERE id = :id`,
		),
		remove: prepare("DELETE FROM invocations WHERE id = ?"),
		expired: prepare(`${rows} WHERE expires < ? ORDER BY expires LIMIT ?`),
		beyond: prepare(
			`SELECT tenant, id, size FROM invocations WHERE tenant = ?1 AND ended <= (SELECT ended FROM invocations
			WHERE tenant = ?1 AND ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?2) LIMIT ?3`,
		),
		taken: prepare("SELECT invocation, expires FROM taken_events WHERE tenant = ? AND scope = ? AND key = ?"),
		takeOnce: prepare(
			`INSERT INTO taken_events (tenant, scope, key, invocation, expires)
			VALUES (:tenant, :scope, :key, :id, :expires) ON CONFLICT DO UPDATE SET invocation = :id, expires = :expires`,
		),
		takenExpired: prepare("SELECT tenant, scope, key FROM taken_events WHERE expires < ? LIMIT ?"),
		removeTaken: prepare("DELETE FROM taken_events WHERE tenant = ? AND scope = ? AND key = ?"),
	};
}
