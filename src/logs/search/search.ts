import type { Bytes, Count, EpochMs, Milliseconds } from "../../units.ts";
import type { LogEntry, LogQuery, LogResult } from "../calls.ts";
import { parseQuery } from "../query/parser.ts";
import type { Query } from "../query/query.ts";
import { LOSS_MS } from "../store/losses.ts";
import type { Group, Segment } from "../store/segment.ts";
import type { Segments } from "../store/segments.ts";
import { type EntryRow, entryOf } from "../store/stored-entry.ts";
import { type Condition, compile, isWithin, rangeOf, textsIn } from "./compile.ts";
import { cursorOf, type Page, type Position, pageOf } from "./cursor.ts";
import { type Cell, Groups } from "./groups.ts";
import { Heap, type Placed } from "./heap.ts";

/** How much a query reads at most, and how long it takes of the process's own time and of everybody's. */
export interface SearchBounds {
	bytes: Bytes;
	ownMs: Milliseconds;
	ms: Milliseconds;
}

const BOUNDS: SearchBounds = { bytes: 2 ** 30, ownMs: 3000, ms: 10_000 };
/** A page has no more than this, whatever was asked for. */
const MOST_RESULT: Bytes = 4 * 2 ** 20;
const MOST_ENTRIES: Count = 1000;
/** So many entries of one version are looked at without a pause, within bounds, and so many of all versions. */
const MOST_AT_ONCE: Count = 500;
const LEAST_AT_ONCE: Count = 32;
const MOST_HELD: Count = 20_000;
/** So many bytes of texts are gone through without a pause, within bounds: fewer where that took long. */
const MOST_BYTES_AT_ONCE: Bytes = 2 * 2 ** 20;
const LEAST_BYTES_AT_ONCE: Bytes = 8 * 2 ** 10;
const LONG_MS: Milliseconds = 4;
const MOST_BYTES_HELD: Bytes = 64 * 2 ** 20;
/** Who asks up to now has all that there is, whatever the clock was. */
const NOW_MS: Milliseconds = 1000;
/** What is earlier or later than any date. */
const EVER: EpochMs = 8.64e15;
const LAST_ID = Number.MAX_SAFE_INTEGER;

/** The entries of one version in one segment, from the latest on, a few at a time. */
interface Stream extends Placed {
	segment: Segment;
	group: Group;
	/** What is next to be looked at is before that. */
	before: Position;
	/** Those that were found, the latest last. */
	found: Cell[][];
	wasRead: boolean;
	/** Whether there may be more behind them. */
	hasMore: boolean;
}

/** A segment none of whose entries was looked at yet. */
interface Unread extends Placed {
	unread: Segment;
}

/** One query as it runs, some milliseconds at a time. */
export class Search {
	readonly #segments: Segments;
	readonly #asked: LogQuery;
	readonly #query: Query;
	readonly #page: Page;
	readonly #since: EpochMs;
	readonly #condition: Condition;
	readonly #functions: ReadonlySet<string> | null;
	readonly #groups: Groups | null;
	readonly #heap = new Heap<Stream | Unread>();
	readonly #bounds: SearchBounds;
	readonly #beganAt = performance.now();
	#usedMs: Milliseconds = 0;
	/** Each text that is looked for goes through all of them. */
	#bytesAtOnce: Bytes;
	/** It begins before that. */
	readonly #from: Position;
	/** All that is later than this was gone through. */
	#at: Position;
	/** Whether any stream has come past what was looked at of it first. */
	#hasMoved = false;
	readonly #entries: LogEntry[] = [];
	#bytes: Bytes = 0;
	/** Those that were read. */
	readonly #opened = new Set<Segment>();
	readonly #read = { segments: 0, entries: 0, bytes: 0 };
	#isDone = false;
	#isWhole = true;

