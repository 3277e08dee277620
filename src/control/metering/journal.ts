import { randomUUID } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { COUNTS } from "../../feed/usage.ts";
import type { Bytes } from "../../units.ts";
import type { Told } from "./usage-store.ts";

const NAME = /^journal-[0-9a-f-]{36}$/;
/** Where nothing can be folded for long it begins anew, with what there is. */
const MOST_BYTES: Bytes = 64 * 2 ** 20;

/**
 * What edges have told that is not in the database yet, a line each: written as it comes, so that it outlives the
 * process. Nothing is synced: with the machine goes what was not folded, a second's worth.
 */
export class Journal {
	readonly #folder: string;
	readonly #onFailed: (error: Error) => void;
	#path = "";
	#file: number | null = null;
	#bytes: Bytes = 0;
	/** Files whose lines are being folded. */
	#old: string[] = [];
	/** The last line may not be whole. */
	#torn = false;

	/** `onFailed` is told where a line cannot be written: it is in memory then, and nowhere else. */
	constructor(folder: string, onFailed: (error: Error) => void) {
		this.#folder = folder;
		this.#onFailed = onFailed;
	}

	/** What processes before this one have left behind, to be folded; lines that are none are told by their number. */
	recover(): { told: Told[]; torn: number } {
		const told: Told[] = [];
		let torn = 0;
		this.#old = readdirSync(this.#folder)
			.filter((name) => NAME.test(name))
			.map((name) => join(this.#folder, name));
		for (const path of this.#old)
			for (const line of readFileSync(path, "utf8").split("\n")) {
				if (line === "") continue;
				const one = parse(line);
				if (one === null) torn++;
				else told.push(one);
			}
		return { told, torn };
	}

	write(all: readonly Told[]): void {
		const lines = all.map(({ edge, epoch, tenant, function: name, day, counts }) =>
			JSON.stringify([edge, epoch, tenant, name, day, ...counts]),
		);
		// Behind a line that is not whole a new one begins.
		const bytes = Buffer.from(`${this.#torn ? "\n" : ""}${lines.join("\n")}\n`);
		try {
			const file = this.#open();
			this.#torn = true;
			for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
			this.#torn = false;
			this.#bytes += bytes.byteLength;
		} catch (error) {
			this.#onFailed(error as Error);
		}
	}

	#open(): number {
		if (this.#file !== null) return this.#file;
		this.#path = join(this.#folder, `journal-${randomUUID()}`);
		this.#file = openSync(this.#path, "wx", 0o600);
		this.#bytes = 0;
		this.#torn = false;
		return this.#file;
	}

	/** All that was written so far is about to be folded: what comes now is written elsewhere. */
	rotate(): void {
		if (this.#old.length === 0) this.#leave();
	}

	#leave(): void {
		if (this.#file === null) return;
		closeSync(this.#file);
		this.#file = null;
		this.#old.push(this.#path);
	}

	/** What was to be folded is in the database. */
	folded(): void {
		for (const path of this.#old.splice(0)) rmSync(path, { force: true });
	}

	/** What was to be folded is not: it is all of this, and stays where it is. */
	unfolded(all: readonly Told[]): void {
		if (this.#bytes < MOST_BYTES) return;
		this.#leave();
		const old = this.#old.splice(0);
		this.write(all);
		if (this.#torn) this.#old.push(...old);
		else for (const path of old) rmSync(path, { force: true });
	}

	close(): void {
		this.#leave();
	}
}

/** A line of the journal; `null` for what is none. */
function parse(line: string): Told | null {
	let fields: unknown;
	try {
		fields = JSON.parse(line);
	} catch {
		return null;
	}
	if (!Array.isArray(fields) || fields.length !== 5 + COUNTS.length) return null;
	const [edge, epoch, tenant, name, day, ...counts] = fields as unknown[];
	const isText = [edge, tenant, name, day].every((one) => typeof one === "string");
	const isCounted = [epoch, ...counts].every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
	if (!isText || !isCounted) return null;
	return { edge, epoch, tenant, function: name, day, counts } as Told;
}
