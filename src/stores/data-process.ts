import { mkdirSync, realpathSync } from "node:fs";
import { type DataAnswer, type DataCall, DataKind } from "../link/data-frames.ts";
import type { TenantName } from "../names.ts";
import { confinedToFolder } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Asked, AskedChild } from "./asked-child.ts";
import { begun, type Content, PIECE } from "./content.ts";

/** A disk that takes longer than this is not waited for. */
const MOST_MS: Milliseconds = 30_000;
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

/** Which blobs those are that go to the process, or come from it, by themselves. */
export type BlobStore = "blobs" | "relaxedBlobs";

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

/** What functions have stored, as it is asked for. */
export interface StoredData {
	/**
	 * Has something done for a tenant, which is acknowledged once it is on the disk. One that the process did not live to
	 * acknowledge is asked for once more, so that it has to be one that may be done twice. Rejects with words that a
	 * function may read; one whose `signal` aborts before it was asked for is not.
	 */
	ask(tenant: TenantName, call: DataCall, signal?: AbortSignal): Promise<DataResult>;
	/** Takes in a value that is too large for one call. Gives the name by which another call may keep it. */
	receive(tenant: TenantName, content: AsyncIterable<Uint8Array>, intake: Intake, store?: BlobStore): Promise<string>;
	/**
	 * Makes a call with a value of any size, which is begun once all of it is there: what is small goes along, and of what
	 * is larger the call is told, as `blob`, by which name it may keep it.
	 */
	store(tenant: TenantName, call: DataCall, content: Content, intake: Intake): Promise<DataResult>;
	/** What was received is not kept after all. */
	discard(tenant: TenantName, name: string, store?: BlobStore): void;
	/** The pieces of a large value, by what another call has said that it is read by. */
	read(tenant: TenantName, reading: string, size: Bytes, store?: BlobStore): AsyncIterable<Uint8Array>;
}

interface TenantCall extends Asked {
	tenant: TenantName;
	/** How many it brings. */
	bytes: Bytes;
	signal: AbortSignal | undefined;
	resolve: (result: DataResult) => void;
	reject: (error: Error) => void;
}

interface Tenant {
	asked: number;
	readonly waiting: TenantCall[];
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
export class DataProcess implements StoredData {
	/** Where it keeps all of it. */
	readonly folder: string;
	readonly #child: AskedChild<TenantCall>;
	/** When more than one tenant asked at the same time. */
	#sharedAt: Milliseconds = Number.NEGATIVE_INFINITY;
	/** Those of whom anything is asked for or waits; whoever is first is next. */
	readonly #tenants = new Map<TenantName, Tenant>();
	#closed = false;

	/** The folder is made where it is missing. */
	constructor(launcher: Launcher, folder: string) {
		this.folder = folder;
		const launch = () => {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			return {
				...confinedToFolder("data/main", realpathSync(folder)),
				niceness: niceness(BELOW_EDGE),
				file: null,
			};
		};
		this.#child = new AskedChild(
			{ launcher, launch, maxBytes: MAX_BYTES },
			{
				onAnswered: (one, answer) => this.#onAnswer(one, answer),
				onLost: (ones, why) => this.#onLost(ones, why),
			},
		);
	}