	/** Throws QueryError or Refused for what makes no sense. */
	constructor(segments: Segments, asked: LogQuery, bounds = BOUNDS, now: EpochMs = Date.now()) {
		this.#bounds = bounds;
		this.#segments = segments;
		this.#asked = asked;
		this.#query = parseQuery(asked.query);
		const first = { since: Math.max(asked.since, -EVER), until: asked.until >= now - NOW_MS ? EVER : asked.until, now };
		this.#page =
			asked.cursor === null ? { ...first, position: { time: first.until, id: 0 } } : pageOf(asked, asked.cursor);
		const { filter, grouping } = this.#query;
		const range = rangeOf(filter, this.#page.now);
		this.#since = Math.max(this.#page.since, range.since);
		const { position } = this.#page;
		this.#from = range.until < position.time ? { time: range.until, id: 0 } : position;
		this.#at = this.#from;
		this.#condition = filter === null ? { sql: "TRUE", values: [] } : compile(filter, this.#page.now);
		const texts = filter === null ? 0 : textsIn(filter);
		this.#bytesAtOnce = Math.max(LEAST_BYTES_AT_ONCE, MOST_BYTES_AT_ONCE / Math.max(1, texts));
		this.#functions = asked.functions === null ? null : new Set(asked.functions);
		this.#groups = grouping === null ? null : new Groups(grouping);
		for (const segment of segments.all) {
			const { first: oldest, last } = segment.range;
			if (last >= this.#since && oldest <= this.#from.time)
				this.#heap.push({ unread: segment, ...this.#placeOf(last) });
		}
	}

	/** Goes on until then; gives whether it has ended. */
	step(until: Milliseconds): boolean {
		const began = performance.now();
		for (let now = began; !this.#isDone && now < until; now = performance.now()) {
			this.#next();
			if (this.#isTooMuch(this.#usedMs + now - began, now - this.#beganAt)) this.#end(this.#heap.size === 0);
		}
		this.#usedMs += performance.now() - began;
		return this.#isDone;
	}

	/** One that has come no further yet would come no further the next time. */
	#isTooMuch(ownMs: Milliseconds, ms: Milliseconds): boolean {
		if (!this.#hasMoved && ms < 2 * this.#bounds.ms) return false;
		return ownMs > this.#bounds.ownMs || ms > this.#bounds.ms || this.#read.bytes > this.#bounds.bytes;
	}

	#end(isWhole: boolean): void {
		this.#isWhole &&= isWhole;
		this.#isDone = true;
	}

	#next(): void {
		const one = this.#heap.pop();
		if (one === undefined) {
			this.#end(true);
			return;
		}
		// Of no stream is anything left that is later.
		this.#at = { time: one.time, id: one.id };
		if ("unread" in one) this.#open(one.unread);
		else this.#goOn(one);
	}

	/** The first place that is of interest of what has no later entry than that. */
	#placeOf(last: EpochMs): Position {
		return last < this.#from.time ? { time: last, id: LAST_ID } : this.#from;
	}

