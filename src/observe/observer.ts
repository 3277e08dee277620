import type { InvocationRecord, LogLine, Subscriber } from "./record.ts";

/** The part of pino's interface that atoll uses; any logger with these methods will do. */
export interface Logger {
	debug(fields: object, message: string): void;
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
}

/** Hands records and log lines to all who subscribed, and to the logger. */
export class Observer {
	readonly #subscribers = new Set<Subscriber>();
	readonly #logger: Logger | null;

	constructor(logger: Logger | null) {
		this.#logger = logger;
	}

	/** Returns the function that ends the subscription. */
	subscribe(subscriber: Subscriber): () => void {
		this.#subscribers.add(subscriber);
		return () => this.#subscribers.delete(subscriber);
	}

	/** Whether anybody reads records: making one costs a microsecond. */
	get listening(): boolean {
		return this.#logger !== null || this.#subscribers.size > 0;
	}

	record(record: InvocationRecord): void {
		this.#logger?.info(record, "request");
		for (const subscriber of this.#subscribers) subscriber.record?.(record);
	}

	log(line: LogLine): void {
		if (this.#logger !== null) {
			const { level, message, time, ...fields } = line;
			this.#logger[level === "log" ? "info" : level]({ ...fields, loggedAt: time }, message);
		}
		for (const subscriber of this.#subscribers) subscriber.log?.(line);
	}

	/** Something about the runtime itself. */
	notice(level: "info" | "warn" | "error", fields: object, message: string): void {
		this.#logger?.[level](fields, message);
	}
}
