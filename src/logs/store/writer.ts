import { type FileHandle, open } from "node:fs/promises";
import { type LogListener, readLogFrames } from "../../feed/log-frames.ts";
import type { LogLine } from "../../observe/record.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../../units.ts";
import { type JoinedEntry, Joining } from "./joining.ts";
import { bytesOf, countOf } from "./new-entry.ts";
import type { State } from "./segment.ts";
import type { Segments } from "./segments.ts";

/** What has come is stored so soon, and so many entries at a time: a commit writes each page that it has touched. */
const SOON_MS: Milliseconds = 200;
const MOST_AT_ONCE: Count = 1000;
const MOST_BYTES_AT_ONCE: Bytes = 4 * 2 ** 20;
/** What was written is on the disk this much later, should the machine stop. */
const SYNC_MS: Milliseconds = 1000;
/** After one that failed the next try is made so much later. */
const REST_MS: Milliseconds = 1000;
/** So much waits to be stored: whoever sends waits meanwhile. Where it cannot be stored, what comes then is lost. */
const FULL: Bytes = 16 * 2 ** 20;
/** Of that, what one tenant has. */
const FULL_OF_TENANT: Bytes = FULL / 4;

/** What each batch says of itself. */
export interface Batch {
	/** Which control process it comes from, and its number there. */
	session: string;
	number: number;
	/** How many records, lines and losses of that process were taken before. */
	taken: Count;
	/** How many were lost on their way. */
	lost: Count;
}

interface Ready {
	entry: JoinedEntry;
	bytes: Bytes;
}

/** What a record takes beside its URL, roughly. */
const RECORD_BYTES: Bytes = 500;

