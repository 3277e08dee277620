import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttemptId } from "../isolates/protocol.ts";

/**
 * Where a sandbox notes whose turn it runs, so that the edge can read it after the process was killed: four bytes in a
 * file without a name, which both hold open. A note costs a turn less than a microsecond (`bench/micro.ts`).
 */
export class RunningNote {
	readonly descriptor: number;

	private constructor(descriptor: number) {
		this.descriptor = descriptor;
	}

	/** Makes the file, at the edge; in memory where the system has a place for that. */
	static create(): RunningNote {
		const name = `atoll-${process.pid}-${randomBytes(8).toString("hex")}`;
		for (const folder of ["/dev/shm", tmpdir()]) {
			try {
				const path = join(folder, name);
				const descriptor = openSync(path, "wx+", 0o600);
				unlinkSync(path);
				writeSync(descriptor, new Uint8Array(4), 0, 4, 0);
				return new RunningNote(descriptor);
			} catch (error) {
				if (folder === tmpdir()) throw error;
			}
		}
		throw new Error("unreachable");
	}

	read(): AttemptId {
		const bytes = Buffer.alloc(4);
		readSync(this.descriptor, bytes, 0, 4, 0);
		return bytes.readUInt32LE(0);
	}

	close(): void {
		closeSync(this.descriptor);
	}
}

/** The sandbox's side: writes the note on an inherited descriptor. */
export function noteWriter(descriptor: number): (attempt: AttemptId) => void {
	const bytes = Buffer.alloc(4);
	let noted = 0;
	return (attempt) => {
		if (attempt === noted) return;
		noted = attempt;
		bytes.writeUInt32LE(attempt, 0);
		writeSync(descriptor, bytes, 0, 4, 0);
	};
}
