import { mkdirSync, realpathSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { DataCall } from "../link/data-frames.ts";
import type { TenantName } from "../names.ts";
import { confinedToFolder } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type SqlAnswer, SqlLine } from "./sql-line.ts";

/** What a process may use, and which share of the machine's memory all of them together. */
const MOST_MEMORY: Bytes = 256 * 2 ** 20;
const MEMORY_SHARE = 1 / 8;
const LEAST_PROCESSES = 2;
const MOST_PROCESSES = 32;
/** One that has nothing to do is ended after so long. */
const IDLE_MS: Milliseconds = 60_000;
/** Where others wait for a process, one that has been a tenant's for so long is theirs after the next call. */
const TURN_MS: Milliseconds = 1000;
/** So long is waited for one. */
const MOST_WAIT_MS: Milliseconds = 30_000;
const SWEEP_MS: Milliseconds = 1000;

export interface SqlProcessesSettings {
	launcher: Launcher;
	/** Where the databases are kept, in a folder for each tenant. */
	folder: string;
	/** How much each tenant may have in its databases together. */
	storedBytes: Bytes;
	/** How long a call may compute. */
	cpuMs: Milliseconds;
	/** How many processes there may be at a time. Default: by the machine's memory. */
	most?: number | undefined;
}

/** What is asked of a tenant's database. */
export interface SqlCall {
	operation: string;
	database: string;
	said?: object;
	bytes?: Uint8Array;
	signal?: AbortSignal | undefined;
	/** How long it may compute, where its asker is no function. */
	cpuMs?: Milliseconds;
}

/**
 * The processes that keep tenants' SQL databases and run what they ask of these: one for each tenant that asks, in that
 * tenant's folder. They are few: where all are taken, tenants wait and have them in turn.
 */
export class SqlProcesses {
	readonly #settings: SqlProcessesSettings;
	readonly #most: number;
	readonly #lines = new Map<TenantName, SqlLine>();
	/** Those that have a process, the longest unused first. */
	readonly #running = new Set<SqlLine>();
	/** Those that wait for one, in their order. */
	readonly #wanting = new Set<SqlLine>();
	#sweeping: NodeJS.Timeout | null = null;
	#closed = false;

	constructor(settings: SqlProcessesSettings) {
		this.#settings = settings;
		const byMemory = Math.floor((totalmem() * MEMORY_SHARE) / MOST_MEMORY);
		this.#most = settings.most ?? Math.min(MOST_PROCESSES, Math.max(LEAST_PROCESSES, byMemory));
	}

	get folder(): string {
		return this.#settings.folder;
	}

	/**
	 * Has something done in a tenant's database, which is on the disk when it is acknowledged. What the process did not live
	 * to acknowledge is asked for once more, if it had not begun to change anything. Rejects with words that a function may
	 * read; one whose `signal` aborts before it was asked for is not.
	 */
	ask(tenant: TenantName, { operation, database, said, bytes, signal, cpuMs }: SqlCall): Promise<SqlAnswer> {
		if (this.#closed) return Promise.reject(new Error("the server is shutting down"));
		const { storedBytes } = this.#settings;
		const call: DataCall = {
			store: "sql",
			operation,
			said: { database, mostOfDatabase: storedBytes, mostOfTenant: storedBytes, ...said },
			...(bytes && { bytes }),
		};
		return this.#line(tenant).ask({ call, signal, cpuMs: cpuMs ?? this.#settings.cpuMs });
	}

	/** Takes in what a call brings, up to a size. */
	async receive(tenant: TenantName, content: AsyncIterable<Uint8Array>, most: Bytes): Promise<Uint8Array> {
		return this.#line(tenant).receive(content, most);
	}

	/** The folder of a tenant's databases, which is made where it is missing. */
	folderOf(tenant: TenantName): string {
		const folder = join(this.#settings.folder, tenant);
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		return realpathSync(folder);
	}

	/** The process ids of those that run, by their tenants. */
	pids(): Record<TenantName, number> {
		return Object.fromEntries([...this.#running].map(({ tenant, pid }) => [tenant, pid]));
	}

	#line(tenant: TenantName): SqlLine {
		const known = this.#lines.get(tenant);
		if (known !== undefined) return known;
		const launch = () => ({
			...confinedToFolder("sql/main", this.folderOf(tenant)),
			niceness: niceness(BELOW_EDGE),
			file: null,
		});
		const line: SqlLine = new SqlLine(
			tenant,
			{ launcher: this.#settings.launcher, launch, maxBytes: MOST_MEMORY },
			{ onWaiting: () => this.#serve(line), onFree: () => this.#freed(line) },
		);
		this.#lines.set(tenant, line);
		return line;
	}

	/** A line has a call that waits: it is asked for where there is a process for it. */
	#serve(line: SqlLine): void {
		this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
		if (this.#running.has(line)) {
			if (!this.#isOver(line)) line.next();
			return;
		}
		this.#wanting.add(line);
		this.#share();
	}

	/** Whether a line has had its process for long enough, and others wait. */
	#isOver({ since }: SqlLine): boolean {
		return this.#wanting.size > 0 && performance.now() > since + TURN_MS;
	}

	/** A line's process has less to do: its next calls, or another line once there is nothing under way. */
	#freed(line: SqlLine): void {
		if (!this.#running.has(line)) return;
		if (this.#isOver(line) || line.rests || this.#closed) {
			if (line.isBusy) return;
			this.#end(line);
			if (line.waits && !line.rests) this.#wanting.add(line);
		} else {
			// The last used is the last to be ended.
			this.#running.delete(line);
			this.#running.add(line);
			line.next();
		}
		this.#share();
	}

	/** Gives processes to those who wait for one. */
	#share(): void {
		for (const line of this.#wanting) {
			if (this.#running.size >= this.#most) {
				const idle = [...this.#running].find(({ isIdle }) => isIdle);
				if (idle === undefined) return;
				this.#end(idle);
			}
			this.#wanting.delete(line);
			this.#running.add(line);
			line.since = performance.now();
			line.next();
		}
	}

	#end(line: SqlLine): void {
		this.#running.delete(line);
		void line.end();
	}

	#sweep(): void {
		const now = performance.now();
		for (const line of this.#running) if (line.isIdle && now > line.usedAt + IDLE_MS) this.#end(line);
		for (const line of this.#wanting) {
			line.giveUp(now - MOST_WAIT_MS);
			if (!line.waits) this.#wanting.delete(line);
		}
		for (const [tenant, line] of this.#lines)
			if (line.isEmpty && !line.rests && !this.#running.has(line)) this.#lines.delete(tenant);
		if (this.#lines.size > 0 || this.#sweeping === null) return;
		clearInterval(this.#sweeping);
		this.#sweeping = null;
	}

	/** Ends them; what they have not acknowledged has failed. */
	async close(): Promise<void> {
		this.#closed = true;
		if (this.#sweeping !== null) clearInterval(this.#sweeping);
		await Promise.all([...this.#lines.values()].map((line) => line.close()));
	}
}
