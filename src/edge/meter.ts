import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Lines } from "../feed/lines.ts";
import {
	type CounterValues,
	type Counts,
	type Day,
	dayOf,
	type NamedCounters,
	noCounts,
	type ToMeter,
	type ToMetering,
} from "../feed/usage.ts";
import type { FunctionName, TenantName } from "../names.ts";
import type { InvocationRecord, Outcome } from "../observe/record.ts";
import type { Bytes, Count, Milliseconds } from "../units.ts";
import { ControlSocket } from "./control-socket.ts";

/** Control that is gone is looked for no less often than that. */
const LONGEST_MS: Milliseconds = 50;
/** Nothing that is counted waits longer to be told. */
const TELL_MS: Milliseconds = 5;
/** So often is counted what is held ready. */
const HELD_MS: Milliseconds = 1000;
/** An edge that stood still for longer held nothing ready meanwhile. */
const MOST_HELD_MS: Milliseconds = 10_000;
/** Counters of days before yesterday are forgotten so often, once they are on control's disk. */
const FORGET_MS: Milliseconds = 3600_000;
const DAY_MS: Milliseconds = 24 * 3600_000;
/** What control does not take waits in the counters, past this. */
const MOST_WAITING: Bytes = 256 * 1024;
/** An edge that ends waits so long for control to take the last of it. */
const LAST_MS: Milliseconds = 5000;

/** Outcomes that are atoll's own doing, and nobody's bill. */
const UNBILLED: ReadonlySet<Outcome> = new Set(["sandbox_lost", "internal_error", "shutting_down", "overloaded"]);

/** What a function has used on one day, since this edge began to count it. */
interface Counters {
	readonly index: number;
	readonly epoch: number;
	readonly tenant: TenantName;
	readonly function: FunctionName;
	readonly day: Day;
	readonly counts: Counts;
	/** The connection over which they were named, and the message in which they were told last there. */
	connection: number;
	message: number;
}

/** What is held ready for functions: memory that their provisioned instances may use. */
interface Held {
	tenant: TenantName;
	name: FunctionName;
	memoryMb: number;
}

export interface MeterParts {
	/** Where control listens. */
	path: string;
	/** What is held ready now. */
	held: () => Iterable<Held>;
	/** How many invocations are under way: as many may be counted and not told yet. */
	inFlight?: () => Count;
	/** These tenants' functions are not to run. */
	onRefused: (tenants: (ToMeter & { kind: "refused" })["tenants"]) => void;
	now?: () => Milliseconds;
}

/**
 * Counts what functions use. Counters only grow, and control is told those that have changed: whatever is told twice
 * counts once, and where control was gone it is told all of them. A write for each invocation would be a tenth of what one
 * costs the edge, so as many are told together as are under way: an edge that is killed loses no more than twice those.
 */
export class Meter {
	readonly #parts: MeterParts;
	readonly #now: () => Milliseconds;
	/** No process has had it before. */
	readonly #id = randomUUID();
	/** By day, tenant and function: nothing is put together for a look-up. */
	readonly #days = new Map<Day, Map<TenantName, Map<FunctionName, Counters>>>();
	/** The day of the last record: nearly always that of the next. */
	#day: Day = "";
	#today = new Map<TenantName, Map<FunctionName, Counters>>();
	readonly #changed = new Set<Counters>();
	#indexes = 0;
	#epoch = 0;
	#flush: NodeJS.Immediate | null = null;
	/** Has what is counted told later, where `#flush` does not. */
	#later: NodeJS.Timeout | null = null;
	/** Invocations that were counted and not told. */
	#untold: Count = 0;
	readonly #control: ControlSocket;
	#lines: Lines<ToMeter, ToMetering> | null = null;
	#connections = 0;
	#messages = 0;
	#kept = 0;
	#waits = false;
	#heldAt = performance.now();
	#holding: NodeJS.Timeout | null;
	readonly #forgetting: NodeJS.Timeout;

