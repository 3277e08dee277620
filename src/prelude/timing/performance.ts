import { DOMException } from "../errors/dom-exception.ts";
import { EventTarget } from "../events/event.ts";
import { host } from "../host.ts";
import { asInterface, asSingleton, requireArguments, toDictionary } from "../interface.ts";
import { structuredClone } from "../messaging/structured-clone.ts";

let origin = 0;

/** The isolate's time origin is the moment it was parked, which says nothing about other tenants. */
export function startClock(): void {
	origin = host.now();
}

const now = () => (host === undefined ? 0 : host.now() - origin);
const SECRET = Symbol("construct");

/** https://w3c.github.io/performance-timeline/#dom-performanceentry */
export class PerformanceEntry {
	readonly #name: string;
	readonly #type: string;
	readonly #start: number;
	readonly #duration: number;

	constructor(secret?: unknown, name?: string, type?: string, start?: number, duration?: number) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#name = name as string;
		this.#type = type as string;
		this.#start = start as number;
		this.#duration = duration as number;
	}
	get name(): string {
		return this.#name;
	}
	get entryType(): string {
		return this.#type;
	}
	get startTime(): number {
		return this.#start;
	}
	get duration(): number {
		return this.#duration;
	}
	toJSON(): object {
		return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
	}
}
asInterface(PerformanceEntry, "PerformanceEntry", { constructor: 0 });

/** What marks and measures share: a detail of the function's own, cloned when it is given. */
function cloneDetail(detail: unknown): unknown {
	return detail === undefined || detail === null ? null : structuredClone(detail);
}

/** https://w3c.github.io/user-timing/#performancemark */
export class PerformanceMark extends PerformanceEntry {
	readonly #detail: unknown;

	constructor(name: unknown, options?: unknown) {
		requireArguments(arguments.length, 1, "PerformanceMark constructor");
		const { startTime, detail } = toDictionary(options, "PerformanceMark constructor");
		const start = startTime === undefined ? now() : Number(startTime);
		if (start < 0) throw new TypeError("PerformanceMark constructor: startTime is negative");
		super(SECRET, `${name as string}`, "mark", start, 0);
		this.#detail = cloneDetail(detail);
	}
	get detail(): unknown {
		return this.#detail;
	}
	override toJSON(): object {
		return { ...super.toJSON(), detail: this.#detail };
	}
}
asInterface(PerformanceMark, "PerformanceMark", { constructor: 1 });

/** https://w3c.github.io/user-timing/#performancemeasure */
export class PerformanceMeasure extends PerformanceEntry {
	readonly #detail: unknown;

	constructor(secret?: unknown, name?: string, start?: number, duration?: number, detail?: unknown) {
		super(secret, name, "measure", start, duration);
		this.#detail = cloneDetail(detail);
	}
	get detail(): unknown {
		return this.#detail;
	}
	override toJSON(): object {
		return { ...super.toJSON(), detail: this.#detail };
	}
}
asInterface(PerformanceMeasure, "PerformanceMeasure", { constructor: 0 });

const entries: PerformanceEntry[] = [];
const MAX_ENTRIES = 10_000;

function record<T extends PerformanceEntry>(entry: T): T {
	if (entries.length >= MAX_ENTRIES) entries.shift();
	entries.push(entry);
	return entry;
}

/** https://w3c.github.io/hr-time/#sec-performance, with User Timing's marks and measures. */
export class Performance extends EventTarget {
	constructor(secret?: unknown) {
		super();
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	now(): number {
		return now();
	}
	get timeOrigin(): number {
		return origin;
	}
	mark(name: unknown, options?: unknown): PerformanceMark {
		requireArguments(arguments.length, 1, "Performance.mark");
		return record(new PerformanceMark(name, options));
	}
	/** https://w3c.github.io/user-timing/#measure-method */
	measure(name: unknown, startOrOptions?: unknown, endMark?: unknown): PerformanceMeasure {
		requireArguments(arguments.length, 1, "Performance.measure");
		const options =
			typeof startOrOptions === "object" && startOrOptions !== null
				? (startOrOptions as Record<string, unknown>)
				: null;
		const { start, end, duration, detail } = options ?? { start: startOrOptions, end: endMark };
		const given = [start, end, duration].filter((value) => value !== undefined).length;
		if (options !== null && (endMark !== undefined || given === 3))
			throw new TypeError("Performance.measure: start, end and duration are given more than once");
		if (duration !== undefined && given === 1)
			throw new TypeError("Performance.measure: a duration needs a start or an end");
		const length = duration === undefined ? 0 : Number(duration);
		const to = end !== undefined ? timeOf(end) : duration !== undefined ? timeOf(start) + length : now();
		const from = start !== undefined ? timeOf(start) : duration !== undefined ? to - length : 0;
		return record(new PerformanceMeasure(SECRET, `${name as string}`, from, to - from, detail));
	}
	clearMarks(name?: unknown): void {
		clear("mark", name);
	}
	clearMeasures(name?: unknown): void {
		clear("measure", name);
	}
	clearResourceTimings(): void {}
	setResourceTimingBufferSize(_size: unknown): void {
		requireArguments(arguments.length, 1, "Performance.setResourceTimingBufferSize");
	}
	getEntries(): PerformanceEntry[] {
		return entries.slice().sort((a, b) => a.startTime - b.startTime);
	}
	getEntriesByType(type: unknown): PerformanceEntry[] {
		requireArguments(arguments.length, 1, "Performance.getEntriesByType");
		return this.getEntries().filter((entry) => entry.entryType === `${type as string}`);
	}
	getEntriesByName(name: unknown, type?: unknown): PerformanceEntry[] {
		requireArguments(arguments.length, 1, "Performance.getEntriesByName");
		return this.getEntries().filter(
			(entry) => entry.name === `${name as string}` && (type === undefined || entry.entryType === `${type as string}`),
		);
	}
	toJSON(): object {
		return { timeOrigin: origin };
	}
}
export const performance = asSingleton(Performance, "Performance", new Performance(SECRET), {
	mark: 1,
	measure: 1,
	clearMarks: 0,
	clearMeasures: 0,
	getEntriesByName: 1,
});

function timeOf(mark: unknown): number {
	if (typeof mark === "number") {
		if (mark < 0) throw new TypeError("Performance.measure: a time is negative");
		return mark;
	}
	const found = entries.findLast((entry) => entry.entryType === "mark" && entry.name === `${mark as string}`);
	if (found === undefined) throw new DOMException(`The mark '${mark as string}' does not exist.`, "SyntaxError");
	return found.startTime;
}

function clear(type: string, name: unknown): void {
	for (let i = entries.length - 1; i >= 0; i--) {
		if (entries[i].entryType === type && (name === undefined || entries[i].name === `${name as string}`))
			entries.splice(i, 1);
	}
}
