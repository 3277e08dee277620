import { randomUUID } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogsConfig } from "../../config/server.ts";
import { entriesIn } from "../../feed/log-frames.ts";
import { type DataAnswer, type DataCall, DataKind } from "../../link/data-frames.ts";
import type { LogQuery, LogResult, Rollup, RollupQuery } from "../../logs/calls.ts";
import type { Tally } from "../../observe/tally.ts";
import { confinedToFolder } from "../../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../../processes/launcher.ts";
import { type Asked, AskedChild } from "../../stores/asked-child.ts";
import { refusalIn } from "../../stores/data-process.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../../units.ts";
import { ControlError, type ControlErrorCode } from "../control-error.ts";
import { parsedQuery } from "./parsed-query.ts";
import { type QueryBounds, QueryRoom } from "./query-room.ts";
import { WaitingTallies } from "./waiting-tallies.ts";

/** Whoever asks is not waited for longer than this; the process ends queries well before. */
const MOST_MS: Milliseconds = 30_000;
const MAX_BYTES: Bytes = 1.5 * 2 ** 30;
/** What is under way when it is to end is waited for so long. */
const MOST_CLOSING_MS: Milliseconds = 3000;
/** So many bytes of batches wait for the process; what comes then is lost, with a count. */
const MOST_WAITING: Bytes = 32 * 2 ** 20;
/** No batch is larger: the process takes one whole before it does anything else. */
const MOST_BATCH: Bytes = 4 * 2 ** 20;
/** So many queries for entries are under way, and so many for rollups, each of which is more work. */
const MOST_QUERIES: QueryBounds = { ofTenant: 8, ofAll: 64 };
const MOST_ROLLUPS: QueryBounds = { ofTenant: 4, ofAll: 32 };

const QUERY = "query";

interface LogCall extends Asked {
	resolve: (answer: DataAnswer) => void;
	reject: (error: Error) => void;
}

export interface LogsSettings {
	launcher: Launcher;
	/** It is made where it is missing. */
	folder: string;
	config: LogsConfig;
	log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * The log: invocations with what they have logged, and rollups. A confined process keeps it, in a folder of its own; one
 * that is lost is started again.
 */
export class Logs {
	readonly #child: AskedChild<LogCall>;
	readonly #log: LogsSettings["log"];
	/** Says whose batches those are that a process has numbered. */
	readonly #session = randomUUID();
	#batches = 0;
	/** How many records, lines and losses the process has taken. */
	#taken: Count = 0;
	/** Batches are asked for one after the other: each has a number, and comes once. */
	#lastAppend: Promise<void> = Promise.resolve();
	#waitingBytes: Bytes = 0;
	/** How many entries found no room to wait, and are told with the next batch. */
	#lost: Count = 0;
	readonly #tallies: WaitingTallies;
	readonly #queries = new QueryRoom(MOST_QUERIES);
	readonly #rollups = new QueryRoom(MOST_ROLLUPS);
	#closed = false;