	/** Looks for the versions in a segment that are asked for. */
	#open(segment: Segment): void {
		const before = this.#from;
		for (const group of segment.groups.values()) {
			if (!this.#mayRead(group) || group.last < this.#since || group.first > before.time) continue;
			this.#heap.push({
				...this.#placeOf(group.last),
				segment,
				group,
				before,
				found: [],
				wasRead: false,
				hasMore: true,
			});
		}
	}

	/** The one place at which it is decided who sees what. */
	#mayRead(group: Group): boolean {
		const { tenant } = this.#asked;
		if (tenant !== null && group.tenant !== tenant) return false;
		if (this.#functions !== null && !this.#functions.has(group.function)) return false;
		return this.#query.filter === null || isWithin(this.#query.filter, group) !== false;
	}

	#goOn(stream: Stream): void {
		this.#hasMoved ||= stream.wasRead;
		stream.wasRead = true;
		const found = stream.found.pop();
		if (found === undefined) this.#lookAt(stream);
		else {
			const [time, id, ...values] = found as [EpochMs, number, ...Cell[]];
			if (this.#groups !== null) this.#groups.add(values);
			else this.#take(stream, { time, id });
		}
		this.#put(stream);
		if (this.#entries.length >= Math.min(this.#asked.limit, MOST_ENTRIES) || this.#bytes > MOST_RESULT)
			this.#isDone = true;
	}

	/** Puts a stream back where it has anything to give. */
	#put(stream: Stream): void {
		const next = stream.found.at(-1);
		if (next !== undefined) [stream.time, stream.id] = next as [number, number];
		else if (stream.hasMore) ({ time: stream.time, id: stream.id } = stream.before);
		else return;
		this.#heap.push(stream);
	}

	/** Looks at some more entries of a stream. */
	#lookAt(stream: Stream): void {
		const { segment, group, before } = stream;
		const share = this.#bytesAtOnce / MOST_BYTES_AT_ONCE;
		const mostHeld = MOST_HELD / (this.#heap.size + 1);
		const most = Math.max(LEAST_AT_ONCE, Math.floor(Math.min(MOST_AT_ONCE * share, mostHeld)));
		const keys = this.#segments.read(segment, () => this.#keys(stream, most), []);
		// Where many streams are looked at, and the query is ended, that was in vain.
		const mostBytes = Math.min(this.#bytesAtOnce, MOST_BYTES_HELD / (this.#heap.size + 1));
		let bytes = 0;
		let count = 0;
		while (count < keys.length && bytes < mostBytes) bytes += keys[count++][2];
		if (count === 0) {
			stream.hasMore = false;
			return;
		}
		const [time, id] = keys[count - 1];
		stream.hasMore = count < keys.length || keys.length === most;
		const found = () => {
			const statement = segment.prepare(this.#sql());
			statement.setReturnArrays(true);
			const bounds = [group.id, before.time, before.id, time, id];
			return statement.all(...bounds, ...this.#condition.values) as unknown as Cell[][];
		};
		const began = performance.now();
		stream.found = this.#segments.read(segment, found, []);
		this.#adjust(performance.now() - began);
		stream.before = { time, id };
		this.#read.entries += count;
		this.#read.bytes += bytes;
		this.#opened.add(segment);
		this.#read.segments = this.#opened.size;
	}

	/** Goes through less at once where it took long, and through more where it did not. */
	#adjust(ms: Milliseconds): void {
		if (ms > LONG_MS) this.#bytesAtOnce = Math.max(LEAST_BYTES_AT_ONCE, this.#bytesAtOnce / 2);
		else if (ms < LONG_MS / 4) this.#bytesAtOnce = Math.min(MOST_BYTES_AT_ONCE, this.#bytesAtOnce * 2);
	}

	/** The places of the entries that come next, with their sizes. */
	#keys({ segment, group, before }: Stream, most: Count): [EpochMs, number, Bytes][] {
		const statement = segment.prepare(KEYS);
		statement.setReturnArrays(true);
		const since = Math.min(this.#since, EVER);
		return statement.all(group.id, before.time, before.id, since, most) as unknown as [EpochMs, number, Bytes][];
	}

	/** What is read of those between two places, the earliest first. */
	#sql(): string {
		const columns = ["e.time", "e.id", ...(this.#groups?.columns ?? [])].join(", ");
		return `SELECT ${columns} FROM entries e JOIN groups g ON g.id = e.grp
			WHERE e.grp = ? AND (e.time, e.id) < (?, ?) AND (e.time, e.id) >= (?, ?) AND ${this.#condition.sql}
			ORDER BY e.time, e.id`;
	}

	#take({ segment, group }: Stream, { time, id }: Position): void {
		const read = () => segment.prepare(ENTRY).get(group.id, time, id) as EntryRow | undefined;
		const row = this.#segments.read(segment, read, undefined);
		if (row === undefined) return;
		this.#entries.push(entryOf(row, group));
		this.#bytes += row.size as Bytes;
	}

	/** What it has found until now. */
	result(): LogResult {
		const { since, until, now } = this.#page;
		const hasMore = this.#heap.size > 0;
		return {
			entries: this.#entries,
			...(this.#groups?.table(this.#asked.limit) ?? { columns: [], rows: [] }),
			cursor: hasMore ? cursorOf(this.#asked, { position: this.#at, since, until, now }) : null,
			whole: this.#isWhole,
			read: this.#read,
			lost: this.#lost(since, until),
		};
	}

	/** Losses are known by the minute, and of some nobody knows whose they were. */
	#lost(since: EpochMs, until: EpochMs): Count {
		const { tenant } = this.#asked;
		let lost = 0;
		for (const { losses } of this.#segments.all)
			for (const loss of losses)
				if (loss.time > since - LOSS_MS && loss.time < until)
					if (tenant === null || loss.tenant === "" || loss.tenant === tenant) lost += loss.count;
		return lost;
	}
}

const KEYS = `SELECT time, id, size FROM entries WHERE grp = ? AND (time, id) < (?, ?) AND time >= ?
	ORDER BY time DESC, id DESC LIMIT ?`;
const ENTRY = "SELECT * FROM entries WHERE grp = ? AND time = ? AND id = ?";