	ask(tenant: TenantName, call: DataCall, signal?: AbortSignal): Promise<DataResult> {
		const { promise, resolve, reject } = Promise.withResolvers<DataResult>();
		const one = this.#tenant(tenant);
		const bytes = call.bytes?.byteLength ?? 0;
		if (this.#closed) reject(new Error("503 the server is shutting down"));
		else if (one.waiting.length >= MOST_WAITING || one.waitingBytes + bytes > MOST_WAITING_BYTES)
			reject(new Error("429 too much waits to be stored or read already"));
		else {
			one.waitingBytes += bytes;
			one.waiting.push({ tenant, call, bytes, signal, resolve, reject, times: 0, hasBegun: false, deadline: 0 });
			this.#next();
		}
		return promise;
	}

	async receive(
		tenant: TenantName,
		content: AsyncIterable<Uint8Array>,
		intake: Intake,
		store: BlobStore = "blobs",
	): Promise<string> {
		let name = "";
		const { most, mostBytes, hashes = [] } = intake;
		try {
			for await (const chunk of content)
				for (let at = 0; at < chunk.byteLength; at += PIECE) {
					const bytes = chunk.subarray(at, at + PIECE);
					const said = { tenant, name, most, mostBytes, hashes };
					const result = await this.ask(tenant, { store, operation: "append", said, bytes });
					name = result.said as string;
				}
			await this.ask(tenant, { store, operation: "finish", said: { tenant, name } });
			return name;
		} catch (error) {
			this.discard(tenant, name, store);
			throw error;
		}
	}

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

	discard(tenant: TenantName, name: string, store: BlobStore = "blobs"): void {
		if (name === "" || this.#closed) return;
		this.ask(tenant, { store, operation: "discard", said: { name } }).catch(() => undefined);
	}

	async *read(
		tenant: TenantName,
		reading: string,
		size: Bytes,
		store: BlobStore = "blobs",
	): AsyncGenerator<Uint8Array> {
		let left = size;
		try {
			while (left > 0) {
				const said = { tenant, reading };
				const { bytes } = await this.ask(tenant, { store, operation: "piece", said });
				if (bytes.byteLength === 0) throw new Error("500 the value is not whole");
				left -= bytes.byteLength;
				yield bytes;
			}
		} finally {
			if (left > 0 && !this.#closed)
				this.ask(tenant, { store, operation: "close", said: { reading } }).catch(() => undefined);
		}
	}

	/** 0 while it does not run. */
	get pid(): number {
		return this.#child.pid;
	}

	/** How often a process was started. */
	get starts(): number {
		return this.#child.starts;
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
		while (found && this.#child.size < MOST_ASKED) {
			found = false;
			for (const [name, tenant] of this.#tenants) {
				if (tenant.waiting.length === 0 || tenant.asked >= most) continue;
				if (this.#child.size >= MOST_ASKED) break;
				found = true;
				// It goes to the end of the line.
				this.#tenants.delete(name);
				this.#tenants.set(name, tenant);
				const one = tenant.waiting.shift() as TenantCall;
				tenant.waitingBytes -= one.bytes;
				tenant.asked++;
				if (one.signal?.aborted) this.#drop(one);
				else this.#ask(one);
				break;
			}
		}
	}

	/** Nobody waits for one any more, and it was not asked for yet. */
	#drop(one: TenantCall): void {
		this.#left(one);
		one.reject(new Error("nobody waits for it any more"));
	}

	#ask(one: TenantCall): void {
		one.deadline = performance.now() + MOST_MS;
		try {
			this.#child.ask(one);
		} catch (error) {
			this.#left(one);
			one.reject(new Error(`500 the data folder cannot be used: ${(error as Error).message}`));
		}
	}

	/** One of its tenant's calls is under way no longer. */
	#left({ tenant: name }: TenantCall): void {
		const tenant = this.#tenant(name);
		tenant.asked--;
		if (tenant.asked === 0 && tenant.waiting.length === 0) this.#tenants.delete(name);
	}

	#onAnswer(one: TenantCall, { kind, text, bytes }: DataAnswer): void {
		this.#left(one);
		if (kind === DataKind.refused) one.reject(new Error(text));
		else one.resolve({ said: JSON.parse(text), bytes });
		this.#next();
	}

	#onLost(ones: TenantCall[], why: string): void {
		for (const one of ones) {
			this.#left(one);
			// What came in before, or is being read, went with the process.
			if (one.times > 1 || /blobs$/i.test(one.call.store) || this.#closed)
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
		await this.#child.close();
	}
}
