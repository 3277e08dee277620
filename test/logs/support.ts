import type { LogsConfig } from "../../src/config/server.ts";
import { Logs } from "../../src/control/observe/logs.ts";
import type { LogQuery } from "../../src/logs/calls.ts";
import type { InvocationRecord, LogLine } from "../../src/observe/record.ts";
import { newRecord } from "../../src/observe/record.ts";
import type { Launcher } from "../../src/processes/launcher.ts";
import { batchOf, type Told } from "../support/log-batches.ts";
import { temporaryFolder } from "../support/runtime.ts";

const MB = 2 ** 20;

/** The log of a folder, for one test, with the words that it says. */
export class LogsForTest {
	readonly folder: string;
	readonly words: string[] = [];
	readonly logs: Logs;

	constructor(
		launcher: Launcher,
		{ folder = temporaryFolder(), ...config }: Partial<LogsConfig> & { folder?: string } = {},
	) {
		this.folder = folder;
		this.logs = new Logs({
			...{ launcher, folder, config: { days: 7, maxBytes: 256 * MB, ...config } },
			log: (_, message) => this.words.push(message),
		});
	}

	append(...all: Told[]): Promise<void> {
		return this.logs.append(batchOf(all));
	}

	query(query: string, more: Partial<LogQuery> = {}) {
		return this.logs.query({ query, ...EVERYTHING, ...more });
	}

	/** Once all that was appended can be found. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.logs.close();
	}
}

const EVERYTHING: Omit<LogQuery, "query"> = {
	...{ tenant: null, functions: null, since: 0, until: Number.MAX_SAFE_INTEGER },
	...{ limit: 100, cursor: null },
};

export function record(more: Partial<InvocationRecord> = {}): { record: InvocationRecord } {
	const whose = { tenant: "one", function: "shop", version: "v1", hostname: "shop.example", method: "GET" };
	const url = "https://shop.example/";
	return { record: { ...newRecord(crypto.randomUUID(), "http", "http"), ...whose, url, status: 200, ...more } };
}

export function line(message: string, more: Partial<LogLine> = {}): { line: LogLine } {
	const whose = { tenant: "one", function: "shop", version: "v1", requestId: "" };
	return { line: { time: new Date().toISOString(), level: "log", ...whose, message, ...more } };
}
