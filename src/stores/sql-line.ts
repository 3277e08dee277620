import { setPriority } from "node:os";
import { type DataCall, DataKind } from "../link/data-frames.ts";
import type { TenantName } from "../names.ts";
import { niceness } from "../processes/launcher.ts";
import { OwnClock } from "../processes/own-clock.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Asked, AskedChild, type AskedChildSettings } from "./asked-child.ts";

/** A call that takes longer, whatever it does, is not waited for. */
const MOST_MS: Milliseconds = 30_000;
/** So many calls may wait, and so many bytes that they bring. */
const MOST_WAITING = 10_000;
const MOST_WAITING_BYTES: Bytes = 32 * 2 ** 20;
/** So many are asked for at a time: the process does one after the other, and waits for none to come. */
const MOST_ASKED = 8;
/** A process whose call has computed for so long stands further below the edge from then on, as functions do. */
const HEAVY_MS: Milliseconds = 200;
const HEAVY_BELOW_EDGE = 10;
/** After a process that did harm, or was lost, the tenant's next is started so much later: starts cost others, too. */
const REST_MS: Milliseconds = 1000;
/** So much of what a process says of a failure is passed on, in letters. */
const MOST_WORDS = 2000;

/** What came of a call. */
export interface SqlAnswer {
	text: string;
	bytes: Uint8Array;
}

/** What is to be done, and for how long. */
export interface LineCall {
	call: DataCall;
	signal: AbortSignal | undefined;
	cpuMs: Milliseconds;
}

interface WaitingCall extends Asked {
	bytes: Bytes;
	signal: AbortSignal | undefined;
	cpuMs: Milliseconds;
	waitsSince: Milliseconds;
	resolve: (answer: SqlAnswer) => void;
	reject: (error: Error) => void;
}

export interface SqlLineEvents {
	/** It has a call that waits, and more may be asked for. */
	onWaiting(): void;
	/** More may be asked for than before. */
	onFree(): void;
}

/**
 * What one tenant asks of its SQL process. Where that is lost, or has to be ended, with several calls under way, they are
 * asked for again one by one, so that it is known which of them does harm.
 */
export class SqlLine {
	readonly tenant: TenantName;
	readonly #settings: AskedChildSettings;
	readonly #events: SqlLineEvents;
	#child: AskedChild<WaitingCall>;
	#waiting: WaitingCall[] = [];
	#waitingBytes: Bytes = 0;
	/** Those that are being taken in. */
	#receiving = 0;
	#clock: OwnClock | null = null;
	/** Those that were asked for, in the order in which they are done. */
	#asked: WaitingCall[] = [];
	/** So many are asked for one by one: a process was lost with several, and which of them did it is not known. */
	#suspects = 0;
	/** When it was given its process. */
	since: Milliseconds = 0;
	usedAt: Milliseconds = 0;
	/** A process was lost, and the next is not started yet. */
	rests = false;
	#closed = false;

	constructor(tenant: TenantName, settings: AskedChildSettings, events: SqlLineEvents) {
		this.tenant = tenant;
		this.#settings = settings;
		this.#events = events;
		this.#child = this.#newChild();
	}

