import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_TENANT } from "../../names.ts";
import { isBusy, isDamaged } from "../../stores/sqlite.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../../units.ts";
import { Clock } from "./clock.ts";
import { type Group, Segment, type State } from "./segment.ts";

/** A segment is written to for so long at most, and has this share of all bytes, within bounds. */
const LONGEST_MS: Milliseconds = 6 * 3600_000;
const SHARE = 1 / 64;
const LEAST_SEGMENT: Bytes = 2 ** 20;
const MOST_SEGMENT: Bytes = 128 * 2 ** 20;
/** So many that are written to no longer are open at a time. */
const MOST_OPEN = 16;
/** So many entries are removed at a time. */
const MOST_REMOVED: Count = 1000;
/** So many that were damaged are left for somebody to look at. */
const MOST_DAMAGED = 2;
const DAY_MS: Milliseconds = 24 * 3600_000;
/** Of all bytes a tenant has so many where nothing else is said. */
const TENANT_SHARE = 1 / 4;
const NAME = /^segment-(\d{10})\.db$/;

/** What may be kept. */
export interface Bounds {
	days: number;
	maxBytes: Bytes;
	tenantBytes?: Bytes | undefined;
}

/** Who has too much, and how much of it has to go: of what a tenant may have, or of what the disk may. */
interface TooLarge {
	tenant: string;
	excess: Bytes;
	ofDisk: boolean;
}

/** All segments of a folder: one is written to, and the others wait to be read and to be removed. */
export class Segments {
	readonly #folder: string;
	readonly #bounds: Bounds;
	readonly #word: (text: string) => void;
	readonly #sealed: Segment[] = [];
	/** Those of them that are open; whoever was read longest ago is first. */
	readonly #open = new Set<Segment>();
	/** Those that another process still writes to, by their sequence. */
	readonly #busy = new Set<number>();
	#live: Segment;
	#sequence = 0;
	readonly #clock: Clock;
	/** Whether the machine's clock may say what is too old. */
	isClockTrusted = false;
	/** How many entries were in segments that were damaged. */
	#damaged: Count = 0;
	/** How the process before this one has ended; `null` where there was none. */
	readonly before: State | null;

	constructor(folder: string, bounds: Bounds, word: (text: string) => void) {
		this.#folder = folder;
		this.#bounds = bounds;
		this.#word = word;
		const found = readdirSync(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
		const sequences = found.map(Number).sort((a, b) => a - b);
		this.#sequence = sequences.at(-1) ?? 0;
		for (const sequence of sequences.slice(0, -1)) this.#find(sequence);
		const last = sequences.length === 0 ? null : this.#resume(this.#sequence);
		this.before = last?.state ?? this.#sealed.at(-1)?.state ?? null;
		this.#live = last ?? this.#next();
		this.#clock = new Clock(this.before?.written ?? null);
	}

	#pathOf(sequence: number): string {
		return join(this.#folder, `segment-${String(sequence).padStart(10, "0")}.db`);
	}

	/** Takes in one that nobody writes to any more. */
	#find(sequence: number): void {
		const path = this.#pathOf(sequence);
		this.#busy.delete(sequence);
		try {
			const segment = Segment.sealed(path, sequence);
			this.#sealed.push(segment);
			this.#sealed.sort((a, b) => a.sequence - b.sequence);
		} catch (error) {
			if (isBusy(error)) this.#busy.add(sequence);
			else if (isDamaged(error)) this.#putAside(path, error as Error);
			else this.#word(`${path} cannot be read: ${(error as Error).message}`);
		}
	}

