import type { Bytes } from "../units.ts";
import type { Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** The frames between control and the process that exports; each has one text. */
export const ExportKind = {
	/** To it, first of all: `ExportSettings`. */
	settings: 120,
	/** To it: spans that are over, as a JSON array. */
	spans: 121,
	/** To it: the metrics that it has asked for. */
	metrics: 122,
	/** To it, last of all: it is to export what it has, the metrics before this among it, and to end. */
	leave: 126,
	/** From it: it wants metrics. */
	ask: 123,
	/** From it: `ExportCounted`. */
	counted: 124,
	/** From it: something that the log is to have. */
	notice: 125,
} as const;

/** What is exported, and as whose. */
export interface ExportSettings {
	version: string;
	instance: string;
	traces: boolean;
	metrics: boolean;
	intervalMs: number;
}

/** What has become of what it was told, since it last said. */
export interface ExportCounted {
	/** It has read frames of spans with so many bytes. */
	read: Bytes;
	exported: number;
	failed: number;
	dropped: number;
}

export function writeExport(writer: FrameWriter, kind: number, text: string): void {
	writer.begin(kind).bytes(Buffer.from(text)).end();
}

/** Throws FrameError where it is none. */
export function readExport(frame: Frame): { kind: number; text: string; size: Bytes } {
	const { kind } = frame;
	const bytes = frame.bytes();
	return { kind, text: bytes.toString(), size: bytes.byteLength };
}
