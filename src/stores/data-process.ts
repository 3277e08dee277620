import { mkdirSync, realpathSync } from "node:fs";
import { type DataAnswer, type DataCall, DataKind, readDataAnswer, writeDataCall } from "../link/data-frames.ts";
import type { TenantName } from "../names.ts";
import { Child } from "../processes/child.ts";
import { confinedToFolder } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { begun, type Content, PIECE } from "./content.ts";

/** A disk that takes longer than this is not waited for. */
const MOST_MS: Milliseconds = 30_000;
const MAX_FRAME_BYTES: Bytes = 64 * 2 ** 20;
const MAX_BYTES: Bytes = 2 ** 30;
/**
 * So many calls of one tenant are asked for at a time, where it is alone and where others have asked lately, and so
 * many in all; the rest wait. Whoever asks next has to wait for all of them.
 */
const MOST_OF_ONE = 16;
const MOST_OF_TENANT = 2;
const MOST_ASKED = 64;
const LATELY_MS: Milliseconds = 1000;
/** Who asks for what is no tenant's, now and then. */
export const NOBODY: TenantName = "";
/** So many calls of one tenant may wait, and so many bytes that they bring. */
const MOST_WAITING = 10_000;
const MOST_WAITING_BYTES: Bytes = 32 * 2 ** 20;
/** After one that could not start the next is not started for so long. */
const REST_MS: Milliseconds = 1000;

/** What came of a call. */
export interface DataResult {
	said: unknown;
	bytes: Uint8Array;
}

/** A value that is to be stored. */
export interface Intake {
	/** How large it may be. */
	most: Bytes;
	/** How much its tenant may store. */
	mostBytes: Bytes;
	/** Which of its hashes are wanted where it is large: algorithms of `node:crypto`. */
	hashes?: readonly string[];
	/** Aborts when nobody waits for it any more. */
	signal?: AbortSignal | undefined;
}

interface Asked {
	tenant: TenantName;
	call: DataCall;
	/** How many it brings. */
	bytes: Bytes;
	signal: AbortSignal | undefined;
	resolve: (result: DataResult) => void;
	reject: (error: Error) => void;
	/** How often it was asked for. */
	times: number;
	deadline: Milliseconds;
}

interface Tenant {
	asked: number;
	readonly waiting: Asked[];
	waitingBytes: Bytes;
}

/** What is refused begins with an HTTP status: that and the words behind it; `null` for an error of another kind. */
export function refusalIn({ message }: Error): { status: number; why: string } | null {
	const [, status, why] = /^([45]\d\d) (.+)$/s.exec(message) ?? [];
	return status === undefined ? null : { status: Number(status), why };
}

/**
 * The process that keeps what functions store, as the edge asks it: what is slow there is slow for whoever asked, and
 * one that is lost is started again. Started when first needed.
 */
export class DataProcess {
	readonly #launcher: Launcher;
	/** Where it keeps all of it. */
	readonly folder: string;
	#child: Child | null = null;
	#nextId = 1;
	readonly #asked = new Map<number, Asked>();
	/** When more than one tenant asked at the same time. */
	#sharedAt: Milliseconds = Number.NEGATIVE_INFINITY;
	/** Those of whom anything is asked for or waits; whoever is first is next. */
	readonly #tenants = new Map<TenantName, Tenant>();
	#closed = false;
	/** How often a process was started. */
	starts = 0;
	/** Whether the process that runs has answered anything. */
	#answered = false;
	/** Why none is started as long as this. */
	#failed = "";
	#restUntil: Milliseconds = 0;

	/** The folder is made where it is missing. */
	constructor(launcher: Launcher, folder: string) {
		this.#launcher = launcher;
		this.folder = folder;
	}

