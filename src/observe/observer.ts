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
		this.#write("info", record, "request");
		for (const subscriber of this.#subscribers) {
			try {
				subscriber.record?.(record);
			} catch (error) {
				this.#failed("subscriber", error);
			}
		}
	}

	log(line: LogLine): void {
		if (this.#logger !== null) {
			const { level, message, time, ...fields } = line;
			this.#write(level === "log" ? "info" : level, { ...fields, loggedAt: time }, message);
		}
		for (const subscriber of this.#subscribers) {
			try {
				subscriber.log?.(line);
			} catch (error) {
				this.#failed("subscriber", error);
			}
		}
	}

	/** Something about the runtime itself. */
	notice(level: "info" | "warn" | "error", fields: object, message: string): void {
		this.#write(level, fields, message);
	}

	#write(level: keyof Logger, fields: object, message: string): void {
		try {
			this.#logger?.[level](fields, message);
		} catch (error) {
			this.#failed("logger", error);
		}
	}

	/** Whoever listens is the embedding program's, and costs no request: it reads of its mistake among Node's own warnings. */
	#failed(who: "logger" | "subscriber", error: unknown): void {
		process.emitWarning(`a ${who} of atoll threw: ${(Object(error) as Error).stack ?? String(error)}`, "AtollWarning");
	}
}
