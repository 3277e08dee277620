import { randomUUID } from "node:crypto";
import type { LeasedMessage, QueueSettle } from "../bindings/queue/calls.ts";
import { type QueueCount, type Sent, TenantQueue } from "../bindings/queue/tenant-queue.ts";
import { queueName, type TenantName, tenantName } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import { refusalIn, type StoredData } from "../stores/data-process.ts";
import type { PullSettings } from "../triggers/trigger-settings.ts";
import type { Bytes, Seconds } from "../units.ts";
import type { Buckets } from "./buckets.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { ControlError, type ControlErrorCode } from "./control-error.ts";
import type { Feed } from "./feed/feed.ts";
import { checked } from "./json.ts";
import type { QueueDocument } from "./store/documents.ts";
import { type Entry, retried, type Sequence } from "./store/store.ts";

/** What queues are kept by. */
export interface QueuesParts {
	catalog: Catalog;
	data: StoredData;
	feed: Feed;
	/** How much a tenant may store. */
	storedBytes: Bytes;
	/** Some of which may tell queues of their changes. */
	buckets: Buckets;
}

/** What whoever pulls may say, in place of what the queue's consumer says. */
type Pulling = Pick<PullSettings, "maxBatchSize" | "visibilityTimeoutMs">;

/** Messages that are sent over HTTP. */
export interface SentMessages {
	messages: readonly Sent[];
	/** Their bodies, one behind the other. */
	bytes: Uint8Array;
	/** Where they are sent, in its trace; `null` where that is in none. */
	trace: TraceContext | null;
}

/** A message that is leased to whoever has pulled it. */
export interface Pulled extends Omit<LeasedMessage, "size"> {
	/** Names the lease and the message. */
	leaseId: string;
	body: Uint8Array;
}

/** What becomes of messages that were pulled. */
export interface Settling {
	acks: string[];
	retries: { leaseId: string; delaySeconds: Seconds | null }[];
}

/** The queues that tenants have. Their messages are kept by a data process. */
export class Queues {
	readonly #catalog: Catalog;
	readonly #data: StoredData;
	readonly #feed: Feed;
	readonly #storedBytes: Bytes;
	readonly #buckets: Buckets;

	constructor({ catalog, data, feed, storedBytes, buckets }: QueuesParts) {
		this.#buckets = buckets;
		this.#catalog = catalog;
		this.#data = data;
		this.#feed = feed;
		this.#storedBytes = storedBytes;
	}

