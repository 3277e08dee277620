import { randomBytes } from "node:crypto";
import type { GivenBindings } from "../../bindings/binding.ts";
import type { FunctionName, TenantName } from "../../names.ts";
import { ControlError } from "../control-error.ts";
import type { FunctionDocument, QueueDocument } from "../store/documents.ts";
import type { Change, Store } from "../store/store.ts";
import { releasedBindings } from "./released-bindings.ts";

const MOST_QUEUES = 1000;

/** The functions that need queues, by the queues' names. */
export interface QueueUsers {
	senders: Map<string, FunctionName[]>;
	deadLetters: Map<string, FunctionName[]>;
}

/** Which queues a tenant has, and which function consumes each of them: one at most. */
export class QueuePolicy {
	readonly #store: Store;

	constructor(store: Store) {
		this.#store = store;
	}

	/** The part of a commit by which a tenant has queues; those that it has stay as they are. */
	introduce(tenant: TenantName, queues: readonly string[]): Promise<Change[]> {
		return this.#changes(tenant, new Set(queues), ({ consumer }) => consumer);
	}

	/**
	 * What is to be committed with a change of a function: the queues that it consumes are its own, those that it sends
	 * to are there. Throws ControlError `conflict` for a queue that another function consumes.
	 */
	claims(before: FunctionDocument, after: FunctionDocument, sendsTo: readonly string[] = []): Promise<Change[]> {
		const { tenant, name } = after;
		const consumed = new Set(after.consumers.map(({ queue }) => queue));
		const dead = deadLetterQueuesOf(after);
		const told = after.storage.flatMap(({ queue }) => queue ?? []);
		const all = new Set([...before.consumers.map(({ queue }) => queue), ...consumed, ...dead, ...told, ...sendsTo]);
		return this.#changes(tenant, all, ({ consumer, pull, name: queue }) => {
			if (!consumed.has(queue)) return consumer === name ? null : consumer;
			if (pull !== null)
				throw new ControlError(
					"conflict",
					`the queue ${queue} is consumed over HTTP, and has one consumer: remove that consumer first`,
				);
			if (consumer === null || consumer === name) return name;
			throw new ControlError(
				"conflict",
				`the queue ${queue} is consumed by ${consumer}, and has one consumer: take it from ${consumer} first`,
			);
		});
	}

	/** Which functions need each of a tenant's queues: send to it by a version that is released, or leave dead letters there. */
	async users(tenant: TenantName): Promise<QueueUsers> {
		const users: QueueUsers = { senders: new Map(), deadLetters: new Map() };
		const add = (to: Map<string, FunctionName[]>, queue: string, name: FunctionName) =>
			to.set(queue, [...(to.get(queue) ?? []), name]);
		for await (const { function: one, bindings } of releasedBindings(this.#store, tenant)) {
			for (const queue of new Set(bindings.flatMap(queuesIn))) add(users.senders, queue, one.name);
			for (const queue of deadLetterQueuesOf(one)) add(users.deadLetters, queue, one.name);
			for (const { queue } of one.storage) if (queue !== null) add(users.senders, queue, one.name);
		}
		return users;
	}

	/** `consumerOf` says who is to consume a queue, by what that is now. */
	async #changes(
		tenant: TenantName,
		queues: ReadonlySet<string>,
		consumerOf: (queue: QueueDocument) => FunctionName | null,
	): Promise<Change[]> {
		const changes: Change[] = [];
		let added = 0;
		for (const name of queues) {
			const key = `${tenant}/${name}`;
			const entry = await this.#store.get("queue", key);
			const before = entry?.value ?? newQueue(tenant, name);
			const consumer = consumerOf(before);
			if (entry === null) added++;
			else if (before.consumer === consumer) continue;
			const value = { ...before, consumer };
			changes.push({ kind: "queue", key, value, expected: entry?.revision ?? 0 });
		}
		if (added > 0 && (await this.#store.list("queue", { prefix: `${tenant}/` })).length + added > MOST_QUEUES)
			throw new ControlError("invalid", `a tenant may have ${MOST_QUEUES} queues: remove one first`);
		return changes;
	}
}

function deadLetterQueuesOf({ consumers, storage }: FunctionDocument): string[] {
	return [...consumers, ...storage].flatMap(({ deadLetterQueue }) => deadLetterQueue ?? []);
}

function newQueue(tenant: TenantName, name: string): QueueDocument {
	const id = randomBytes(16).toString("hex");
	return { id, tenant, name, created: new Date().toISOString(), consumer: null, pull: null, paused: false };
}

/** The queues that a version sends to. */
export function queuesIn(bindings: GivenBindings): string[] {
	return Object.values(bindings).flatMap(({ type, queue }) =>
		type === "queue" && typeof queue === "string" ? [queue] : [],
	);
}
