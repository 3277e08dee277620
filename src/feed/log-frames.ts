import { Frame, FrameError, HEAD } from "../link/frame.ts";
import { FrameBuffer } from "../link/frame-buffer.ts";
import { countsAsJson, type InvocationRecord, type LogLine, type Outcome, type Trigger } from "../observe/record.ts";
import type { Bytes, Count } from "../units.ts";

/** The frames in which an edge tells the log of invocations. Control hands them on unread. */
const LogKind = {
	/** Whose the frames are that follow, up to the next one of these: a text. What is said below begins anew with it. */
	tenant: 130,
	/** A record: its numbers, its ids, and those of its other texts that are not as in the record before. */
	record: 131,
	/** A line: those of its texts that are not as in the line before, and its message. */
	line: 132,
	/** So many records and lines were lost. */
	lost: 133,
} as const;

/** Most pieces have a few records. */
const SLAB: Bytes = 1024;
/** What an entry takes beside its longer texts. */
const ENTRY: Bytes = 200;
const NOTHING: readonly string[] = [];
const NO_COUNTS = "{}";
const CUT_OFF = Buffer.alloc(HEAD);
/** How many texts these have that may be as they were before. */
const RECORD_TEXTS = 11;
const LINE_TEXTS = 5;

/** What an entry will take, roughly. */
export function sizeOf(entry: InvocationRecord | LogLine): Bytes {
	return ENTRY + ("message" in entry ? entry.message.length : entry.url.length);
}

/** Records and lines of one tenant, as frames that are read by themselves. */
export class LogPiece {
	readonly #frames: FrameBuffer;
	/** The texts of the last record, and of the last line. */
	#record = NOTHING;
	#line = NOTHING;
	/** How many entries it has. */
	count: Count = 0;

	/** `size` is how large it will be, roughly. */
	constructor(tenant: string, size: Bytes = SLAB) {
		this.#frames = new FrameBuffer(size);
		this.#frames.begin(LogKind.tenant).text(tenant).end();
	}

	get size(): Bytes {
		return this.#frames.size;
	}

	add(entry: InvocationRecord | LogLine): void {
		if ("message" in entry) this.#addLine(entry);
		else this.#addRecord(entry);
		this.count++;
	}

	/**
	 * Every request has one, and text of it took ten times as long to make: so numbers stay numbers, and what records have
	 * in common is said once.
	 */
	#addRecord(record: InvocationRecord): void {
		const texts = [
			record.time,
			record.function,
			record.version,
			record.event,
			record.hostname,
			record.trigger,
			record.method,
			record.url,
			record.outcome,
			countsAsJson(record.bindingCalls) ?? NO_COUNTS,
			countsAsJson(record.exceeded) ?? NO_COUNTS,
		];
		const frames = this.#frames.begin(LogKind.record);
		frames
			.u8(record.cold ? 1 : 0)
			.u32(record.status)
			.u32(record.subrequests)
			.u32(record.attempts);
		frames.f64(record.startMs).f64(record.cpuMs).f64(record.wallMs);
		frames.f64(record.requestBytes).f64(record.responseBytes).f64(record.memoryBytes);
		frames.text(record.requestId).text(record.traceId).text(record.spanId);
		this.#changed(texts, this.#record);
		frames.end();
		this.#record = texts;
	}

	#addLine(line: LogLine): void {
		const texts = [line.time, line.level, line.function, line.version, line.requestId];
		// As JSON where UTF-8 would not have all of it.
		const isText = line.message.isWellFormed();
		const frames = this.#frames.begin(LogKind.line);
		this.#changed(texts, this.#line);
		frames.u8(isText ? 1 : 0).text(isText ? line.message : JSON.stringify(line.message));
		frames.end();
		this.#line = texts;
	}

	/** Which texts are not as they were, and these. */
	#changed(texts: readonly string[], before: readonly string[]): void {
		let changed = 0;
		for (let i = 0; i < texts.length; i++) if (texts[i] !== before[i]) changed |= 1 << i;
		this.#frames.u32(changed);
		for (let i = 0; i < texts.length; i++) if ((changed & (1 << i)) !== 0) this.#frames.text(texts[i]);
	}

	/** All of it. Nothing more may be added. */
	take(): Buffer[] {
		return this.#frames.take();
	}
}

