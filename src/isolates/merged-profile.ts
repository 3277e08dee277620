import type { CpuProfile, ProfileNode } from "../link/cpu-profile.ts";
import type { Microseconds } from "../units.ts";

const ROOT: ProfileNode["callFrame"] = {
	functionName: "(root)",
	scriptId: "0",
	url: "",
	lineNumber: -1,
	columnNumber: -1,
};
const IDLE = { ...ROOT, functionName: "(idle)" };
/** Nothing was sampled for so many times as long as it should have been: the isolate did not run. */
const GAP = 5;

interface Sample {
	at: Microseconds;
	node: number;
}

/**
 * The profiles of the isolates that a version has had, as one: what was called the same way is one node. Where none of
 * them ran, which V8 does not say, it is idle.
 */
export class MergedProfile {
	readonly #every: Microseconds;
	readonly #nodes: (ProfileNode & { children: number[] })[] = [];
	/** The nodes by who called them, and what they are. */
	readonly #known = new Map<string, number>();
	readonly #samples: Sample[] = [];
	readonly #idle: number;
	#startTime = Number.POSITIVE_INFINITY;
	#endTime = 0;

	/** So often samples were taken. */
	constructor(every: Microseconds) {
		this.#every = every;
		this.#node(0, ROOT);
		this.#idle = this.#node(1, IDLE);
	}

	/** How much there is of it. */
	get size(): number {
		return this.#nodes.length + this.#samples.length;
	}

	/** The number of a node below another, 0 for none, from 1; it is made if there is none. */
	#node(parent: number, callFrame: ProfileNode["callFrame"]): number {
		const { functionName, url, lineNumber, columnNumber } = callFrame;
		const key = `${parent} ${lineNumber}:${columnNumber} ${url} ${functionName}`;
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const id = this.#nodes.push({ id: this.#nodes.length + 1, callFrame, hitCount: 0, children: [] });
		this.#known.set(key, id);
		if (parent > 0) this.#nodes[parent - 1].children.push(id);
		return id;
	}

	add({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): void {
		this.#startTime = Math.min(this.#startTime, startTime);
		this.#endTime = Math.max(this.#endTime, endTime);
		const own = new Map<number, number>();
		const parents = new Map<number, number>();
		for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
		for (const { id, callFrame, hitCount, positionTicks = [] } of nodes) {
			const parent = parents.get(id);
			const merged = parent === undefined ? 1 : this.#node(own.get(parent) ?? 1, callFrame);
			own.set(id, merged);
			const node = this.#nodes[merged - 1];
			node.hitCount += hitCount;
			addTicks(node, positionTicks);
		}
		let at = startTime;
		for (const [i, id] of samples.entries()) {
			const before = at;
			at += timeDeltas[i];
			if (at - before > GAP * this.#every)
				this.#samples.push({ at: i === 0 ? before : before + this.#every, node: this.#idle });
			this.#samples.push({ at, node: own.get(id) ?? 1 });
		}
		this.#samples.push({ at: Math.min(endTime, at + this.#every), node: this.#idle });
	}

	profile(): CpuProfile {
		this.#samples.sort((a, b) => a.at - b.at);
		const startTime = Math.min(this.#startTime, this.#samples[0]?.at ?? 0);
		let last = startTime;
		const timeDeltas = this.#samples.map(({ at }) => {
			const delta = at - last;
			last = at;
			return delta;
		});
		const samples = this.#samples.map(({ node }) => node);
		return { nodes: this.#nodes, startTime, endTime: Math.max(this.#endTime, last), samples, timeDeltas };
	}
}

function addTicks(node: ProfileNode, more: NonNullable<ProfileNode["positionTicks"]>): void {
	if (more.length === 0) return;
	const ticks = new Map((node.positionTicks ?? []).map((one) => [one.line, one.ticks]));
	for (const one of more) ticks.set(one.line, (ticks.get(one.line) ?? 0) + one.ticks);
	node.positionTicks = [...ticks].map(([line, sum]) => ({ line, ticks: sum }));
}