	/**
	 * Has something done for a tenant, which is acknowledged once it is on the disk. One that the process did not live to
	 * acknowledge is asked for once more, so that it has to be one that may be done twice. Rejects with words that a
	 * function may read; one whose `signal` aborts before it was asked for is not.
	 */
	ask(tenant: TenantName, call: DataCall, signal?: AbortSignal): Promise<DataResult> {
		const { promise, resolve, reject } = Promise.withResolvers<DataResult>();
		const one = this.#tenant(tenant);
		const bytes = call.bytes?.byteLength ?? 0;
		if (this.#closed) reject(new Error("503 the server is shutting down"));
		else if (one.waiting.length >= MOST_WAITING || one.waitingBytes + bytes > MOST_WAITING_BYTES)
			reject(new Error("429 too much waits to be stored or read already"));
		else {
			one.waitingBytes += bytes;
			one.waiting.push({ tenant, call, bytes, signal, resolve, reject, times: 0, deadline: 0 });
			this.#next();
		}
		return promise;
	}

	/** Takes in a value that is too large for one call. Gives the name by which another call may keep it. */
	async receive(tenant: TenantName, content: AsyncIterable<Uint8Array>, intake: Intake): Promise<string> {
		let name = "";
		const { most, mostBytes, hashes = [] } = intake;
		try {
			for await (const chunk of content)
				for (let at = 0; at < chunk.byteLength; at += PIECE) {
					const bytes = chunk.subarray(at, at + PIECE);
					const said = { tenant, name, most, mostBytes, hashes };
					const result = await this.ask(tenant, { store: "blobs", operation: "append", said, bytes });
					name = result.said as string;
				}
			await this.ask(tenant, { store: "blobs", operation: "finish", said: { tenant, name } });
			return name;
		} catch (error) {
			this.discard(tenant, name);
			throw error;
		}
	}

	/**
	 * Makes a call with a value of any size, which is begun once all of it is there: what is small goes along, and of what
	 * is larger the call is told, as `blob`, by which name it may keep it.
	 */
	async store(tenant: TenantName, call: DataCall, content: Content, intake: Intake): Promise<DataResult> {
		const value = await begun(content, intake.most);
		if (value instanceof Uint8Array)
			return this.ask(tenant, { ...call, said: { ...call.said, blob: null }, bytes: value }, intake.signal);
		const blob = await this.receive(tenant, value, intake);
		try {
			return await this.ask(tenant, { ...call, said: { ...call.said, blob } });
		} catch (error) {
			this.discard(tenant, blob);
			throw error;
		}
	}

	/** What was received is not kept after all. */
	discard(tenant: TenantName, name: string): void {
		if (name === "" || this.#closed) return;
		this.ask(tenant, { store: "blobs", operation: "discard", said: { name } }).catch(() => undefined);
	}

	/** The pieces of a large value, by what another call has said that it is read by. */
	async *read(tenant: TenantName, reading: string, size: Bytes): AsyncGenerator<Uint8Array> {
		let left = size;
		try {
			while (left > 0) {
				const said = { tenant, reading };
				const { bytes } = await this.ask(tenant, { store: "blobs", operation: "piece", said });
				if (bytes.byteLength === 0) throw new Error("500 the value is not whole");
				left -= bytes.byteLength;
				yield bytes;
			}
		} finally {
			if (left > 0 && !this.#closed)
				this.ask(tenant, { store: "blobs", operation: "close", said: { reading } }).catch(() => undefined);
		}
	}

	/** 0 while it does not run. */
	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	#tenant(name: TenantName): Tenant {
		let tenant = this.#tenants.get(name);
		if (tenant === undefined) {
			tenant = { asked: 0, waiting: [], waitingBytes: 0 };
			this.#tenants.set(name, tenant);
		}
		return tenant;
	}

	/** Asks for what may be asked for now, of one tenant after the other. */
	#next(): void {
		const now = performance.now();
		const others = this.#tenants.has(NOBODY) ? 2 : 1;
		if (this.#tenants.size > others) this.#sharedAt = now;
		const most = now < this.#sharedAt + LATELY_MS ? MOST_OF_TENANT : MOST_OF_ONE;
		let found = true;
		while (found && this.#asked.size < MOST_ASKED) {
			found = false;
			for (const [name, tenant] of this.#tenants) {
				if (tenant.waiting.length === 0 || tenant.asked >= most) continue;
				if (this.#asked.size >= MOST_ASKED) break;
				found = true;
				// It goes to the end of the line.
				this.#tenants.delete(name);
				this.#tenants.set(name, tenant);
				const one = tenant.waiting.shift() as Asked;
				tenant.waitingBytes -= one.bytes;
				tenant.asked++;
				if (one.signal?.aborted) this.#drop(one);
				else this.#ask(one);
				break;
			}
		}
	}

	/** Nobody waits for one any more, and it was not asked for yet. */
	#drop(one: Asked): void {
		this.#left(one);
		one.reject(new Error("nobody waits for it any more"));
	}

	#ask(one: Asked): void {
		const id = this.#nextId++ >>> 0;
		one.times++;
		one.deadline = performance.now() + MOST_MS;
		this.#asked.set(id, one);
		try {
			if (this.#child === null && performance.now() < this.#restUntil) throw new Error(this.#failed);
			this.#child ??= this.#launch();
			this.#child.watch(true);
			writeDataCall(this.#child.writer, id, one.call);
		} catch (error) {
			this.#end(id)?.reject(new Error(`500 the data folder cannot be used: ${(error as Error).message}`));
		}
	}

	#launch(): Child {
		this.starts++;
		this.#answered = false;
		mkdirSync(this.folder, { recursive: true, mode: 0o700 });
		const child: Child = new Child(
			this.#launcher,
			{
				launch: {
					...confinedToFolder("data/main", realpathSync(this.folder)),
					niceness: niceness(BELOW_EDGE),
					file: null,
				},
				maxFrameBytes: MAX_FRAME_BYTES,
				maxBytes: MAX_BYTES,
			},
			{
				onFrame: (frame) => this.#onAnswer(readDataAnswer(frame)),
				overdue: () => {
					const [oldest] = this.#asked.values();
					if (oldest === undefined) child.watch(false);
					return oldest !== undefined && performance.now() > oldest.deadline ? "it took too long" : null;
				},
				onEnded: (why) => this.#onEnded(child, why),
			},
		);
		return child;
	}

	/** One is asked for no longer. */
	#end(id: number): Asked | undefined {
		const one = this.#asked.get(id);
		if (one === undefined) return undefined;
		this.#asked.delete(id);
		this.#left(one);
		return one;
	}

	/** One of its tenant's calls is under way no longer. */
	#left({ tenant: name }: Asked): void {
		const tenant = this.#tenant(name);
		tenant.asked--;
		if (tenant.asked === 0 && tenant.waiting.length === 0) this.#tenants.delete(name);
	}

