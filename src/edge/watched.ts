import type { ToControl, ToEdge } from "../feed/messages.ts";
import { keyOf } from "../names.ts";
import type { EventOrigin, InvocationRecord, LogLine } from "../observe/record.ts";
import type { Runtime } from "../runtime.ts";
import type { Count, Milliseconds } from "../units.ts";
import { Sampling } from "./sampling.ts";
import { seenOf } from "./seen-request.ts";

const SECOND: Milliseconds = 1000;
/** What a record takes, more or less. */
const RECORD_LETTERS: Count = 700;

/** How control is told. */
interface Way {
	readonly takes: boolean;
	send(said: ToControl): void;
}

/** Tells control of what is watched, as it happens, and where that is too much of a part of it. */
export class Watched {
	readonly #way: Way;
	readonly #unwatch: () => void;
	readonly #sampling = new Sampling();
	#timer: NodeJS.Timeout | null = null;
	#scopes: ReadonlySet<string> = new Set();
	/** The functions among them whose requests' origins are wanted. */
	#origins: ReadonlySet<string> = new Set();

	constructor(runtime: Pick<Runtime, "watch">, way: Way) {
		this.#way = way;
		this.#unwatch = runtime.watch({
			record: (record, origin) => {
				if (this.#scopes.size > 0) this.#onRecord(record, origin);
			},
			log: (line) => {
				if (this.#scopes.size > 0 && this.#tells(line, line.message.length, false)) way.send({ kind: "line", line });
			},
		});
	}

	/** From now on this is what is watched. */
	set({ scopes, origins }: ToEdge & { kind: "watch" }): void {
		this.#scopes = new Set(scopes);
		this.#origins = new Set(origins);
		if (this.#scopes.size > 0) this.#timer ??= setInterval(() => this.#onSecond(), SECOND).unref();
		else this.#rest();
	}

	/** Nothing is. */
	clear(): void {
		this.set({ kind: "watch", scopes: [], origins: [] });
	}

	#onRecord(record: InvocationRecord, origin: EventOrigin | null): void {
		if (!this.#tells(record, RECORD_LETTERS, true)) return;
		const isSeen = this.#origins.has(keyOf({ tenant: record.tenant, name: record.function }));
		const request = isSeen && origin !== null && "headers" in origin ? seenOf(origin) : null;
		const event = origin !== null && "event" in origin ? origin.event : null;
		this.#way.send({ kind: "record", record, request, event });
	}

	#tells(told: InvocationRecord | LogLine, letters: Count, isRecord: boolean): boolean {
		const key = this.#scopeOf(told);
		const { requestId } = told;
		return key !== null && this.#sampling.takes({ key, requestId, letters, isRecord, hasRoom: this.#way.takes });
	}

	/** What something is watched by: its function, its tenant, or all that there is. */
	#scopeOf({ tenant, function: name }: InvocationRecord | LogLine): string | null {
		const key = keyOf({ tenant, name });
		for (const scope of [key, `${tenant}/`, ""]) if (this.#scopes.has(scope)) return scope;
		return null;
	}

	#onSecond(): void {
		for (const [scope, count] of this.#sampling.next()) this.#way.send({ kind: "leftOut", scope, count });
	}

	#rest(): void {
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#timer = null;
		this.#sampling.next();
	}

	close(): void {
		this.#unwatch();
		this.#rest();
	}
}
