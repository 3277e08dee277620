/** What a field's values are, and how they may be written. */
export type FieldKind = "text" | "number" | "milliseconds" | "bytes" | "boolean";

export interface Field {
	name: string;
	kind: FieldKind;
}

const OF_KIND: Record<FieldKind, string[]> = {
	text: [
		"requestId",
		"traceId",
		"spanId",
		"tenant",
		"function",
		"version",
		"event",
		"hostname",
		"trigger",
		"method",
		"url",
		"outcome",
	],
	number: ["status", "subrequests", "attempts"],
	milliseconds: ["startMs", "cpuMs", "wallMs"],
	bytes: ["requestBytes", "responseBytes", "memoryBytes"],
	boolean: ["cold"],
};

/** The fields of a record that are compared, measured and grouped by. */
export const FIELDS: ReadonlyMap<string, Field> = new Map(
	Object.entries(OF_KIND).flatMap(([kind, names]) =>
		names.map((name) => [name, { name, kind: kind as FieldKind }] as const),
	),
);

/** Those that are looked for in ways of their own. */
const OTHERS = ["time", "since", "until", "level", "message", "exceeded"];

export const LEVELS = ["debug", "info", "log", "warn", "error"] as const;

export type Level = (typeof LEVELS)[number];

export const isMeasured = ({ kind }: Field): boolean => kind !== "text" && kind !== "boolean";

/** `unknown field x`, with the one that was likely meant. */
export function unknownField(name: string): string {
	const short = name.slice(0, 40);
	const near = nearest(short, [...FIELDS.keys(), ...OTHERS]);
	const meant = near === null ? `a field: ${[...FIELDS.keys(), ...OTHERS].join(", ")}` : `the field ${near}`;
	return `${meant} (there is no field ${short}; text that is searched for stands in quotes)`;
}

/** The name that is the fewest changes away; `null` where none is near. */
export function nearest(name: string, names: Iterable<string>): string | null {
	let best: string | null = null;
	let least = Math.max(1, Math.floor(name.length / 2));
	for (const one of names) {
		const distance = distanceOf(name.toLowerCase(), one.toLowerCase());
		if (distance > least || (distance === least && best !== null)) continue;
		best = one;
		least = distance;
	}
	return best;
}

/** How many letters have to be put in, taken out or exchanged: both names are short. */
function distanceOf(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++)
			next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
		row = next;
	}
	return row[b.length];
}
