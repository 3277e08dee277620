import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { BATCH, sendBatch } from "../feed/batches.ts";
import { encodeLosses } from "../feed/log-frames.ts";
import type { LogLine } from "../observe/record.ts";
import type { Runtime } from "../runtime.ts";
import type { Bytes, Count, Milliseconds } from "../units.ts";
import { ControlSocket } from "./control-socket.ts";
import { FairQueue, type Whose } from "./fair-queue.ts";

/** So much waits for control of records, and so much of lines, which are in no record's way. */
const MOST_WAITING: Bytes = 6 * 2 ** 20;
/** What comes within this time leaves together. */
const FLUSH_MS: Milliseconds = 100;
/** A message is told up to here. */
const MOST_LETTERS = 32 * 1024;
/** Control that is gone is looked for no less often than that. */
const LONGEST_MS: Milliseconds = 1000;
/** One batch at which control ends is not to end it over and over. */
const MOST_TIMES = 2;
/** At the end control is waited for so long. */
const CLOSE_MS: Milliseconds = 2000;
/** The losses of so many tenants are told apart. */
const MOST_LOSERS = 10_000;

/** What leaves together. */
interface Batch {
	parts: Buffer[];
	/** How many records and lines of whom are in it, or are told to be lost. */
	counts: Map<Whose, Count>;
	/** How often it was sent. */
	times: number;
}

/**
 * The way of records and lines to the log that control keeps. It is in nobody's way: what control does not take waits, up
 * to a bound, and what is lost beyond that is counted, and told when control is back.
 */
export class LogStream {
	readonly #control: ControlSocket;
	readonly #unwatch: () => void;
	readonly #records = new FairQueue(MOST_WAITING, (whose, count) => this.#lose(whose, count));
	readonly #lines = new FairQueue(MOST_WAITING, (whose, count) => this.#lose(whose, count));
	#lost = new Map<Whose, Count>();
	/** Where control is there. */
	#socket: Socket | null = null;
	/** What control has not answered yet. */
	#batch: Batch | null = null;
	#isUnderWay = false;
	#timer: NodeJS.Timeout | null = null;
	#closed = false;
	readonly #emptied = Promise.withResolvers<void>();

	/** `path` is where control listens. */
	constructor(path: string, runtime: Pick<Runtime, "subscribe">) {
		this.#unwatch = runtime.subscribe({
			record: (record) => {
				this.#records.add(record.tenant, record);
				this.#await();
			},
			log: (line) => {
				this.#lines.add(line.tenant, cut(line));
				this.#await();
			},
		});
		this.#control = new ControlSocket({
			path,
			longestMs: LONGEST_MS,
			onConnect: (socket) => {
				this.#socket = socket;
				socket.on("data", () => this.#onTaken());
				if (this.#batch?.times === MOST_TIMES) this.#give(this.#batch);
				this.#next();
			},
			onClose: () => {
				this.#socket = null;
				this.#isUnderWay = false;
			},
		});
	}

	/** How much waits for control. */
	get waiting(): Bytes {
		return this.#records.size + this.#lines.size;
	}

	#lose(whose: Whose, count: Count): void {
		const own = this.#lost.has(whose) || this.#lost.size < MOST_LOSERS ? whose : "";
		this.#lost.set(own, (this.#lost.get(own) ?? 0) + count);
	}

	/** Has what waits leave in a while. */
	#await(): void {
		this.#timer ??= setTimeout(() => {
			this.#timer = null;
			this.#next();
		}, FLUSH_MS).unref();
	}

	#onTaken(): void {
		if (!this.#isUnderWay) return;
		this.#isUnderWay = false;
		this.#batch = null;
		this.#control.isOfUse();
		// What is more than a batch follows at once.
		if (this.#closed || this.waiting >= BATCH) this.#next();
		else if (this.waiting > 0 || this.#lost.size > 0) this.#await();
	}

	/** A batch is sent no more. */
	#give({ counts }: Batch): void {
		for (const [whose, count] of counts) this.#lose(whose, count);
		this.#batch = null;
	}

	/** Sends what waits, unless something is under way. */
	#next(): void {
		if (this.#socket === null || this.#isUnderWay) return;
		this.#batch ??= this.#gather();
		if (this.#batch === null) {
			if (this.#closed) this.#emptied.resolve();
			return;
		}
		this.#batch.times++;
		this.#isUnderWay = true;
		sendBatch(this.#socket, this.#batch.parts);
	}

	/**
	 * The next batch: what was lost, lines, and records, which whoever joins them expects behind their lines. However
	 * many lines wait, a quarter is the records'.
	 */
	#gather(): Batch | null {
		const counts = this.#lost;
		if (counts.size === 0 && this.waiting === 0) return null;
		this.#lost = new Map();
		const parts = encodeLosses(counts);
		let left = BATCH;
		const take = (queue: FairQueue, most: Bytes) => {
			for (const [whose, piece] of queue.take(most)) {
				left -= piece.size;
				parts.push(...piece.take());
				counts.set(whose, (counts.get(whose) ?? 0) + piece.count);
			}
		};
		take(this.#lines, BATCH - Math.min(this.#records.size, BATCH / 4));
		take(this.#records, left);
		return { parts, counts, times: 0 };
	}

	/** Hears of nothing more. Resolves once control has what waited, or does not take it. */
	async close(): Promise<void> {
		this.#unwatch();
		this.#closed = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		const socket = this.#control.stop();
		this.#next();
		if (this.#socket !== null) await Promise.race([this.#emptied.promise, sleep(CLOSE_MS, undefined, { ref: false })]);
		socket.destroy();
	}
}

/** A line as it is told: longer messages are cut. */
function cut(line: LogLine): LogLine {
	const left = line.message.length - MOST_LETTERS;
	if (left <= 0) return line;
	return { ...line, message: `${line.message.slice(0, MOST_LETTERS)}… and ${left} letters more` };
}
