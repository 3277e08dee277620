import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import type { Bytes, Count, Milliseconds } from "../../units.ts";
import { bytesOf, MOST_LINES_BYTES, type NewEntry, timeOf } from "./new-entry.ts";
import type { Place } from "./segment.ts";

/** Lines wait so long for their record, and are stored by themselves then. */
const WAIT_MS: Milliseconds = 1000;
/** So many invocations' lines that were stored by themselves may still become their record's. */
const MOST_LOOSE = 20_000;
/** Lines of one invocation are stored by themselves so often at most; further ones stay so. */
const MOST_PLACES = 100;

/** Lines of one invocation that wait. */
interface Waiting {
	entry: NewEntry;
	since: Milliseconds;
	bytes: Bytes;
}

/** An entry that is to be stored, with the places of lines that become its own. */
export type JoinedEntry = NewEntry & { former?: readonly Place[] };

/** Puts lines and their record together: lines come before. */
export class Joining {
	/** By whose they are; the longest waiting first. */
	readonly #waiting = new Map<string, Waiting>();
	readonly #loose = new Map<string, Place[]>();
	/** How many lines wait, and what they take. */
	count: Count = 0;
	bytes: Bytes = 0;

	/** The entry of an invocation that has ended. */
	record(record: InvocationRecord, now: Milliseconds): JoinedEntry {
		const { tenant, function: name, version, requestId } = record;
		const time = timeOf(record.time, now);
		const entry: JoinedEntry = { tenant, function: name, version, requestId, time, record, lines: [] };
		// Nothing is looked for where nothing waits.
		if (this.#waiting.size === 0 && this.#loose.size === 0) return entry;
		const key = keyOf(record);
		const waiting = this.#waiting.get(key);
		if (waiting !== undefined) this.#remove(key, waiting);
		entry.lines = waiting?.entry.lines ?? [];
		entry.former = this.#loose.get(key);
		this.#loose.delete(key);
		return entry;
	}

	/** A line: an entry of its own where it belongs to no invocation, `full` where there is no room for it. */
	line(line: LogLine, now: Milliseconds, since: Milliseconds): JoinedEntry | "waits" | "full" {
		const { tenant, function: name, version, requestId } = line;
		const entry = { tenant, function: name, version, requestId, time: timeOf(line.time, now), record: null };
		if (requestId === "") return { ...entry, lines: [line] };
		const key = keyOf(line);
		const bytes = bytesOf(line);
		const waiting = this.#waiting.get(key) ?? { entry: { ...entry, lines: [] }, since, bytes: 0 };
		if (waiting.bytes > 0 && waiting.bytes + bytes > MOST_LINES_BYTES) return "full";
		waiting.entry.lines.push(line);
		waiting.bytes += bytes;
		this.#waiting.set(key, waiting);
		this.count++;
		this.bytes += bytes;
		return "waits";
	}

	#remove(key: string, { entry, bytes }: Waiting): void {
		this.#waiting.delete(key);
		this.count -= entry.lines.length;
		this.bytes -= bytes;
	}

	/** Lines that have waited long enough; all of them where nothing is waited for any more. */
	overdue(now: Milliseconds, all = false): NewEntry[] {
		const entries: NewEntry[] = [];
		for (const [key, waiting] of this.#waiting) {
			if (!all && waiting.since + WAIT_MS > now) break;
			this.#remove(key, waiting);
			entries.push(waiting.entry);
		}
		return entries;
	}

	/** Lines lie there by themselves, until their record comes. */
	stored(entry: NewEntry, place: Place): void {
		if (entry.record !== null || entry.requestId === "") return;
		const key = keyOf(entry);
		const places = this.#loose.get(key) ?? [];
		if (places.length < MOST_PLACES) places.push(place);
		this.#loose.set(key, places);
		const [oldest] = this.#loose.keys();
		if (this.#loose.size > MOST_LOOSE) this.#loose.delete(oldest);
	}

	/** What was stored until now stays where it is: another segment is written to. */
	forget(): void {
		this.#loose.clear();
	}
}

/** An id alone could be another tenant's, whatever gave it. */
function keyOf({
	tenant,
	function: name,
	version,
	requestId,
}: Pick<LogLine, "tenant" | "function" | "version" | "requestId">) {
	return `${tenant}/${name}/${version} ${requestId}`;
}