	constructor(parts: MeterParts) {
		this.#parts = parts;
		this.#now = parts.now ?? Date.now;
		this.#holding = setInterval(() => this.#countHeld(), HELD_MS).unref();
		this.#forgetting = setInterval(() => this.forget(), FORGET_MS).unref();
		this.#control = new ControlSocket({
			path: parts.path,
			longestMs: LONGEST_MS,
			onConnect: (socket) => this.#onConnect(socket),
			onClose: () => {
				this.#lines = null;
			},
		});
	}

	/** Counts an invocation that is over. What did not run, or ended by atoll's own fault, is not counted. */
	count(record: InvocationRecord, memoryMbMs: number): void {
		if (record.attempts === 0 || UNBILLED.has(record.outcome)) return;
		this.#untold++;
		const { counts } = this.#countersOf(record.tenant, record.function, this.#dayOf(record.time));
		counts[0]++;
		counts[1] += Math.round(record.cpuMs * 1000);
		counts[2] += memoryMbMs;
		counts[4] += record.responseBytes;
		counts[5] += record.subrequests;
		if (record.cold) counts[6]++;
	}

	#dayOf(time: string): Day {
		return time.startsWith(this.#day) && this.#day !== "" ? this.#day : time.slice(0, 10);
	}

	/** Counters that are about to change. */
	#countersOf(tenant: TenantName, name: FunctionName, day: Day): Counters {
		if (day !== this.#day) {
			this.#day = day;
			this.#today = entry(this.#days, day, () => new Map());
		}
		const functions = entry(this.#today, tenant, () => new Map<FunctionName, Counters>());
		const counters = entry(functions, name, () => ({
			...{ index: this.#indexes++, epoch: this.#epoch, tenant, function: name, day },
			...{ counts: noCounts(), connection: 0, message: 0 },
		}));
		this.#changed.add(counters);
		this.#tellSoon();
		return counters;
	}

	#tellSoon(): void {
		if (this.#flush !== null) return;
		if (this.#untold >= (this.#parts.inFlight?.() ?? 0)) this.#flush = setImmediate(() => this.#tell());
		else this.#later ??= setTimeout(() => this.#tell(), TELL_MS);
	}

	#countHeld(): void {
		const now = performance.now();
		const ms = Math.round(Math.min(MOST_HELD_MS, now - this.#heldAt));
		this.#heldAt = now;
		const day = dayOf(this.#now());
		for (const { tenant, name, memoryMb } of this.#parts.held())
			this.#countersOf(tenant, name, day).counts[3] += memoryMb * ms;
	}

	/** Tells what has changed, as far as control takes it: what it does not take is told with what comes then. */
	#tell(): void {
		this.#unplan();
		const lines = this.#lines;
		if (lines === null || this.#changed.size === 0) return;
		if (lines.waiting > MOST_WAITING) {
			if (!this.#waits)
				void lines.ready().then(() => {
					this.#waits = false;
					this.#tell();
				});
			this.#waits = true;
			return;
		}
		const named: NamedCounters[] = [];
		const values: CounterValues[] = [];
		this.#messages++;
		for (const one of this.#changed) {
			if (one.connection !== this.#connections) {
				one.connection = this.#connections;
				named.push([one.index, one.epoch, one.tenant, one.function, one.day]);
			}
			one.message = this.#messages;
			values.push([one.index, ...one.counts]);
		}
		this.#changed.clear();
		lines.send({ kind: "used", named, values });
	}

	/** It is told now, or nothing more is. */
	#unplan(): void {
		if (this.#flush !== null) clearImmediate(this.#flush);
		if (this.#later !== null) clearTimeout(this.#later);
		this.#flush = null;
		this.#later = null;
		this.#untold = 0;
	}

	#onConnect(socket: Socket): void {
		this.#lines = new Lines<ToMeter, ToMetering>(socket, (said) => this.#on(said));
		this.#connections++;
		this.#messages = 0;
		this.#kept = 0;
		this.#lines.send({ kind: "edge", id: this.#id });
		for (const one of this.#all()) this.#changed.add(one);
		this.#tell();
	}

	#on(said: ToMeter): void {
		if (said.kind === "kept") this.#kept = said.messages;
		else this.#parts.onRefused(said.tenants);
	}

	*#all(): Generator<Counters> {
		for (const tenants of this.#days.values()) for (const functions of tenants.values()) yield* functions.values();
	}

	/**
	 * Forgets counters of days before yesterday, once all of them are on control's disk. What is still counted of such a
	 * day begins anew, in another epoch.
	 */
	forget(): void {
		const before = dayOf(this.#now() - DAY_MS);
		const old = [...this.#days.keys()].filter((day) => day < before);
		const isKept = (one: Counters) =>
			one.connection === this.#connections && one.message <= this.#kept && !this.#changed.has(one);
		if (this.#lines === null || old.length === 0) return;
		for (const one of this.#all()) if (one.day < before && !isKept(one)) return;
		for (const day of old) this.#days.delete(day);
		this.#day = "";
		this.#lines.send({ kind: "forgotten", before, epoch: this.#epoch++ });
	}

	/** Nothing is held ready any more: another edge has taken over, or all ends. */
	release(): void {
		if (this.#holding === null) return;
		this.#countHeld();
		clearInterval(this.#holding);
		this.#holding = null;
	}

	/** Tells the last of it. Resolves once control has taken it, or is gone for too long. */
	async close(): Promise<void> {
		this.release();
		clearInterval(this.#forgetting);
		const deadline = performance.now() + LAST_MS;
		// It may be about to be started again.
		while (this.#lines === null && this.#changed.size > 0 && performance.now() < deadline) await sleep(LONGEST_MS);
		const socket = this.#control.stop();
		this.#unplan();
		if (this.#lines === null) {
			socket.destroy();
			return;
		}
		while (this.#changed.size > 0 && this.#lines?.closed === false && performance.now() < deadline) {
			this.#tell();
			await this.#lines?.ready();
		}
		const gone = new Promise<void>((resolve) => {
			if (socket.destroyed) resolve();
			else socket.once("close", () => resolve());
		});
		socket.end();
		await Promise.race([gone, sleep(LAST_MS, undefined, { ref: false })]);
		socket.destroy();
	}
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	let value = map.get(key);
	if (value === undefined) {
		value = make();
		map.set(key, value);
	}
	return value;
}