	constructor({ launcher, folder, config, log }: LogsSettings) {
		this.#log = log;
		const launch = () => {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			const { args, ...rest } = confinedToFolder("logs/main", realpathSync(folder));
			return { ...rest, args: [...args, JSON.stringify(config)], niceness: niceness(BELOW_EDGE), file: null };
		};
		this.#child = new AskedChild(
			{ launcher, launch, maxBytes: MAX_BYTES },
			{
				onAnswered: (one, answer) => this.#onAnswer(one, answer),
				onLost: (ones, why, unasked) => this.#onLost(ones, why, unasked),
			},
		);
		this.#tallies = new WaitingTallies(async (number, steps) => {
			const said = { session: this.#session, number, steps };
			this.#tell(await this.#ask({ store: "rollups", operation: "add", said }));
		}, log);
	}

	/** 0 while its process does not run. */
	get pid(): number {
		return this.#child.pid;
	}

	/**
	 * Takes records and lines, as `feed/log-frames.ts` has them. Resolves when the process has taken them, or they are lost
	 * and counted; whoever sends waits for it before the next. Never rejects.
	 */
	append(batch: Buffer): Promise<void> {
		if (this.#closed) return Promise.resolve();
		const bytes = batch.byteLength;
		if (bytes > MOST_BATCH || this.#waitingBytes + bytes > MOST_WAITING) {
			this.#lost += entriesIn(batch);
			return Promise.resolve();
		}
		this.#waitingBytes += bytes;
		const done = this.#lastAppend.then(() => this.#append(batch));
		this.#lastAppend = done.then(() => {
			this.#waitingBytes -= bytes;
		});
		return this.#lastAppend;
	}

	async #append(batch: Buffer): Promise<void> {
		const lost = this.#lost;
		this.#lost = 0;
		const said = { session: this.#session, number: ++this.#batches, taken: this.#taken, lost };
		try {
			const answer = await this.#ask({ store: "logs", operation: "append", said, bytes: batch });
			this.#taken = (JSON.parse(answer.text) as { taken: Count }).taken;
			this.#tell(answer);
		} catch (error) {
			this.#lost += lost + entriesIn(batch);
			if (!this.#closed) this.#log("warn", `records of invocations were not stored: ${(error as Error).message}`);
		}
	}

	/** What the process has to say to an operator comes with its answers. */
	#tell({ text }: DataAnswer): void {
		for (const word of (JSON.parse(text) as { words: string[] }).words) this.#log("warn", `the log process: ${word}`);
	}

	/**
	 * Asks the log. Throws ControlError: `invalid` for a query that makes no sense, with the place, or a cursor of another
	 * query; `too_many_queries` where too many are under way.
	 */
	async query(query: LogQuery): Promise<LogResult> {
		parsedQuery(query.query);
		return this.#queries.run(query.tenant, () => this.#find("logs", query));
	}

	/**
	 * Adds what was counted at a time to its rollups, exactly once as long as this process lives. Does not wait: what the
	 * process cannot take now is added up until it can.
	 */
	addRollups(time: EpochMs, tallies: readonly Tally[]): void {
		if (!this.#closed) this.#tallies.add(time, tallies);
	}

	/**
	 * Steps in order, each with what was counted in it; those in which nothing was are left out. Throws ControlError:
	 * `invalid` where it is too much, `too_many_queries` where too many are under way.
	 */
	rollups(query: RollupQuery): Promise<Rollup[]> {
		return this.#rollups.run(query.tenant, async () => {
			await this.#tallies.sent();
			return this.#find("rollups", query);
		});
	}

	async #find<Found>(store: string, query: LogQuery | RollupQuery): Promise<Found> {
		try {
			const { bytes } = await this.#ask({ store, operation: QUERY, said: query });
			return JSON.parse(Buffer.from(bytes).toString()) as Found;
		} catch (error) {
			throw refused(error as Error);
		}
	}

	#ask(call: DataCall): Promise<DataAnswer> {
		const { promise, resolve, reject } = Promise.withResolvers<DataAnswer>();
		const one: LogCall = { call, times: 0, hasBegun: false, deadline: 0, resolve, reject };
		this.#begin(one);
		return promise;
	}

	#begin(one: LogCall): void {
		one.deadline = performance.now() + MOST_MS;
		try {
			if (this.#closed) throw new Error("the server is shutting down");
			this.#child.ask(one);
		} catch (error) {
			one.reject(error as Error);
		}
	}

	#onAnswer(one: LogCall, answer: DataAnswer): void {
		if (answer.kind === DataKind.refused) one.reject(new Error(answer.text));
		else one.resolve(answer);
	}

	/**
	 * Batches and tallies have numbers, so that what is asked for twice is done once. A query that took too long is not
	 * asked again: it would end the next process, too.
	 */
	#onLost(ones: LogCall[], why: string, unasked: boolean): void {
		const how = unasked ? "has ended" : "was ended";
		if (!this.#closed) this.#log("warn", `the log process ${how} (${why}), and is started again`);
		const now = performance.now();
		for (const one of ones) {
			const isOverdue = one.call.operation === QUERY && now > one.deadline;
			if (isOverdue || one.times > 1 || this.#closed) one.reject(new Error(`the log process was lost (${why})`));
			else this.#begin(one);
		}
	}

	/** Stores what was taken, and ends the process. */
	async close(): Promise<void> {
		await Promise.race([
			Promise.all([this.#lastAppend, this.#tallies.sent()]),
			sleep(MOST_CLOSING_MS, undefined, { ref: false }),
		]);
		this.#closed = true;
		this.#tallies.close();
		await this.#child.close();
	}
}

const CODES: Record<number, ControlErrorCode> = { 400: "invalid", 429: "too_many_queries" };

function refused(error: Error): Error {
	const { status, why } = refusalIn(error) ?? { status: 0, why: "" };
	return Object.hasOwn(CODES, status) ? new ControlError(CODES[status], why) : error;
}
