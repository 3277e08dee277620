import { z } from "zod";

/** So many nodes, samples and letters of a name no honest profile has more of. */
const MOST_NODES = 200_000;
const MOST_SAMPLES = 200_000;
const MOST_LETTERS = 500;

const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const count = amount.int();
const name = z.string().transform((text) => text.slice(0, MOST_LETTERS));

const profileNode = z.object({
	id: count,
	callFrame: z.object({
		functionName: name,
		scriptId: name,
		url: name,
		/** From 0, and -1 where there is no script. */
		lineNumber: count.or(z.literal(-1)),
		columnNumber: count.or(z.literal(-1)),
	}),
	/** How many samples found it on top. */
	hitCount: count,
	/** The ids of what it called. */
	children: z.array(count).max(MOST_NODES).optional(),
	/** Which lines of it those samples found, from 1. */
	positionTicks: z
		.array(z.object({ line: count, ticks: count }))
		.max(MOST_SAMPLES)
		.optional(),
});
export type ProfileNode = z.output<typeof profileNode>;

/**
 * A CPU profile as V8's inspector tells it, and as viewers read it from `.cpuprofile` files:
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile. Whatever has the form is a tree, whose
 * first node is its root, and each of its samples is of a node.
 */
export const cpuProfile = z
	.object({
		nodes: z.array(profileNode).min(1).max(MOST_NODES),
		/** In microseconds, by the clock of the process that it is of. */
		startTime: amount,
		endTime: amount,
		/** The ids of the nodes that were found on top. */
		samples: z.array(count).max(MOST_SAMPLES),
		/** How long after the sample before, or the start. */
		timeDeltas: z.array(amount).max(MOST_SAMPLES),
	})
	.superRefine(({ nodes, samples, timeDeltas, startTime, endTime }, { addIssue }) => {
		const isWhole =
			isTree(nodes) && samples.length === timeDeltas.length && endTime >= startTime && areOf(nodes, samples);
		if (!isWhole) addIssue({ code: "custom", message: "its nodes are no tree, or its samples are not of them" });
	});
export type CpuProfile = z.output<typeof cpuProfile>;

function areOf(nodes: readonly ProfileNode[], samples: readonly number[]): boolean {
	const ids = new Set(nodes.map(({ id }) => id));
	return samples.every((id) => ids.has(id));
}

/** Whether every node but the first is the child of one that stands before it, and of that alone. */
function isTree(nodes: readonly ProfileNode[]): boolean {
	const parented = new Set<number>();
	const seen = new Set<number>();
	for (const [at, { id, children = [] }] of nodes.entries()) {
		if (seen.has(id) || parented.has(id) !== at > 0) return false;
		seen.add(id);
		for (const child of children) {
			if (seen.has(child) || parented.has(child)) return false;
			parented.add(child);
		}
	}
	return parented.size === nodes.length - 1;
}