	#onAnswer({ kind, id, text, bytes }: DataAnswer): void {
		const one = this.#end(id);
		if (one === undefined) throw new Error("an answer that nobody has asked for");
		this.#answered = true;
		if (kind === DataKind.refused) one.reject(new Error(text));
		// The frame's bytes are good until the next one.
		else one.resolve({ said: JSON.parse(text), bytes: Uint8Array.from(bytes) });
		this.#next();
	}

	#onEnded(child: Child, why: string): void {
		if (this.#child !== child) return;
		this.#child = null;
		if (!this.#answered) {
			this.#failed = why;
			this.#restUntil = performance.now() + REST_MS;
		}
		for (const id of [...this.#asked.keys()]) {
			const one = this.#end(id) as Asked;
			// What came in before, or is being read, went with the process.
			if (one.times > 1 || one.call.store === "blobs" || this.#closed)
				one.reject(new Error(`500 the data process was lost (${why})`));
			else {
				const tenant = this.#tenant(one.tenant);
				tenant.waitingBytes += one.bytes;
				tenant.waiting.unshift(one);
			}
		}
		if (!this.#closed) this.#next();
	}

	/** Ends it; what it has not acknowledged has failed. */
	async close(): Promise<void> {
		this.#closed = true;
		for (const { waiting } of this.#tenants.values())
			for (const { reject } of waiting.splice(0)) reject(new Error("503 the server is shutting down"));
		await this.#child?.close({ gently: true });
	}
}
