import { type QueueCount, type Sent, TenantQueue } from "../bindings/queue/tenant-queue.ts";
import { queueName, type TenantName, tenantName } from "../names.ts";
import { type DataProcess, refusalIn } from "../stores/data-process.ts";
import type { Bytes } from "../units.ts";
import type { Buckets } from "./buckets.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { ControlError, type ControlErrorCode } from "./control-error.ts";
import { checked } from "./json.ts";
import type { QueueDocument } from "./store/documents.ts";
import { type Entry, retried } from "./store/store.ts";

/** What queues are kept by. */
export interface QueuesParts {
	catalog: Catalog;
	data: DataProcess;
	/** How much a tenant may store. */
	storedBytes: Bytes;
	/** Some of which may tell queues of their changes. */
	buckets: Buckets;
}

/** The queues that tenants have. Their messages are kept by a data process. */
export class Queues {
	readonly #catalog: Catalog;
	readonly #data: DataProcess;
	readonly #storedBytes: Bytes;
	readonly #buckets: Buckets;

	constructor({ catalog, data, storedBytes, buckets }: QueuesParts) {
		this.#buckets = buckets;
		this.#catalog = catalog;
		this.#data = data;
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
	 * released consumes it, sends to it, or leaves dead letters there.
	 */
	async remove(actor: string, tenant: TenantName, name: string): Promise<void> {
		await retried(async () => {
			const { key, value, revision } = await this.find(tenant, name);
			const { senders, deadLetters } = await this.#catalog.queues.users(tenant);
			const consumers = value.consumer === null ? [] : [value.consumer];
			const telling = (await this.#buckets.telling(tenant, name)).map((bucket) => `the bucket ${bucket}`);
			const users = new Set([...consumers, ...telling, ...(senders.get(name) ?? []), ...(deadLetters.get(name) ?? [])]);
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

	/** Throws ControlError: `not_found`, and what the queue refuses. */
	async send(tenant: TenantName, name: string, messages: readonly Sent[], bytes: Uint8Array): Promise<void> {
		await this.#with(tenant, name, (queue) => queue.send(messages, bytes));
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

const CODES: Record<number, ControlErrorCode> = { 400: "invalid", 413: "too_large" };

/** What a queue refuses, as control has it. */
function toldOf(error: Error): Error {
	const { status, why } = refusalIn(error) ?? { status: 0, why: "" };
	return Object.hasOwn(CODES, status) ? new ControlError(CODES[status], why) : error;
}
