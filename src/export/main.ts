/**
 * The process that exports: it is told of spans by control, over frames on descriptor 3, asks it for metrics, and hands
 * both to a collector by OpenTelemetry's exporters, which its environment sets up. It knows no secret but a key for that.
 */
import { Socket } from "node:net";
import { hostname } from "node:os";
import { DiagLogLevel, diag } from "@opentelemetry/api";
import { detectResources, envDetector, resourceFromAttributes, serviceNameEnvDetector } from "@opentelemetry/resources";
import { ExportKind, type ExportSettings, readExport, writeExport } from "../link/export-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import type { MetricsSnapshot } from "../observe/metrics-snapshot.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { MetricExport } from "./metric-export.ts";
import { SpanExport } from "./span-export.ts";

const MAX_FRAME_BYTES: Bytes = 64 * 2 ** 20;
/** The log is told of a trouble once in so long: where a collector is gone each batch has the same. */
const QUIET_MS: Milliseconds = 60_000;
const MOST_NOTICE = 1000;
/** What was told last is exported when control ends, within such a time. */
const LAST_MS: Milliseconds = 3000;

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
const say = (kind: number, text: string) => writeExport(writer, kind, text);

let spans: SpanExport | null = null;
let metrics: MetricExport | null = null;

function start({ version, instance, ...what }: ExportSettings): void {
	const own = { "service.name": "atoll", "service.version": version, "service.instance.id": instance };
	const said = detectResources({ detectors: [envDetector, serviceNameEnvDetector] });
	const about = {
		resource: resourceFromAttributes({ ...own, "host.name": hostname() }).merge(said),
		scope: { name: "atoll", version },
	};
	if (what.traces) spans = new SpanExport(about, (counted) => say(ExportKind.counted, JSON.stringify(counted)));
	if (what.metrics) metrics = new MetricExport(about, what.intervalMs, () => say(ExportKind.ask, ""));
}

let isLeaving = false;

const toldAt = new Map<string, Milliseconds>();
const kindOf = (text: string) => text.replace(/\d+/g, "");

/** Tells the log of a trouble, unless it has heard of its like lately. */
function notice(...said: unknown[]): void {
	const text = said.map(messageOf).join(" ").slice(0, MOST_NOTICE);
	const like = kindOf(text);
	const now = performance.now();
	if (now - (toldAt.get(like) ?? -QUIET_MS) < QUIET_MS) return;
	if (toldAt.size > MOST_NOTICE) toldAt.clear();
	toldAt.set(like, now);
	say(ExportKind.notice, text);
}

function messageOf(said: unknown): string {
	if (typeof said !== "string") return said instanceof Error ? said.message : String(said);
	// The SDK tells of errors as JSON with a stack.
	try {
		const { message, name, code } = JSON.parse(said) as Record<string, string | undefined>;
		return [name, code, message].filter(Boolean).join(" ") || said;
	} catch {
		return said;
	}
}

const quiet = () => undefined;
diag.setLogger({ error: notice, warn: notice, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);

const reader = new FrameReader({ maxBytes: MAX_FRAME_BYTES }, (frame) => {
	const { kind, text, size } = readExport(frame);
	if (kind === ExportKind.settings) start(JSON.parse(text) as ExportSettings);
	else if (kind === ExportKind.spans) spans?.add(text, size);
	else if (kind === ExportKind.metrics) metrics?.take(JSON.parse(text) as MetricsSnapshot);
	else if (kind === ExportKind.leave) void leave();
});

async function leave(): Promise<void> {
	if (isLeaving) return;
	isLeaving = true;
	setTimeout(() => process.exit(0), LAST_MS);
	await Promise.allSettled([spans?.close(), metrics?.close()]);
	process.exit(0);
}

socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => void leave());
socket.on("error", quiet); // Of which its end tells.
process.on("SIGINT", quiet);
process.on("SIGTERM", quiet);
