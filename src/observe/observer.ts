import type { EventOrigin, InvocationRecord, LogLine, Subscriber, Watcher } from "./record.ts";

/** The part of pino's interface that atoll uses; any logger with these methods will do. */
export interface Logger {
	debug(fields: object, message: string): void;
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
	/** Takes records by itself, faster. Default: `info`, with the message "request". */
	record?(record: InvocationRecord): void;
	/** The same for what functions write. Default: the method of the line's level. */
	line?(line: LogLine): void;
}

/** Hands records and log lines to all who subscribed, and to the logger. */
export class Observer {
	/** Replaced where somebody comes or goes: it may be on the way through it. */
	#watchers: readonly Watcher[] = [];
	readonly #logger: Logger | null;

	constructor(logger: Logger | null) {
		this.#logger = logger;
	}

	/** Returns the function that ends the subscription. */
	subscribe(subscriber: Subscriber): () => void {
		return this.watch({
			record: (record) => subscriber.record?.(record),
			log: (line) => subscriber.log?.(line),
		});
	}

	/** The same for one who hears of origins. */
	watch(watcher: Watcher): () => void {
		this.#watchers = [...this.#watchers, watcher];
		return () => {
			this.#watchers = this.#watchers.filter((one) => one !== watcher);
		};
	}

	/** Whether anybody reads records: making one costs a microsecond. */
	get listening(): boolean {
		return this.#logger !== null || this.#watchers.length > 0;
	}

	record(record: InvocationRecord, origin: EventOrigin | null): void {
		if (this.#logger?.record === undefined) this.#write("info", record, "request");
		else this.#tell(this.#logger, "record", record, null);
		for (const watcher of this.#watchers) this.#tell(watcher, "record", record, origin);
	}

	log(line: LogLine): void {
		if (this.#logger?.line !== undefined) this.#tell(this.#logger, "line", line, null);
		else if (this.#logger !== null) {
			const { level, message, time, ...fields } = line;
			this.#write(level === "log" ? "info" : level, { ...fields, loggedAt: time }, message);
		}
		for (const watcher of this.#watchers) this.#tell(watcher, "log", line, null);
	}

	/**
	 * What a subscriber throws, or what it returns rejects with, is its own mistake: it costs no request. Every request
	 * comes through here, so that nothing is made for it.
	 */
	#tell<Name extends string, Told>(
		who: { [name in Name]?: (told: Told, origin: EventOrigin | null) => unknown },
		what: Name,
		told: Told,
		origin: EventOrigin | null,
	): void {
		try {
			const result = who[what]?.(told, origin);
			if (result instanceof Promise) result.catch((error) => this.#failed(error));
		} catch (error) {
			this.#failed(error);
		}
	}

	#failed(error: unknown): void {
		if (this.#logger === null) warn("a subscriber", error);
		else this.notice("error", { fault: stackOf(error) }, "a subscriber of atoll threw");
	}

	/** Something about the runtime itself. */
	notice(level: "info" | "warn" | "error", fields: object, message: string): void {
		this.#write(level, fields, message);
	}

	#write(level: Exclude<keyof Logger, "record" | "line">, fields: object, message: string): void {
		try {
			this.#logger?.[level](fields, message);
		} catch (error) {
			warn("the logger", error);
		}
	}
}

/** Where there is no log to tell it to, a mistake is read of among Node's own warnings. */
function warn(who: string, error: unknown): void {
	process.emitWarning(`${who} of atoll threw: ${stackOf(error)}`, "AtollWarning");
}

function stackOf(error: unknown): string {
	return (Object(error) as Error).stack ?? String(error);
}
