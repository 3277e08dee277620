import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe } from "node:test";
import type { Deployed, DeployOptions, InvocationRecord, LogLine, RuntimeOptions } from "../../src/index.ts";
import type { EventTypes } from "../../src/invocation/event-type.ts";
import { Runtime } from "../../src/runtime.ts";
import { keepSnapshot, lendSnapshot } from "./snapshot.ts";

export type Isolation = "process" | "inline";

/** Makes a folder for the tests around this call, which goes when they are over. Gives its path. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "atoll-test-"));
	after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
	return folder;
}

/**
 * A real runtime with what it records and logs, and functions written on the spot. It lives as long as the tests
 * around it.
 */
export class TestRuntime {
	runtime!: Runtime;
	readonly folder = temporaryFolder();
	readonly records: InvocationRecord[] = [];
	readonly logs: LogLine[] = [];
	#waiting: { found: () => unknown; resolve: (value: unknown) => void }[] = [];

	#starting: Promise<Runtime> | null = null;
	readonly #options: RuntimeOptions;
	readonly #eventTypes: EventTypes | undefined;

	/** `eventTypes` are those that can be dispatched, where it is not just atoll's own. */
	constructor(options: RuntimeOptions = {}, eventTypes?: EventTypes) {
		this.#options = options;
		this.#eventTypes = eventTypes;
		before(() => this.ready());
		after(() => this.runtime.close());
	}

	/** The runtime, once it is up. Hooks of one level may run side by side; whoever needs it first starts it. */
	ready(): Promise<Runtime> {
		this.#starting ??= this.#start();
		return this.#starting;
	}

	async #start(): Promise<Runtime> {
		const data = join(this.folder, "data");
		lendSnapshot(data);
		this.runtime = await Runtime.create({ data, ...this.#options }, this.#eventTypes);
		keepSnapshot(data);
		this.runtime.subscribe({
			record: (record) => {
				this.records.push(record);
				this.#look();
			},
			log: (line) => {
				this.logs.push(line);
				this.#look();
			},
		});
		return this.runtime;
	}

	/** Writes a file into the folder and returns its path. */
	async write(name: string, content: string | Uint8Array): Promise<string> {
		const path = join(this.folder, name);
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, content);
		return path;
	}

	/** Deploys a module given as text, at `<name>.test`. */
	async deploy(
		name: string,
		source: string,
		options: Partial<DeployOptions> = {},
		extension = "js",
	): Promise<Deployed> {
		const runtime = await this.ready();
		const entry = await this.write(`${name}.${extension}`, source);
		return runtime.deploy({ name, hostnames: [`${name}.test`], entry, ...options });
	}

	fetch(name: string, path = "/", init?: RequestInit): Promise<Response> {
		return this.runtime.fetch(new Request(`http://${name}.test${path}`, init));
	}

	async text(name: string, path = "/", init?: RequestInit): Promise<string> {
		return (await this.fetch(name, path, init)).text();
	}

	#look(): void {
		this.#waiting = this.#waiting.filter(({ found, resolve }) => {
			const value = found();
			if (value === undefined) return true;
			resolve(value);
			return false;
		});
	}

	/** Resolves with the first log line that holds a text, as soon as there is one. */
	log(text: string | RegExp): Promise<LogLine> {
		return this.#until(() =>
			this.logs.find(({ message }) => (typeof text === "string" ? message.includes(text) : text.test(message))),
		);
	}

	/** Resolves with the record of a request to a function; the `nth` of them, from 0. */
	record(name: string, nth = 0): Promise<InvocationRecord> {
		return this.#until(() => this.records.filter((record) => record.function === name)[nth]);
	}

	#until<T>(found: () => T | undefined): Promise<T> {
		const value = found();
		if (value !== undefined) return Promise.resolve(value);
		return new Promise((resolve) => this.#waiting.push({ found, resolve: resolve as (value: unknown) => void }));
	}
}

/** The same tests in both isolations: a behaviour that depends on the link is a defect. */
export function inBothIsolations(name: string, tests: (isolation: Isolation) => void): void {
	for (const isolation of ["process", "inline"] as const) describe(`${name} (${isolation})`, () => tests(isolation));
}

/** Reads an error response: its code by header and by body, which must agree. */
export async function errorCode(response: Response): Promise<string> {
	const { error } = (await response.json()) as { error: { code: string; requestId: string } };
	if (response.headers.get("x-atoll-error") !== error.code)
		throw new Error(`the header says ${response.headers.get("x-atoll-error")}, the body ${error.code}`);
	if (response.headers.get("x-atoll-request-id") !== error.requestId)
		throw new Error("header and body name different requests");
	return error.code;
}
