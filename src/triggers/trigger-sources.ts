import type { StorageTriggers } from "../bindings/edges.ts";
import type { WaitingQueue } from "../bindings/queue/calls.ts";
import { TenantQueue } from "../bindings/queue/tenant-queue.ts";
import type { DispatchedFrom } from "../invocation/dispatched-event.ts";
import type { QueueEvent, QueueResult } from "../invocation/events/queue.ts";
import type { ScheduledEvent } from "../invocation/events/scheduled.ts";
import type { StorageChange, StorageEvent } from "../invocation/events/storage.ts";
import { type FunctionId, keyOf, type TenantName } from "../names.ts";
import type { Outcome } from "../observe/record.ts";
import { writtenTrace } from "../observe/trace-context.ts";
import { type DataProcess, NOBODY } from "../stores/data-process.ts";
import type { DataProcesses } from "../stores/data-processes.ts";
import { isOwnQueue, ownQueue } from "../stores/storage-rule.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { Consumer, LEASE_MS } from "./consumer.ts";
import { functionOfQueue } from "./invocation-calls.ts";
import { InvocationWork, type Perform } from "./invocation-work.ts";
import { QueueWork } from "./queue-work.ts";
import { Scheduler } from "./scheduler.ts";
import { StorageRules } from "./storage-rules.ts";
import { type ConsumerSettings, consumerSchema, type StorageSettings, type Triggers } from "./trigger-settings.ts";

/** How often queues are looked at whose messages came by another process, or are delayed. */
const LOOK_MS: Milliseconds = 1000;
/** Leases are extended at this part of their time. */
const EXTEND_MS: Milliseconds = LEASE_MS / 4;
/** How often what is known of old invocations is looked through. */
const TIDY_MS: Milliseconds = 60_000;
/** Outcomes of events that the function has not seen. */
const UNSEEN: readonly Outcome[] = [
	...(["overloaded", "shutting_down", "paused", "building", "function_quarantined"] as const),
	...(["quota_exceeded", "budget_exhausted"] as const),
];

/** Whether a function has seen an event that came to this. */
export const isSeen = (outcome: Outcome) => !UNSEEN.includes(outcome);

/** What came of a batch. */
interface Ended {
	outcome: Outcome;
	result: QueueResult;
}

export interface TriggerSourcesParts {
	data: DataProcesses;
	/** Calls a function's handler for a time that has come; resolves when it has ended. */
	schedule: (to: FunctionId, event: ScheduledEvent) => Promise<unknown>;
	/** Hands a function messages of a queue; `null` where it is not there. Rejects where they cannot be handed over. */
	deliver: (to: FunctionId, event: QueueEvent | StorageEvent, from: DispatchedFrom) => Promise<Ended | null>;
	/** Has a function perform an invocation that was taken in; `null` where it has not seen it. */
	perform: (to: FunctionId, ...what: Parameters<Perform>) => ReturnType<Perform>;
	/** Whether a function is there, so that it could. */
	isThere: (of: FunctionId) => boolean;
	/** How much a tenant may store. */
	storedBytes: Bytes;
	/** Told of what an operator should know. */
	notice: (of: FunctionId, message: string) => void;
	/** Whether functions are called when their time comes. */
	schedules: boolean;
}

/** What calls functions beside requests: time, queues, and changes of what is stored. */
export class TriggerSources {
	readonly #parts: TriggerSourcesParts;
	readonly #scheduler: Scheduler;
	readonly #rules: StorageRules;
	/** Who consumes a queue, by its tenant and name. */
	readonly #consumers = new Map<string, { of: FunctionId; settings: ConsumerSettings; consumer: AnyConsumer }>();
	/** Who performs invocations, by their functions' keys; those that have nothing to do are forgotten. */
	readonly #performers = new Map<string, AnyConsumer>();
	/** The queues that each function consumes, by the functions' keys. */
	readonly #queuesOf = new Map<string, string[]>();
	/** Those that others have replaced, and that are at work still. */
	readonly #retired = new Set<AnyConsumer>();
	/** Where the look for queues with messages goes on. */
	readonly #after = new Map<DataProcess, number>();
	#timer: NodeJS.Timeout | null = null;
	#extendedAt: Milliseconds = 0;
	#tidiedAt: Milliseconds = Number.NEGATIVE_INFINITY;
	#closed = false;