/** What was lost, by whose it was. */
export function encodeLosses(losses: ReadonlyMap<string, Count>): Buffer[] {
	const frames = new FrameBuffer(SLAB);
	for (const [tenant, count] of losses) {
		frames.begin(LogKind.tenant).text(tenant).end();
		frames.begin(LogKind.lost).f64(count).end();
	}
	return frames.take();
}

/** Who hears what a batch of pieces tells. */
export interface LogListener {
	record(record: InvocationRecord): void;
	line(line: LogLine): void;
	/** The tenant's, or of whoever it may be where that is empty. */
	lost(tenant: string, count: Count): void;
}

/** Tells what there is, in its order. A frame that is none is an entry that was lost. Returns how many entries there were. */
export function readLogFrames(batch: Buffer, listener: LogListener): Count {
	let tenant = "";
	let record: string[] = [];
	let line: string[] = [];
	let count = 0;
	for (const frame of framesIn(batch)) {
		if (frame.kind !== LogKind.tenant) count++;
		try {
			switch (frame.kind) {
				case LogKind.tenant:
					tenant = frame.text();
					record = [];
					line = [];
					break;
				case LogKind.record:
					listener.record(readRecord(frame, tenant, record));
					break;
				case LogKind.line:
					listener.line(readLine(frame, tenant, line));
					break;
				case LogKind.lost:
					listener.lost(tenant, frame.amount());
					break;
				default:
					throw new FrameError(`a frame of kind ${frame.kind}`);
			}
		} catch {
			listener.lost(tenant, 1);
		}
	}
	return count;
}

/** Has the texts that a frame says anew among those that there were; each of them was said once. */
function readTexts(frame: Frame, texts: string[], count: number): void {
	const changed = frame.u32();
	for (let i = 0; i < count; i++) {
		if ((changed & (1 << i)) !== 0) texts[i] = frame.text();
		else if (texts[i] === undefined) throw new FrameError("a text that was never said");
	}
}

function readRecord(frame: Frame, tenant: string, texts: string[]): InvocationRecord {
	const cold = frame.u8() !== 0;
	const status = frame.u32();
	const subrequests = frame.u32();
	const attempts = frame.u32();
	const startMs = frame.f64();
	const cpuMs = frame.f64();
	const wallMs = frame.f64();
	const requestBytes = frame.f64();
	const responseBytes = frame.f64();
	const memoryBytes = frame.f64();
	const requestId = frame.text();
	const traceId = frame.text();
	const spanId = frame.text();
	readTexts(frame, texts, RECORD_TEXTS);
	frame.finish();
	return {
		time: texts[0],
		requestId,
		traceId,
		spanId,
		tenant,
		function: texts[1],
		version: texts[2],
		event: texts[3],
		hostname: texts[4],
		trigger: texts[5] as Trigger,
		method: texts[6],
		url: texts[7],
		status,
		outcome: texts[8] as Outcome,
		cold,
		startMs,
		cpuMs,
		wallMs,
		requestBytes,
		responseBytes,
		subrequests,
		bindingCalls: countsIn(texts[9]),
		exceeded: countsIn(texts[10]),
		memoryBytes,
		attempts,
	};
}

function countsIn(json: string): Record<string, number> {
	return json === NO_COUNTS ? {} : (JSON.parse(json) as Record<string, number>);
}

function readLine(frame: Frame, tenant: string, texts: string[]): LogLine {
	readTexts(frame, texts, LINE_TEXTS);
	const isText = frame.u8() !== 0;
	const said = frame.text();
	frame.finish();
	const [time, level, name, version, requestId] = texts;
	const message = isText ? said : String(JSON.parse(said));
	return { time, level: level as LogLine["level"], tenant, function: name, version, requestId, message };
}

/** How many entries a batch has. */
export function entriesIn(batch: Buffer): Count {
	let count = 0;
	for (const { kind } of framesIn(batch)) if (kind !== LogKind.tenant) count++;
	return count;
}

/** Each is good until the next. Of a batch that is cut off, the last is of no kind. */
function* framesIn(batch: Buffer): Generator<Frame> {
	const frame = new Frame();
	for (let at = 0; at < batch.length; ) {
		const end = at + HEAD <= batch.length ? at + 4 + batch.readUInt32LE(at) : 0;
		const isWhole = end >= at + HEAD && end <= batch.length;
		yield isWhole ? frame.set(batch, at, end, null) : frame.set(CUT_OFF, 0, HEAD, null);
		at = isWhole ? end : batch.length;
	}
}