	#newChild(): AskedChild<WaitingCall> {
		const child: AskedChild<WaitingCall> = new AskedChild(this.#settings, {
			onAnswered: (one, { kind, text, bytes }) => {
				this.#done();
				if (kind === DataKind.refused) one.reject(new Error(text.slice(0, MOST_WORDS)));
				else one.resolve({ text, bytes });
				this.#events.onFree();
			},
			onLost: (ones, why, unasked) => this.#onLost(ones, why, unasked),
			overdue: (pid) => this.#overdue(pid),
		});
		return child;
	}

	get pid(): number {
		return this.#child.pid;
	}

	get waits(): boolean {
		return this.#waiting.length > 0;
	}

	/** Whether anything is under way. */
	get isBusy(): boolean {
		return this.#asked.length > 0;
	}

	/** Whether nothing is under way, and nothing waits. */
	get isIdle(): boolean {
		return !this.isBusy && !this.waits;
	}

	get isEmpty(): boolean {
		return this.isIdle && this.#receiving === 0;
	}

	ask({ call, signal, cpuMs }: LineCall): Promise<SqlAnswer> {
		const { promise, resolve, reject } = Promise.withResolvers<SqlAnswer>();
		const bytes = call.bytes?.byteLength ?? 0;
		const now = performance.now();
		if (this.#waiting.length >= MOST_WAITING || this.#waitingBytes + bytes > MOST_WAITING_BYTES) reject(overloaded());
		else {
			this.#waitingBytes += bytes;
			const times = { times: 0, hasBegun: false, deadline: 0, waitsSince: now };
			this.#waiting.push({ call, bytes, signal, cpuMs, ...times, resolve, reject });
			if (this.#hasRoom && !this.rests) this.#events.onWaiting();
		}
		return promise;
	}

	/** Takes in what a call brings. */
	async receive(content: AsyncIterable<Uint8Array>, most: Bytes): Promise<Uint8Array> {
		const parts: Uint8Array[] = [];
		let bytes = 0;
		this.#receiving++;
		try {
			for await (const part of content) {
				bytes += part.byteLength;
				this.#waitingBytes += part.byteLength;
				if (bytes > most) throw new Error(`what a call brings has more than ${most} bytes`);
				if (this.#waitingBytes > MOST_WAITING_BYTES) throw overloaded();
				parts.push(part);
			}
			return Buffer.concat(parts);
		} finally {
			this.#waitingBytes -= bytes;
			this.#receiving--;
		}
	}

	get #hasRoom(): boolean {
		return this.#asked.length < (this.#suspects > 0 ? 1 : MOST_ASKED);
	}

	/** Asks for the next calls. */
	next(): void {
		while (this.#hasRoom) {
			const one = this.#waiting.shift();
			if (one === undefined) return;
			this.#waitingBytes -= one.bytes;
			if (one.signal?.aborted) {
				one.reject(new Error("nobody waits for it any more"));
				continue;
			}
			this.#asked.push(one);
			if (this.#asked.length === 1) this.#begin(one);
			try {
				this.#child.ask(one);
			} catch (error) {
				this.#asked.pop();
				const { code, message } = error as NodeJS.ErrnoException;
				// No function learns where files are.
				one.reject(new Error(`the database cannot be used: ${code ?? message}`));
			}
		}
	}

	/** One is under way from now on. */
	#begin(one: WaitingCall): void {
		one.deadline = performance.now() + Math.max(MOST_MS, one.cpuMs);
	}

	/** The one that was under way is over, and so is what its process has computed for it. */
	#done(): void {
		this.#asked.shift();
		if (this.#suspects > 0) this.#suspects--;
		this.#clock?.[Symbol.dispose]();
		this.#clock = null;
		this.usedAt = performance.now();
		if (this.isBusy) this.#begin(this.#asked[0]);
	}

	/** Asked ten times a second while a call is under way: a short one costs no look at the clock. */
	#overdue(pid: number): string | null {
		if (!this.isBusy || pid === 0) return null;
		const [one] = this.#asked;
		this.#clock ??= new OwnClock(pid);
		const took = this.#clock.read();
		if (took > one.cpuMs) return `the query took more than ${one.cpuMs} ms of CPU time`;
		if (took > HEAVY_MS) lower(pid);
		return null;
	}

	#onLost(ones: WaitingCall[], why: string, unasked: boolean): void {
		// Nothing was under way in it: perhaps there is another one by now.
		if (ones.length === 0) return;
		this.#asked.length = 0;
		this.#done();
		const isAlone = ones.length === 1;
		const again = ones.filter((one) => !this.#closed && !one.hasBegun && (!isAlone || (unasked && one.times === 1)));
		for (const one of ones) if (!again.includes(one)) one.reject(new Error(reset(one, why)));
		for (const one of again) {
			this.#waitingBytes += one.bytes;
			if (!isAlone) one.times = 0;
		}
		this.#waiting.unshift(...again);
		if (!isAlone) this.#suspects = again.length;
		this.#rest();
		this.#events.onFree();
	}

	#rest(): void {
		this.rests = true;
		setTimeout(() => {
			this.rests = false;
			if (this.waits) this.#events.onWaiting();
		}, REST_MS).unref();
	}

	/** Refuses what waits since then. */
	giveUp(since: Milliseconds): void {
		const late = this.#waiting.filter(({ waitsSince }) => waitsSince < since);
		if (late.length === 0) return;
		this.#waiting = this.#waiting.filter((one) => !late.includes(one));
		for (const one of late) {
			this.#waitingBytes -= one.bytes;
			one.reject(overloaded());
		}
	}

	/** Ends its process; the next call has another one. */
	async end(): Promise<void> {
		const child = this.#child;
		this.#child = this.#newChild();
		await child.close();
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const one of this.#waiting.splice(0)) one.reject(new Error("the server is shutting down"));
		await this.#child.close();
	}
}

function reset({ hasBegun }: WaitingCall, why: string): string {
	return `D1 DB was reset: ${why}${hasBegun ? "; whether its changes were made is not known" : ""}`;
}

function overloaded(): Error {
	return new Error("D1 DB is overloaded. Too many requests queued.");
}

/** From now on others come first. */
function lower(pid: number): void {
	try {
		setPriority(pid, niceness(HEAVY_BELOW_EDGE));
	} catch {
		// It has just ended.
	}
}