	constructor(parts: TriggerSourcesParts) {
		this.#parts = parts;
		this.#rules = new StorageRules(parts.notice);
		this.#scheduler = new Scheduler({
			data: parts.data,
			dispatch: async (of, cron, scheduledTime) => {
				await parts.schedule(of, { type: "scheduled", cron, scheduledTime });
			},
			notice: parts.notice,
		});
	}

	/** A function is called by these from now on. A queue has one consumer, whichever function names it last. */
	set(of: FunctionId, { crons, queues, storage }: Triggers): void {
		if (this.#closed) return;
		if (this.#parts.schedules) this.#scheduler.set(of, crons);
		this.#rules.set(of, storage);
		const wanted = [...queues, ...ownConsumers(of, storage)].map((settings) => ({
			key: queueKey(of.tenant, settings.queue),
			settings,
		}));
		for (const key of this.#queuesOf.get(keyOf(of)) ?? [])
			if (!wanted.some((one) => one.key === key)) this.#end(key, of);
		this.#queuesOf.delete(keyOf(of));
		if (wanted.length > 0)
			this.#queuesOf.set(
				keyOf(of),
				wanted.map(({ key }) => key),
			);
		for (const { key, settings } of wanted) this.#consume(key, of, settings);
		if (this.#consumers.size > 0) this.look();
	}

	/** There may be messages that nobody here has sent, and invocations, of now or from before. */
	look(): void {
		if (!this.#closed) this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
	}

	#consume(key: string, of: FunctionId, settings: ConsumerSettings): void {
		const before = this.#consumers.get(key);
		if (before !== undefined) {
			if (keyOf(before.of) === keyOf(of) && JSON.stringify(before.settings) === JSON.stringify(settings)) return;
			this.#retire(before.consumer);
		}
		const { data, storedBytes } = this.#parts;
		const notice = (message: string) => this.#parts.notice(of, message);
		const work = new QueueWork({
			settings,
			queue: new TenantQueue(data, { tenant: of.tenant, queue: settings.queue }, storedBytes),
			dispatch: async (event, from) => {
				const given = isOwnQueue(settings.queue) ? storageEventOf(event) : event;
				const ended = await this.#parts.deliver(of, given, from);
				return ended === null || !isSeen(ended.outcome) ? null : ended.result;
			},
			notice,
		});
		const consumer = new Consumer(work, notice);
		this.#consumers.set(key, { of, settings, consumer });
		consumer.wake();
	}

	#end(key: string, of: FunctionId): void {
		const one = this.#consumers.get(key);
		if (one === undefined || keyOf(one.of) !== keyOf(of)) return;
		this.#retire(one.consumer);
		this.#consumers.delete(key);
		if (isOwnQueue(one.settings.queue)) void this.#purge(of, one.settings.queue);
	}

	/** What waits for a function that is to be told of it no longer goes. */
	async #purge(of: FunctionId, queue: string): Promise<void> {
		const { data, storedBytes } = this.#parts;
		try {
			await new TenantQueue(data, { tenant: of.tenant, queue }, storedBytes).purge();
		} catch (error) {
			this.#parts.notice(of, `events cannot be removed: ${(error as Error).message}`);
		}
	}

	/** One takes no more messages; those that it has are its own until it is done with them. */
	#retire(consumer: AnyConsumer): void {
		this.#retired.add(consumer);
		void consumer.close().finally(() => this.#retired.delete(consumer));
	}

	/** All that may have messages. */
	get #working(): AnyConsumer[] {
		const consumers = [...this.#consumers.values()].map(({ consumer }) => consumer);
		return [...consumers, ...this.#performers.values(), ...this.#retired];
	}

	/** A queue has messages, so many more if that is known, or a function invocations. */
	readonly queued = (tenant: TenantName, queue: string, messages?: number): void => {
		const name = functionOfQueue(queue);
		if (name === null) this.#consumers.get(queueKey(tenant, queue))?.consumer.wake(messages);
		else this.#perform({ tenant, name });
	};

	#perform(of: FunctionId): void {
		if (this.#closed || !this.#parts.isThere(of)) return;
		let performer = this.#performers.get(keyOf(of));
		if (performer === undefined) {
			const { data, storedBytes, perform } = this.#parts;
			const work = new InvocationWork({
				...{ function: of, data, storedBytes },
				perform: (invocation, bytes) => perform(of, invocation, bytes),
				queued: (queue) => this.queued(of.tenant, queue),
			});
			performer = new Consumer(work, (message) => this.#parts.notice(of, message));
			this.#performers.set(keyOf(of), performer);
		}
		performer.wake();
	}

	readonly tellingOf: StorageTriggers["tellingOf"] = ({ function: of, chain }, stored, trace) => ({
		rules: this.#rules.of(of.tenant, stored),
		depth: chain.depth,
		trace: writtenTrace(trace),
		told: ({ queues, dropped }) => {
			for (const queue of queues) this.queued(of.tenant, queue);
			if (dropped > 0)
				this.#parts.notice(of, "it was called for an event of its own, 16 deep: what it stores is told no more");
		},
	});

	/** Looks which queues have messages, and says of those that are worked on that they are. */
	async #look(): Promise<void> {
		const now = performance.now();
		const isToTidy = now > this.#tidiedAt + TIDY_MS;
		const isToExtend = now > this.#extendedAt + EXTEND_MS;
		for (const [key, performer] of this.#performers) if (performer.idle) this.#performers.delete(key);
		const looks = await Promise.allSettled(
			this.#parts.data.all.map((process) => this.#lookInto(process, isToTidy, isToExtend)),
		);
		if (isToExtend && looks.every(({ status }) => status === "fulfilled")) this.#extendedAt = now;
		// What there is more of goes with the next look: others wait for it.
		if (isToTidy && looks.every((look) => look.status === "fulfilled" && !look.value)) this.#tidiedAt = now;
	}

	/** Gives whether there is more to tidy. Rejects where the process is not there, of which who asks it is told. */
	async #lookInto(process: DataProcess, isToTidy: boolean, isToExtend: boolean): Promise<boolean> {
		const ask = async (store: string, operation: string, said: object) =>
			(await process.ask(NOBODY, { store, operation, said })).said;
		const after = this.#after.get(process) ?? 0;
		const waiting = (await ask("queue", "waiting", { after })) as { queues: WaitingQueue[]; after: number };
		this.#after.set(process, waiting.after);
		for (const { tenant, queue } of waiting.queues) this.queued(tenant, queue);
		const isMore = isToTidy && (await ask("invocations", "tidy", {})) === true;
		const leases = isToExtend ? this.#working.flatMap((consumer) => [...consumer.leases]) : [];
		if (leases.length > 0) await ask("queue", "extend", { leases, leaseMs: LEASE_MS });
		return isMore;
	}

	/** Nothing is called any more. Resolves once what is being worked on is finished. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#scheduler.close();
		await Promise.all(this.#working.map((consumer) => consumer.close()));
		if (this.#timer !== null) clearInterval(this.#timer);
	}
}

type AnyConsumer = Pick<Consumer<never>, "wake" | "close" | "leases" | "idle">;

/** The queues that are a function's own, for what its `storage` handler is called with. */
function ownConsumers({ name }: FunctionId, storage: readonly StorageSettings[]): ConsumerSettings[] {
	const deadLetterQueues = new Set(
		storage.flatMap(({ queue, deadLetterQueue }) => (queue === null ? deadLetterQueue : [])),
	);
	const usual = consumerSchema.omit({ queue: true }).parse({ maxBatchTimeout: 0 });
	return [...deadLetterQueues].map((deadLetterQueue) => ({
		...usual,
		...{ queue: ownQueue(name, deadLetterQueue), deadLetterQueue },
	}));
}

function storageEventOf({ messages }: QueueEvent): StorageEvent {
	const changes = messages.map(({ id, attempts, body }) => ({ ...(body as StorageChange), id, attempts }));
	return { type: "storage", changes };
}

function queueKey(tenant: TenantName, queue: string): string {
	return `${tenant}/${queue}`;
}
