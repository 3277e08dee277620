import type { RefusedTenant } from "../limits/refusals.ts";
import type { FunctionName, TenantName } from "../names.ts";

/** Where control listens for what is used, in the data folder. */
export const METERING = "metering.sock";

/** What is counted of a function's use, each as a whole number that only grows. */
export const COUNTS = [
	/** Invocations. */
	"requests",
	/** Processor time, in microseconds. */
	"cpuUs",
	/** Memory over the time of invocations, in MB times milliseconds. */
	"memoryMbMs",
	/** Memory of instances that are held ready, likewise. */
	"provisionedMbMs",
	/** Bytes of responses' bodies. */
	"bytesOut",
	/** Calls of bindings, `fetch` among them. */
	"bindingCalls",
	"coldStarts",
] as const;

/** In the order of COUNTS. */
export type Counts = number[];

export const noCounts = (): Counts => COUNTS.map(() => 0);

export function addCounts(to: Counts, more: Counts): void {
	for (const [i, count] of more.entries()) to[i] += count;
}

/** A day of UTC, as `2026-12-01`. */
export type Day = string;

export const dayOf = (time: number): Day => new Date(time).toISOString().slice(0, 10);

/** Whose use of which day counters are. */
export type NamedCounters = [
	index: number,
	/** Counters of one day that were begun anew, since those before were forgotten, are of a later epoch. */
	epoch: number,
	tenant: TenantName,
	function: FunctionName,
	day: Day,
];

/** Counters by their index, with what they have counted since their epoch began: saying it twice changes nothing. */
export type CounterValues = [index: number, ...counts: Counts];

/** What an edge tells control of what is used, over a connection of its own. */
export type ToMetering =
	/** Which edge it is: a name that no other process has had. */
	| { kind: "edge"; id: string }
	/** What was used. Counters are named over each connection before they are told. */
	| { kind: "used"; named: NamedCounters[]; values: CounterValues[] }
	/** Nothing of earlier days is told again, but for what is of a later epoch. */
	| { kind: "forgotten"; before: Day; epoch: number };

/** What control tells an edge there. */
export type ToMeter =
	/** So many of the messages `used` are on the disk. */
	| { kind: "kept"; messages: number }
	/** All tenants whose functions are not to run. */
	| { kind: "refused"; tenants: RefusedTenant[] };
