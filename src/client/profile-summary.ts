import { type CpuProfile, cpuProfile, type ProfileNode } from "../link/cpu-profile.ts";
import type { Milliseconds } from "../units.ts";
import { ClientError, Exit } from "./client-error.ts";

/** So many functions are told. */
const MOST_TOLD = 10;
/** What V8 calls the time in which nothing of the function ran. */
const IDLE = "(idle)";

/** Where a function's own time went: what it called is not in it. */
interface SelfTime {
	function: string;
	/** `src/shop.ts:12`; empty for what is no file's. */
	at: string;
	ms: Milliseconds;
	/** Of the time in which anything ran, from 0 to 1. */
	share: number;
}

/** What a profile comes to. */
export interface ProfileSummary {
	/** From its first sample to its last. */
	ms: Milliseconds;
	/** In which anything ran. */
	busyMs: Milliseconds;
	samples: number;
	top: SelfTime[];
}

/** Reads a profile that a server has sent. Throws ClientError where it is none. */
export function readProfile(text: string): CpuProfile {
	try {
		return cpuProfile.parse(JSON.parse(text));
	} catch {
		throw new ClientError("the server's answer is no CPU profile; is it of another version of atoll?", Exit.refused);
	}
}

/** The functions that a profile found on top most often. Each sample stands for the time until the next. */
export function summaryOf({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): ProfileSummary {
	const spent = new Map<number, number>();
	let at = startTime;
	for (const [i, id] of samples.entries()) {
		at += timeDeltas[i];
		spent.set(id, (spent.get(id) ?? 0) + (timeDeltas[i + 1] ?? Math.max(0, endTime - at)));
	}
	const byFunction = new Map<string, { node: ProfileNode; us: number }>();
	let busyUs = 0;
	for (const node of nodes) {
		const us = spent.get(node.id) ?? 0;
		const { functionName, url, lineNumber, columnNumber } = node.callFrame;
		if (us === 0 || functionName === IDLE) continue;
		busyUs += us;
		const key = `${url}:${lineNumber}:${columnNumber} ${functionName}`;
		const known = byFunction.get(key) ?? { node, us: 0 };
		known.us += us;
		byFunction.set(key, known);
	}
	const top = [...byFunction.values()].sort((a, b) => b.us - a.us).slice(0, MOST_TOLD);
	return {
		ms: (endTime - startTime) / 1000,
		busyMs: busyUs / 1000,
		samples: samples.length,
		top: top.map(({ node, us }) => ({ ...placeOf(node), ms: us / 1000, share: us / busyUs })),
	};
}

function placeOf({ callFrame }: ProfileNode): Pick<SelfTime, "function" | "at"> {
	const { functionName, url, lineNumber } = callFrame;
	return {
		function: functionName === "" ? "(anonymous)" : functionName,
		at: lineNumber < 0 ? url : `${url}:${lineNumber + 1}`,
	};
}
