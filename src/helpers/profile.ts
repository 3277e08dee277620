import { type CpuProfile, cpuProfile, type ProfileNode } from "../link/cpu-profile.ts";
import type { Position, SourceMap } from "./source-map.ts";

/** The module that atoll puts around a function, of which its author knows nothing. */
const ENTRY = "atoll-entry.js";
const PLATFORM = "(platform)";

/** A place that is to be looked up, and who takes what is found there. */
interface Place extends Position {
	take(original: { source: string; line: number; column: number }): void;
}

/**
 * A profile as a sandbox has told it, with the nodes of a function's script pointing into its source. Throws where it is
 * no profile. What is done is linear in the profile and the map, but for the sorting of the places.
 */
export function mapProfile(json: Buffer, filename: string, map: SourceMap): CpuProfile {
	const profile = cpuProfile.parse(JSON.parse(json.toString()));
	const places: Place[] = [];
	for (const node of profile.nodes) {
		const { callFrame } = node;
		if (callFrame.url === filename) places.push(...placesOf(node));
		else if (callFrame.url !== "") node.callFrame = { ...callFrame, url: PLATFORM, scriptId: "0" };
	}
	places.sort((a, b) => a.line - b.line || a.column - b.column);
	for (const [i, original] of map.lookUp(places).entries()) {
		const source = original === null ? undefined : map.sources[original.source];
		if (original !== null && source !== undefined) places[i].take({ ...original, source: source.slice(0, 500) });
	}
	numberScripts(profile.nodes);
	return profile;
}

function placesOf(node: ProfileNode): Place[] {
	const { callFrame } = node;
	const ticks = node.positionTicks ?? [];
	/** Their lines in the file of the function itself; what was inlined from elsewhere is in none. */
	const mapped = new Map<number, { line: number; ticks: number }>();
	let own: string | null = null;
	delete node.positionTicks;
	const ofFunction: Place = {
		line: callFrame.lineNumber + 1,
		column: callFrame.columnNumber + 1,
		take({ source, line, column }) {
			own = source;
			const isEntry = source === ENTRY;
			node.callFrame = {
				...callFrame,
				url: isEntry ? PLATFORM : source,
				lineNumber: isEntry ? -1 : line - 1,
				columnNumber: isEntry ? -1 : column - 1,
			};
		},
	};
	// A line of the script stands for the last place in it: the function begins no later than that.
	const ofTicks = ticks.map(
		({ line, ticks: count }): Place => ({
			line,
			column: Number.MAX_SAFE_INTEGER,
			take({ source, line: original }) {
				if (source !== own) return;
				const known = mapped.get(original);
				if (known !== undefined) {
					known.ticks += count;
					return;
				}
				const one = { line: original, ticks: count };
				mapped.set(original, one);
				node.positionTicks ??= [];
				node.positionTicks.push(one);
			},
		}),
	);
	return [ofFunction, ...ofTicks];
}

/** Viewers tell files apart by their numbers. */
function numberScripts(nodes: ProfileNode[]): void {
	const numbers = new Map<string, string>();
	for (const { callFrame } of nodes) {
		if (callFrame.url === "" || callFrame.url === PLATFORM) continue;
		const number = numbers.get(callFrame.url) ?? String(numbers.size + 1);
		numbers.set(callFrame.url, number);
		callFrame.scriptId = number;
	}
}
