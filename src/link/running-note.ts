import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttemptId } from "./protocol.ts";

/**
 * Where a sandbox notes whose turn it runs, so that the edge can read it after the process was killed: eight bytes in
 * a file that both hold open, and that has a name only until they do. A note costs a turn less than a microsecond
 * (`bench/micro.ts`).
 */
export class RunningNote {
	/** Where the file is, until `unlink`. */
	readonly path: string;
	readonly descriptor: number;
	#unlinked = false;
	readonly #bytes = Buffer.alloc(8);

	private constructor(path: string, descriptor: number) {
		this.path = path;
		this.descriptor = descriptor;
	}

	/** Makes the file, at the edge; in memory where the system has a place for that. */
	static create(): RunningNote {
		const name = `atoll-${process.pid}-${randomBytes(8).toString("hex")}`;
		for (const folder of ["/dev/shm", tmpdir()]) {
			try {
				const path = join(folder, name);
				const descriptor = openSync(path, "wx+", 0o600);
				writeSync(descriptor, new Uint8Array(8), 0, 8, 0);
				return new RunningNote(path, descriptor);
			} catch (error) {
				if (folder === tmpdir()) throw error;
			}
		}
		throw new Error("unreachable");
	}

	/** Whose turn runs, 0 if none does; the turn's own number; whether it is the start of an isolate. */
	read(): { attempt: AttemptId; turn: number; starting: boolean } {
		readSync(this.descriptor, this.#bytes, 0, 8, 0);
		const turn = this.#bytes.readUInt32LE(4);
		return { attempt: this.#bytes.readUInt32LE(0), turn, starting: (turn & 1) === 1 };
	}

	/** The sandbox has it: it needs no name any more. */
	unlink(): void {
		if (!this.#unlinked) rmSync(this.path, { force: true });
		this.#unlinked = true;
	}

	close(): void {
		this.unlink();
		closeSync(this.descriptor);
	}
}

/** The sandbox's side: writes the note on an inherited descriptor. */
export function noteWriter(descriptor: number): (attempt: AttemptId, starting: boolean) => void {
	const bytes = Buffer.alloc(8);
	let turn = 0;
	return (attempt, starting) => {
		turn = (turn + 2) >>> 0;
		bytes.writeUInt32LE(attempt, 0);
		bytes.writeUInt32LE(starting ? turn + 1 : turn, 4);
		writeSync(descriptor, bytes, 0, 8, 0);
	};
}