	/** Goes on with the last one; `null` where it is another process's, or damaged. */
	#resume(sequence: number): Segment | null {
		const path = this.#pathOf(sequence);
		try {
			const segment = Segment.live(path, sequence);
			const problem = segment.state?.clean === 1 ? null : segment.problem();
			if (problem === null) return segment;
			segment.close();
			this.#putAside(path, new Error(problem));
		} catch (error) {
			if (isBusy(error)) this.#busy.add(sequence);
			else if (isDamaged(error)) this.#putAside(path, error as Error);
			else throw error;
		}
		return null;
	}

	#putAside(path: string, { message }: Error): void {
		this.#word(`${path} is damaged (${message}), and was set aside as ${path}.damaged`);
		renameSync(path, `${path}.damaged`);
		for (const suffix of ["-wal", "-journal"]) rmSync(path + suffix, { force: true });
		const others = readdirSync(this.#folder).filter((name) => name.endsWith(".damaged"));
		for (const name of others.sort().slice(0, -MOST_DAMAGED)) rmSync(join(this.#folder, name), { force: true });
	}

	#next(): Segment {
		return Segment.live(this.#pathOf(this.#sequence + 1), ++this.#sequence);
	}

	/** The one that is written to. */
	get live(): Segment {
		return this.#live;
	}

	/** All that can be read, the latest first. */
	get all(): Segment[] {
		return [this.#live, ...this.#sealed.toReversed()];
	}

	/** What an entry that is to be stored begins with. */
	get state(): State | null {
		return this.#live.state ?? this.#sealed.at(-1)?.state ?? null;
	}

	/** Begins a new segment where the one that is written to is full or old. Gives whether it has. */
	rotate(now: EpochMs): boolean {
		const { state, bytes } = this.#live;
		if (state === null) return false;
		const most = Math.min(MOST_SEGMENT, Math.max(LEAST_SEGMENT, this.#bounds.maxBytes * SHARE));
		if (bytes < most && Math.abs(now - state.begun) < LONGEST_MS) return false;
		const next = this.#next();
		this.#sealed.push(this.#live);
		this.#live.seal();
		this.#live = next;
		return true;
	}

	/** Reads from a segment. One that turns out to be damaged is set aside, and has nothing. */
	read<Result>(segment: Segment, read: () => Result, nothing: Result): Result {
		if (segment !== this.#live && !this.#sealed.includes(segment)) return nothing;
		if (segment !== this.#live) this.#keepOpen(segment);
		try {
			return read();
		} catch (error) {
			if (!isDamaged(error)) throw error;
			this.#loseSegment(segment, error as Error);
			return nothing;
		}
	}

	/** One that was written to may be damaged, too. */
	writeFailed(error: unknown): void {
		if (isDamaged(error)) this.#loseSegment(this.#live, error as Error);
	}

	#loseSegment(segment: Segment, error: Error): void {
		this.#damaged += segment.entries;
		this.#close(segment);
		if (segment === this.#live) this.#live = this.#next();
		else this.#sealed.splice(this.#sealed.indexOf(segment), 1);
		this.#putAside(segment.path, error);
	}

	/** How many entries were in segments that were damaged since this was asked for last. */
	takeDamaged(): Count {
		const damaged = this.#damaged;
		this.#damaged = 0;
		return damaged;
	}

	/** A query goes from segment to segment: what was read last is read again. */
	#keepOpen(segment: Segment): void {
		this.#open.delete(segment);
		this.#open.add(segment);
		const [oldest] = this.#open;
		if (this.#open.size > MOST_OPEN) this.#close(oldest);
	}

	#close(segment: Segment): void {
		this.#open.delete(segment);
		segment.close();
	}

	/**
	 * Removes some of what is too old or too much. Gives whether there is more to remove: it is called again, after others
	 * had their turn.
	 */
	tidy(now: EpochMs = Date.now()): boolean {
		for (const sequence of this.#busy) this.#find(sequence);
		this.#removeOld(now);
		const large = this.#tooLarge();
		if (large === null) return false;
		for (const segment of [...this.#sealed, this.#live]) {
			const groups = [...segment.groups.values()].filter(({ tenant }) => tenant === large.tenant);
			if (groups.length === 0) continue;
			const allGo = large.excess >= sizeOf(groups);
			const isWhole = segment !== this.#live && groups.length === segment.groups.size;
			if (isWhole && (large.ofDisk || allGo)) this.#remove(segment);
			else this.read(segment, () => removeOldest(segment, groups, allGo), undefined);
			if (segment !== this.#live && segment.groups.size === 0) this.#remove(segment);
			return true;
		}
		return false;
	}

	#removeOld(now: EpochMs): void {
		this.isClockTrusted = this.#clock.isTrusted(now);
		if (!this.isClockTrusted) return;
		for (const segment of [...this.#sealed])
			if ((segment.state?.written ?? 0) < now - this.#bounds.days * DAY_MS) this.#remove(segment);
	}

	#remove(segment: Segment): void {
		this.#close(segment);
		segment.remove();
		this.#sealed.splice(this.#sealed.indexOf(segment), 1);
	}

	/** What all segments have of each tenant. */
	bytesByTenant(): Map<string, Bytes> {
		const bytes = new Map<string, Bytes>();
		for (const segment of this.all)
			for (const group of segment.groups.values())
				bytes.set(group.tenant, (bytes.get(group.tenant) ?? 0) + group.bytes);
		return bytes;
	}

	#mostOf(tenant: string): Bytes {
		const { maxBytes, tenantBytes } = this.#bounds;
		return tenantBytes ?? (tenant === DEFAULT_TENANT ? maxBytes : maxBytes * TENANT_SHARE);
	}

	/** Whose oldest entries have to go: who has more than a tenant may, or the most where all have too much. */
	#tooLarge(): TooLarge | null {
		const sizes = this.bytesByTenant();
		for (const [tenant, bytes] of sizes) {
			const excess = bytes - this.#mostOf(tenant);
			if (excess > 0) return { tenant, excess, ofDisk: false };
		}
		const onDisk = this.all.reduce((sum, { bytes }) => sum + bytes, 0) + this.#damagedBytes();
		const excess = onDisk - this.#bounds.maxBytes;
		const [largest] = [...sizes].sort(([, one], [, other]) => other - one);
		return excess <= 0 || largest === undefined ? null : { tenant: largest[0], excess, ofDisk: true };
	}

	#damagedBytes(): Bytes {
		const names = readdirSync(this.#folder).filter((name) => name.endsWith(".damaged"));
		return names.reduce(
			(sum, name) => sum + (statSync(join(this.#folder, name), { throwIfNoEntry: false })?.size ?? 0),
			0,
		);
	}

	close(): void {
		for (const segment of this.all) segment.close();
	}
}

const sizeOf = (groups: Group[]): Bytes => groups.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * Of the version that has the oldest entry. Unless all have to go, what is in the later half of the time stays for now:
 * one of few entries is not to lose all of them before one of many loses its oldest.
 */
function removeOldest(segment: Segment, groups: Group[], allGo: boolean): void {
	const oldest = groups.reduce((one, other) => (other.first < one.first ? other : one));
	const last = groups.reduce((most, group) => Math.max(most, group.last), oldest.last);
	const until = allGo ? last : oldest.first + Math.floor((last - oldest.first) / 2);
	segment.removeOldest(oldest, { until, most: MOST_REMOVED });
}
