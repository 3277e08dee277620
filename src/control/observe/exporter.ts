import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type OtlpConfig, otlpEnvironment } from "../../config/otlp.ts";
import type { ToControl } from "../../feed/messages.ts";
import {
	type ExportCounted,
	ExportKind,
	type ExportSettings,
	readExport,
	writeExport,
} from "../../link/export-frames.ts";
import type { MetricsSnapshot } from "../../observe/metrics-snapshot.ts";
import type { SpanCounts } from "../../observe/span.ts";
import { Child } from "../../processes/child.ts";
import { withNetwork } from "../../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../../processes/launcher.ts";
import type { Bytes, Count, Milliseconds } from "../../units.ts";
import { version } from "../../version.ts";

/** So much may wait to be read by the process that exports; more is dropped. */
const MOST_UNREAD: Bytes = 8 * 2 ** 20;
/** What that process tells is short. */
const MAX_FRAME_BYTES: Bytes = 64 * 1024;
const HEAP_MB = 256;
const MAX_BYTES: Bytes = 2 ** 30;
/** One that ends is started again so long after, and later each time; one that ran for long ended by itself. */
const FIRST_MS: Milliseconds = 1000;
const LONGEST_MS: Milliseconds = 60_000;

/** What it has been told last is waited for so long. */
const LAST_MS: Milliseconds = 4000;

export interface ExporterParts {
	launcher: Launcher;
	otlp: OtlpConfig;
	snapshot: () => MetricsSnapshot;
	log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * Has a process of its own export traces and metrics: OpenTelemetry's exporters, which may wait for a collector for as
 * long as they like. What it does not take is dropped, and counted.
 */
export class Exporter {
	readonly #parts: ExporterParts;
	readonly counts: SpanCounts = { exported: 0, failed: 0, dropped: 0 };
	#child: Child | null = null;
	/** What the process has been told, and has not said what has become of it. */
	#unread: Bytes = 0;
	#open: Count = 0;
	#startedAt: Milliseconds = 0;
	#waitMs = FIRST_MS;
	#again: NodeJS.Timeout | null = null;
	#closed = false;
	/** Resolves when the process that runs has ended. */
	#ended = Promise.withResolvers<void>();

	constructor(parts: ExporterParts) {
		this.#parts = parts;
		this.#start();
	}

	#start(): void {
		const { launcher, otlp } = this.#parts;
		const { env, files } = otlpEnvironment(process.env);
		const command = withNetwork("export/main", { reads: files, heapMb: HEAP_MB });
		const launch = { ...command, env, niceness: niceness(BELOW_EDGE), file: null };
		this.#startedAt = performance.now();
		this.#ended = Promise.withResolvers();
		const child: Child = new Child(
			launcher,
			{ launch, maxFrameBytes: MAX_FRAME_BYTES, maxBytes: MAX_BYTES },
			{
				onFrame: (frame) => this.#on(child, readExport(frame)),
				overdue: () => null,
				onEnded: (why) => this.#onEnded(why),
			},
		);
		this.#child = child;
		const { traces, metrics, intervalMs } = otlp;
		const settings: ExportSettings = { version: version(), instance: hostname(), traces, metrics, intervalMs };
		writeExport(child.writer, ExportKind.settings, JSON.stringify(settings));
	}

	#on(child: Child, { kind, text }: ReturnType<typeof readExport>): void {
		if (kind === ExportKind.ask) {
			writeExport(child.writer, ExportKind.metrics, JSON.stringify(this.#parts.snapshot()));
		} else if (kind === ExportKind.counted) {
			const { read, exported, failed, dropped } = JSON.parse(text) as ExportCounted;
			this.#unread -= read;
			this.#open -= exported + failed + dropped;
			this.counts.exported += exported;
			this.counts.failed += failed;
			this.counts.dropped += dropped;
		} else this.#parts.log("warn", `export: ${text}`);
	}

	#onEnded(why: string): void {
		this.#child = null;
		this.counts.failed += this.#open;
		this.#open = this.#unread = 0;
		this.#ended.resolve();
		if (this.#closed) return;
		if (performance.now() - this.#startedAt > LONGEST_MS) this.#waitMs = FIRST_MS;
		this.#parts.log("error", `the process that exports has ended, and is started again: ${why}`);
		this.#again = setTimeout(() => this.#start(), this.#waitMs).unref();
		this.#waitMs = Math.min(LONGEST_MS, this.#waitMs * 2);
	}

	/** Hands spans on as an edge has told them. */
	spans({ batch, count, dropped }: Omit<ToControl & { kind: "spans" }, "kind">): void {
		this.counts.dropped += dropped;
		if (count === 0) return;
		// No more bytes than these, and a third of them as a rule.
		const most = batch.length * 3;
		if (this.#child === null || this.#unread + most > MOST_UNREAD) {
			this.counts.dropped += count;
			return;
		}
		const bytes = Buffer.byteLength(batch);
		this.#unread += bytes;
		this.#open += count;
		writeExport(this.#child.writer, ExportKind.spans, batch);
	}

	/** Process id, for operators and tests; 0 while there is none. */
	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	/** Has what was told exported, as far as that takes no longer than a moment. */
	async close(): Promise<void> {
		this.#closed = true;
		if (this.#again !== null) clearTimeout(this.#again);
		const child = this.#child;
		if (child === null) return;
		writeExport(child.writer, ExportKind.metrics, JSON.stringify(this.#parts.snapshot()));
		writeExport(child.writer, ExportKind.leave, "");
		await Promise.race([this.#ended.promise, sleep(LAST_MS, undefined, { ref: false })]);
		await child.close();
	}
}
