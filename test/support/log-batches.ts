import { encodeLosses, LogPiece, readLogFrames } from "../../src/feed/log-frames.ts";
import type { InvocationRecord, LogLine } from "../../src/observe/record.ts";

/** What a batch tells: one of these. */
export interface Told {
	record?: InvocationRecord;
	line?: LogLine;
	lost?: number;
	tenant?: string;
}

/** A batch of these, in their order. */
export function batchOf(all: readonly Told[]): Buffer {
	const parts: Buffer[] = [];
	let whose: string | null = null;
	let piece: LogPiece | null = null;
	for (const { record, line, lost = 0, tenant = "" } of all) {
		const entry = record ?? line;
		if (piece === null || entry?.tenant !== whose) {
			parts.push(...(piece?.take() ?? []));
			whose = entry?.tenant ?? null;
			piece = whose === null ? null : new LogPiece(whose);
		}
		if (entry === undefined) parts.push(...encodeLosses(new Map([[tenant, lost]])));
		else piece?.add(entry);
	}
	return Buffer.concat([...parts, ...(piece?.take() ?? [])]);
}

export function toldIn(batch: Buffer): Told[] {
	const told: Told[] = [];
	readLogFrames(batch, {
		record: (record) => told.push({ record }),
		line: (line) => told.push({ line }),
		lost: (tenant, lost) => told.push({ lost, tenant }),
	});
	return told;
}
