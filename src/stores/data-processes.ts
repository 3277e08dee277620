import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { fnv1a } from "../fnv.ts";
import type { DataCall } from "../link/data-frames.ts";
import type { TenantName } from "../names.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes, Count } from "../units.ts";
import type { Content } from "./content.ts";
import { type BlobStore, DataProcess, type DataResult, type Intake, type StoredData } from "./data-process.ts";

/** The data folder's file that says by how many processes what functions store is kept. */
export const COUNT = "data-processes";

/** The folder of one of them. */
export const storesFolder = (index: number) => (index === 0 ? "stores" : `stores-${index}`);

/**
 * By how many processes what functions store is kept in a data folder: as many as were asked for when it was begun. Throws
 * where more or fewer are asked for now, which would look for it elsewhere.
 */
export function settledCount(data: string, asked: Count): Count {
	const path = join(data, COUNT);
	const settled = settledIn(data, path);
	if (settled !== null && settled !== asked)
		throw new UsageError(
			`what functions have stored is kept by ${settled} data processes, and not by ${asked}`,
			"data_unusable",
		);
	if (settled === null && asked > 1) {
		mkdirSync(data, { recursive: true });
		writeFileSync(path, `${asked}`, { mode: 0o600 });
	}
	return asked;
}

/** `null` where nothing was begun yet; one process leaves no word. */
function settledIn(data: string, path: string): Count | null {
	if (existsSync(path)) return Number(readFileSync(path, "utf8"));
	return existsSync(join(data, storesFolder(0))) ? 1 : null;
}

/** The data processes of a data folder. Each keeps all that some tenants store, so that the others wait for none of it. */
export class DataProcesses implements StoredData {
	readonly all: readonly DataProcess[];

	/** `count` as `settledCount` has it. */
	constructor(launcher: Launcher, data: string, count: Count) {
		this.all = Array.from({ length: count }, (_, i) => new DataProcess(launcher, join(data, storesFolder(i))));
	}

	/** Whether anything was ever stored. */
	get isBegun(): boolean {
		return this.all.some(({ folder }) => existsSync(folder));
	}

	#of(tenant: TenantName): DataProcess {
		return this.all[this.all.length === 1 ? 0 : fnv1a(tenant) % this.all.length];
	}

	ask(tenant: TenantName, call: DataCall, signal?: AbortSignal): Promise<DataResult> {
		return this.#of(tenant).ask(tenant, call, signal);
	}

	receive(tenant: TenantName, content: AsyncIterable<Uint8Array>, intake: Intake, store?: BlobStore): Promise<string> {
		return this.#of(tenant).receive(tenant, content, intake, store);
	}

	store(tenant: TenantName, call: DataCall, content: Content, intake: Intake): Promise<DataResult> {
		return this.#of(tenant).store(tenant, call, content, intake);
	}

	discard(tenant: TenantName, name: string, store?: BlobStore): void {
		this.#of(tenant).discard(tenant, name, store);
	}

	read(tenant: TenantName, reading: string, size: Bytes, store?: BlobStore): AsyncIterable<Uint8Array> {
		return this.#of(tenant).read(tenant, reading, size, store);
	}

	async close(): Promise<void> {
		await Promise.all(this.all.map((one) => one.close()));
	}
}
