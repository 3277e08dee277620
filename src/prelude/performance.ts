import { DOMException } from "./dom-exception.ts";
import { EventTarget } from "./event.ts";
import { host } from "./host.ts";
import { asInterface, requireArguments } from "./interface.ts";

let origin = 0;

/** The isolate's time origin is the moment it was parked, which says nothing about other tenants. */
export function startClock(): void {
	origin = host.now();
}

interface Entry {
	name: string;
	entryType: string;
	startTime: number;
	duration: number;
	detail: unknown;
}
const entries: Entry[] = [];
const MAX_ENTRIES = 10_000;

function record(entry: Entry): Entry {
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
		return host === undefined ? 0 : host.now() - origin;
	}
	get timeOrigin(): number {
		return origin;
	}
	mark(name: unknown, options?: { startTime?: number; detail?: unknown }): Entry {
		requireArguments(arguments.length, 1, "Performance.mark");
		return record({
			name: `${name as string}`,
			entryType: "mark",
			startTime: options?.startTime ?? this.now(),
			duration: 0,
			detail: options?.detail ?? null,
		});
	}
	measure(name: unknown, start?: unknown, end?: unknown): Entry {
		requireArguments(arguments.length, 1, "Performance.measure");
		const options =
			typeof start === "object" && start !== null
				? (start as { start?: unknown; end?: unknown; detail?: unknown })
				: { start, end, detail: undefined };
		const from = timeOf(options.start, 0);
		const to = timeOf(options.end ?? end, this.now());
		return record({
			name: `${name as string}`,
			entryType: "measure",
			startTime: from,
			duration: to - from,
			detail: options.detail ?? null,
		});
	}
	clearMarks(name?: unknown): void {
		clear("mark", name);
	}
	clearMeasures(name?: unknown): void {
		clear("measure", name);
	}
	getEntries(): Entry[] {
		return entries.slice().sort((a, b) => a.startTime - b.startTime);
	}
	getEntriesByType(type: unknown): Entry[] {
		return this.getEntries().filter((entry) => entry.entryType === `${type as string}`);
	}
	getEntriesByName(name: unknown, type?: unknown): Entry[] {
		return this.getEntries().filter(
			(entry) => entry.name === `${name as string}` && (type === undefined || entry.entryType === `${type as string}`),
		);
	}
	toJSON(): object {
		return { timeOrigin: origin };
	}
}
const SECRET = Symbol("construct");
asInterface(Performance, "Performance");
export const performance = new Performance(SECRET);

function timeOf(mark: unknown, fallback: number): number {
	if (mark === undefined) return fallback;
	if (typeof mark === "number") return mark;
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