/** Takes batches, puts lines and records together, and stores them by and by. */
export class Writer {
	readonly #segments: Segments;
	readonly #word: (text: string) => void;
	readonly #joining = new Joining();
	#ready: Ready[] = [];
	#readyBytes: Bytes = 0;
	readonly #bytesOf = new Map<string, Bytes>();
	/** Losses that are not stored yet, by tenant: empty for what may be anybody's. */
	readonly #losses = new Map<string, Count>();
	readonly #listener: LogListener = {
		record: (record) => this.#takeEntry(this.#joining.record(record, Date.now()), RECORD_BYTES + record.url.length),
		line: (line) => this.#takeLine(line),
		lost: (tenant, count) => this.#lose(tenant, count),
	};
	#session = "";
	#batch = 0;
	#taken: Count = 0;
	#next: number;
	#timer: NodeJS.Timeout | null = null;
	#isWriting = false;
	#restUntil: Milliseconds = 0;
	readonly #room: (() => void)[] = [];
	#synced = true;
	#settledBatch = 0;
	#closed = false;
	readonly #syncing: NodeJS.Timeout;

	constructor(segments: Segments, word: (text: string) => void) {
		this.#segments = segments;
		this.#word = word;
		this.#next = segments.state?.next ?? 1;
		this.#syncing = setInterval(() => void this.#sync(), SYNC_MS);
		this.#noteEnd();
	}

	/** What the process before this one had taken and not stored, where nobody can say how much it was. */
	#noteEnd(): void {
		const { before } = this.#segments;
		if (before === null) return;
		this.#session = before.session;
		this.#batch = before.batch;
		this.#taken = before.settled;
	}

	/** Takes a batch. Resolves with how many entries have come, once there is room for the next one. */
	async take({ session, number, taken, lost }: Batch, bytes: Buffer): Promise<Count> {
		const { before } = this.#segments;
		if (session !== this.#session) {
			// Whoever sent to that process is gone, too.
			if (before !== null && this.#session === before.session && before.clean === 0)
				this.#lose("", Math.max(1, before.taken - before.settled));
			// What a process before this one has taken it has never stored.
			this.#lose("", taken);
			this.#session = session;
			this.#batch = 0;
			this.#taken = taken;
		} else if (number <= this.#batch) {
			// It was stored by the process before, and its answer went with that.
			if (before !== null && this.#taken < before.taken) this.#lose("", before.taken - this.#taken);
			this.#taken = Math.max(this.#taken, before?.taken ?? 0);
			return this.#taken;
		} else if (taken > this.#taken) {
			this.#lose("", taken - this.#taken);
			this.#taken = taken;
		}
		this.#batch = number;
		this.#lose("", lost);
		this.#taken += readLogFrames(bytes, this.#listener);
		this.#plan();
		if (this.#isFull && this.#restUntil === 0) await new Promise<void>((resolve) => this.#room.push(resolve));
		return this.#taken;
	}

	get #isFull(): boolean {
		return this.#readyBytes + this.#joining.bytes > FULL;
	}

	#takeLine(line: LogLine): void {
		if (this.#readyBytes + this.#joining.bytes > 2 * FULL) {
			this.#lose(line.tenant, 1);
			return;
		}
		const taken = this.#joining.line(line, Date.now(), performance.now());
		if (taken === "full") this.#lose(line.tenant, 1);
		else if (taken !== "waits") this.#takeEntry(taken, bytesOf(line));
	}

	#takeEntry(entry: JoinedEntry, bytes: Bytes): void {
		let all = bytes;
		for (const { message } of entry.lines) all += message.length;
		const own = this.#bytesOf.get(entry.tenant) ?? 0;
		// Where nothing can be stored more than that waits; a tenant alone does not take all of it.
		const isShort = this.#restUntil > 0 && this.#readyBytes > FULL && own > FULL_OF_TENANT;
		if (this.#readyBytes > 2 * FULL || isShort) {
			this.#lose(entry.tenant, countOf(entry));
			return;
		}
		this.#ready.push({ entry, bytes: all });
		this.#readyBytes += all;
		this.#bytesOf.set(entry.tenant, own + all);
	}

	#lose(tenant: string, count: Count): void {
		if (count > 0) this.#losses.set(tenant, (this.#losses.get(tenant) ?? 0) + count);
	}

	#plan(): void {
		if (this.#ready.length >= MOST_AT_ONCE || this.#readyBytes >= MOST_BYTES_AT_ONCE) this.#planNow();
		else this.#timer ??= setTimeout(() => this.#planNow(), SOON_MS);
	}

	/** Once others had their turn. */
	#planNow(): void {
		if (this.#isWriting || this.#closed) return;
		this.#isWriting = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		const write = () => {
			this.#isWriting = false;
			if (this.#closed) return;
			this.#write();
			if (this.#ready.length > 0 || this.#joining.count > 0 || this.#losses.size > 0) this.#plan();
		};
		const rest = this.#restUntil - performance.now();
		if (rest > 0) setTimeout(write, rest);
		else setImmediate(write);
	}

	/** Stores some of what has come. */
	#write(all = false): void {
		for (const entry of this.#joining.overdue(performance.now(), all)) this.#takeEntry(entry, 0);
		const entries = this.#nextEntries(all);
		if (entries.length === 0 && this.#losses.size === 0 && !all) return;
		const now = Date.now();
		const losses = [...this.#losses].map(([tenant, count]) => ({ time: now, tenant, count }));
		try {
			if (this.#segments.rotate(now)) this.#joining.forget();
			const places = this.#segments.live.write(entries, losses, this.#state(now, all));
			this.#next += entries.length;
			for (const { tenant } of losses) this.#losses.delete(tenant);
			for (const [i, place] of places.entries()) this.#joining.stored(entries[i], place);
			this.#synced = false;
			if (this.#restUntil > 0) this.#word("the log is written again");
			this.#restUntil = 0;
		} catch (error) {
			this.#onFailed(entries, error as Error);
		}
		if (!this.#isFull || this.#restUntil > 0) for (const resolve of this.#room.splice(0)) resolve();
	}

	#nextEntries(all: boolean): JoinedEntry[] {
		let bytes = 0;
		let count = 0;
		while (count < this.#ready.length && (all || (count < MOST_AT_ONCE && bytes < MOST_BYTES_AT_ONCE)))
			bytes += this.#ready[count++].bytes;
		return this.#ready.splice(0, count).map(({ entry, bytes }) => {
			this.#readyBytes -= bytes;
			const left = (this.#bytesOf.get(entry.tenant) ?? 0) - bytes;
			if (left > 0) this.#bytesOf.set(entry.tenant, left);
			else this.#bytesOf.delete(entry.tenant);
			return entry;
		});
	}

	#state(now: EpochMs, isLast: boolean): State {
		const waiting = this.#ready.reduce((sum, { entry }) => sum + countOf(entry), this.#joining.count);
		return {
			session: this.#session,
			batch: this.#batch,
			taken: this.#taken,
			settled: this.#taken - waiting,
			next: this.#next,
			begun: this.#segments.live.state?.begun ?? now,
			written: now,
			clean: isLast ? 1 : 0,
		};
	}

	/** What could not be stored is lost; the disk may have room again later. */
	#onFailed(entries: JoinedEntry[], error: Error): void {
		this.#segments.writeFailed(error);
		for (const entry of entries) this.#lose(entry.tenant, countOf(entry));
		if (this.#restUntil === 0) this.#word(`the log cannot be written: ${error.message}`);
		this.#restUntil = performance.now() + REST_MS;
	}

	/** Says that all that has come is stored, where nothing has come for a while; counts what damaged segments had. */
	#settle(): void {
		this.#lose("", this.#segments.takeDamaged());
		const isIdle = this.#batch === this.#settledBatch;
		this.#settledBatch = this.#batch;
		if (!isIdle || this.#restUntil > 0 || (this.#segments.live.state?.clean !== 0 && this.#losses.size === 0)) return;
		if (this.#ready.length === 0 && this.#joining.count === 0) this.#write(true);
	}

	/** On another thread: what is written waits for no disk. */
	async #sync(): Promise<void> {
		this.#settle();
		if (this.#synced) return;
		this.#synced = true;
		let file: FileHandle | null = null;
		try {
			file = await open(`${this.#segments.live.path}-wal`, "r+");
			await file.datasync();
		} catch {
			// It was sealed meanwhile, which writes it through; or the disk fails, which the next write says.
		} finally {
			await file?.close();
		}
	}

	/** Stores all that has come. */
	close(): void {
		clearInterval(this.#syncing);
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#closed = true;
		this.#write(true);
	}
}