	/** A tenant's, in the order of their names. */
	async list(tenant: TenantName): Promise<QueueDocument[]> {
		return (await this.#catalog.store.list("queue", { prefix: `${tenant}/` })).map(({ value }) => value);
	}

	/** One of them, by its name. Throws ControlError `not_found`. */
	async find(tenant: TenantName, name: string): Promise<Entry<"queue">> {
		const entry = await this.#catalog.store.get("queue", `${tenant}/${name}`);
		if (entry === null)
			throw new ControlError("not_found", `the tenant ${tenant} has no queue ${JSON.stringify(name)}`);
		return entry;
	}

	/** Throws ControlError `conflict` where there is one of the name. */
	async create(actor: string, tenant: TenantName, given: string): Promise<QueueDocument> {
		checked(tenantName, tenant, "the tenant's name");
		const name = checked(queueName, given, "the queue's name");
		return retried(async () => {
			const changes = await this.#catalog.queues.introduce(tenant, [name]);
			if (changes.length === 0) throw new ControlError("conflict", `there is a queue ${name} already`);
			await this.#catalog.store.commit({ actor, action: "queue.create", target: `${tenant}/${name}` }, changes);
			return (await this.find(tenant, name)).value;
		});
	}

	/**
	 * Removes one with its messages. Throws ControlError `not_found`, and `conflict` as long as a function that is
	 * released consumes it, sends to it, or leaves dead letters there, as long as a source sends to it, and as long as
	 * another queue that is pulled leaves its dead letters there.
	 */
	async remove(actor: string, tenant: TenantName, name: string): Promise<void> {
		await retried(async () => {
			const { key, value, revision } = await this.find(tenant, name);
			const { senders, deadLetters } = await this.#catalog.queues.users(tenant);
			const consumers = value.consumer === null ? [] : [value.consumer];
			const telling = (await this.#buckets.telling(tenant, name)).map((bucket) => `the bucket ${bucket}`);
			const sources = (await this.#catalog.store.list("source", { prefix: `${tenant}/` }))
				.filter(({ value: { rules } }) => rules.some((rule) => rule.queue === name || rule.deadLetterQueue === name))
				.map(({ value }) => `the source ${value.name}`);
			const pulled = (await this.list(tenant))
				.filter(({ pull }) => pull?.deadLetterQueue === name)
				.map((queue) => `whoever pulls from the queue ${queue.name}`);
			const others = [...(senders.get(name) ?? []), ...(deadLetters.get(name) ?? [])];
			const users = new Set([...consumers, ...telling, ...others, ...sources, ...pulled]);
			if (users.size > 0)
				throw new ControlError(
					"conflict",
					`the queue ${name} is used by ${[...users].join(", ")}: take it from who consumes it, deploy without it who sends to it, or delete them first`,
				);
			await this.#open(tenant, name).purge();
			await this.#catalog.store.commit({ actor, action: "queue.remove", target: key }, [
				{ kind: "queue", key, value: null, expected: revision },
			]);
		});
	}

	/**
	 * Has a queue's messages taken over HTTP, or no longer, by `null`. Throws ControlError `conflict` where a function
	 * consumes it.
	 */
	async setPull(actor: string, tenant: TenantName, name: string, pull: PullSettings | null): Promise<void> {
		await retried(async () => {
			const { key, value, revision } = await this.find(tenant, name);
			if (pull !== null && value.consumer !== null)
				throw new ControlError("conflict", `the queue ${name} is consumed by ${value.consumer}, and has one consumer`);
			const dead = pull?.deadLetterQueue ?? null;
			if (dead === name) throw new ControlError("invalid", "a queue cannot be its own dead-letter queue");
			const beside = dead === null ? [] : await this.#catalog.queues.introduce(tenant, [dead]);
			const own = { kind: "queue" as const, key, value: { ...value, pull }, expected: revision };
			await this.#catalog.store.commit({ actor, action: "queue.consumer", target: key }, [own, ...beside]);
		});
	}

	/** Has nobody be given a queue's messages, or somebody again. Gives the commit's number. */
	async setPaused(actor: string, tenant: TenantName, name: string, paused: boolean): Promise<Sequence> {
		return retried(async () => {
			const { key, value, revision } = await this.find(tenant, name);
			if (value.paused === paused) return this.#catalog.store.sequence;
			const own = { kind: "queue" as const, key, value: { ...value, paused }, expected: revision };
			return this.#catalog.store.commit({ actor, action: "queue.pause", target: key }, [own]);
		});
	}

	/** Leases messages to whoever asks; none of a queue that is paused. Throws ControlError `invalid` where that may not be. */
	async pull(tenant: TenantName, name: string, asked: Partial<Pulling>): Promise<Pulled[]> {
		const { pull, paused } = (await this.find(tenant, name)).value;
		if (pull === null)
			throw new ControlError("invalid", `the queue ${name} has no consumer of the type http_pull: add one first`);
		if (paused) return [];
		const { maxBatchSize: most = pull.maxBatchSize, visibilityTimeoutMs: leaseMs = pull.visibilityTimeoutMs } = asked;
		const lease = randomUUID();
		const given = { lease, most, leaseMs, waitMs: 0, ...givingUp(pull) };
		const { messages, bodies } = await this.#with(tenant, name, (queue) => queue.lease(given));
		let at = 0;
		return messages.map(({ size, ...message }) => {
			at += size;
			return { ...message, leaseId: `${lease}.${message.id}`, body: bodies.subarray(at - size, at) };
		});
	}

	/** Says what becomes of messages, by their leases. Gives those that are over, of whose messages nothing was done. */
	async settle(tenant: TenantName, name: string, { acks, retries }: Settling): Promise<string[]> {
		const { pull } = (await this.find(tenant, name)).value;
		if (pull === null)
			throw new ControlError("invalid", `the queue ${name} has no consumer of the type http_pull: add one first`);
		const over: string[] = [];
		const leases = new Map<string, Pick<QueueSettle, "acknowledged" | "retried">>();
		const of = (leaseId: string) => {
			const [, lease, id] = /^([0-9a-f-]{36})\.(\d{1,15})$/.exec(leaseId) ?? [];
			if (lease === undefined) return { id: null, settle: null };
			const settle = leases.get(lease) ?? { acknowledged: [], retried: [] };
			leases.set(lease, settle);
			return { id: Number(id), settle };
		};
		for (const leaseId of acks) {
			const { id, settle } = of(leaseId);
			if (settle === null) over.push(leaseId);
			else settle.acknowledged.push(id);
		}
		for (const { leaseId, delaySeconds } of retries) {
			const { id, settle } = of(leaseId);
			if (settle === null) over.push(leaseId);
			else settle.retried.push({ id, delayMs: (delaySeconds ?? pull.retryDelay) * 1000, counted: true });
		}
		await this.#with(tenant, name, async (queue) => {
			for (const [lease, settle] of leases) {
				const { unheld } = await queue.settle({ lease, ...settle, ...givingUp(pull) });
				over.push(...unheld.map((id) => `${lease}.${id}`));
			}
		});
		return over;
	}

	/** Throws ControlError: `not_found`, and what the queue refuses. */
	async send(tenant: TenantName, name: string, { messages, bytes, trace }: SentMessages): Promise<void> {
		await this.#with(tenant, name, (queue) => queue.send(messages, bytes, { trace }));
		this.#feed.queued(tenant, name);
	}

	/** Throws ControlError `not_found`. */
	count(tenant: TenantName, name: string): Promise<QueueCount> {
		return this.#with(tenant, name, (queue) => queue.count());
	}

	/** Removes all messages. Throws ControlError `not_found`. */
	async purge(tenant: TenantName, name: string): Promise<void> {
		await this.#with(tenant, name, (queue) => queue.purge());
	}

	#open(tenant: TenantName, queue: string): TenantQueue {
		return new TenantQueue(this.#data, { tenant, queue }, this.#storedBytes);
	}

	async #with<T>(tenant: TenantName, name: string, what: (queue: TenantQueue) => Promise<T>): Promise<T> {
		await this.find(tenant, name);
		try {
			return await what(this.#open(tenant, name));
		} catch (error) {
			throw toldOf(error as Error);
		}
	}
}

const givingUp = ({ maxRetries, deadLetterQueue }: PullSettings) => ({
	maxRetries,
	deadLetterQueue: deadLetterQueue ?? "",
});

const CODES: Record<number, ControlErrorCode> = { 400: "invalid", 413: "too_large" };

/** What a queue refuses, as control has it. */
function toldOf(error: Error): Error {
	const { status, why } = refusalIn(error) ?? { status: 0, why: "" };
	return Object.hasOwn(CODES, status) ? new ControlError(CODES[status], why) : error;
}
