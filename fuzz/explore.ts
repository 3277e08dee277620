import fc from "fast-check";
import { Arena } from "./arena.ts";
import { type Complaint, causeOf, described, leavesMarks } from "./complaint.ts";
import type { Finding } from "./finding.ts";
import type { Target } from "./target.ts";
import { targetOf } from "./targets/index.ts";

/** Cases that are drawn from one seed; the next ones are from the seed after it. */
const A_ROUND = 100;
/** A finding is made smaller for so long at most, which is not taken from the time to look for others. */
const SHRINKING_MS = 30_000;
/** What is tried again may need luck. */
const REPLAYS = 3;

export interface Exploration {
	cases: number;
	findings: Finding[];
}

export interface ExploreOptions {
	seed: number;
	ms: number;
	/** Complaints with one of these in them are known, and are looked past. */
	past: string[];
	/** Told of what goes on. */
	tell(line: string): void;
}

/** Draws cases for a target and collects those that somebody notices, one of each cause, as small as time allows. */
export async function explore<T>(target: Target<T>, { seed, ms, past, tell }: ExploreOptions): Promise<Exploration> {
	const began = performance.now();
	const arena = await Arena.start();
	const known = new Set<string>();
	const findings: Finding[] = [];
	let deadline = began + ms;
	let cases = 0;
	/** The cause of the finding that is being made smaller. */
	let cause: string | null = null;
	let shrinkUntil = 0;
	const isNews = (complaint: Complaint) =>
		!known.has(causeOf(complaint)) && !past.some((text) => described(complaint).includes(text));
	const property = fc.asyncProperty(target.cases, async (input) => {
		if (performance.now() > (cause === null ? deadline : shrinkUntil)) return;
		cases++;
		const complaints = await target.attempt(arena, input);
		if (complaints.some(leavesMarks)) await arena.renew();
		const news = complaints.filter((complaint) => (cause === null ? isNews(complaint) : causeOf(complaint) === cause));
		if (news.length === 0) return;
		if (cause === null) {
			cause = causeOf(news[0]);
			shrinkUntil = performance.now() + SHRINKING_MS;
			tell(`${described(news[0])}\nafter ${cases} cases and ${secondsSince(began)} s; it is made smaller`);
		}
		throw new Noticed(news);
	});
	try {
		for (let round = seed; performance.now() < deadline; round++) {
			const { failed, counterexample, errorInstance } = await fc.check(property, { seed: round, numRuns: A_ROUND });
			if (!failed) continue;
			if (!(errorInstance instanceof Noticed)) throw errorInstance;
			const { complaints } = errorInstance;
			const found = complaints.map(described).join("\n");
			findings.push({ title: "", target: target.name, seed: round, found, case: counterexample?.[0] });
			for (const complaint of complaints) known.add(causeOf(complaint));
			if (cause !== null) known.add(cause);
			deadline += Math.max(0, performance.now() - (shrinkUntil - SHRINKING_MS));
			cause = null;
		}
	} finally {
		await arena.close();
	}
	return { cases, findings };
}

export const secondsSince = (began: number) => Math.round((performance.now() - began) / 1000);

/** Thrown for a case that somebody noticed. */
class Noticed extends Error {
	readonly complaints: Complaint[];
	constructor(complaints: Complaint[]) {
		super(complaints.map(described).join("\n"));
		this.complaints = complaints;
	}
}

/** Tries a finding again, on an edge of its own. Gives what is still wrong. */
export async function replay(finding: Finding): Promise<Complaint[]> {
	const arena = await Arena.start();
	try {
		for (let i = 0; i < REPLAYS; i++) {
			const complaints = await targetOf(finding.target).attempt(arena, finding.case);
			if (complaints.length > 0) return complaints;
		}
		return [];
	} finally {
		await arena.close();
	}
}
