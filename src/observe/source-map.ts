import { SourceMap, type SourceMapPayload } from "node:module";

const FRAME = /^(\s+at .*?\(?)([^\s()]+?\.js):(\d+):(\d+)(\)?)$/;

/** Rewrites stacks of a bundled script so that they point into the source it was made from. */
export class StackMapper {
	readonly #filename: string;
	readonly #json: string;
	#map: SourceMap | null = null;

	/** The map is parsed at first need: most functions never fail. */
	constructor(filename: string, sourceMap: string) {
		this.#filename = filename;
		this.#json = sourceMap;
	}

	map(stack: string): string {
		return stack
			.split("\n")
			.map((line) => this.#line(line))
			.filter((line) => line !== null)
			.join("\n");
	}

	#line(line: string): string | null {
		if (line.includes("(atoll:prelude:") || line.includes("at atoll:prelude:") || line.includes("<isolated-vm"))
			return null;
		const frame = FRAME.exec(line);
		if (frame === null || frame[2] !== this.#filename || this.#json === "") return line;
		this.#map ??= new SourceMap(JSON.parse(this.#json) as SourceMapPayload);
		const found = this.#map.findEntry(Number(frame[3]) - 1, Number(frame[4]) - 1);
		if (!("originalSource" in found) || found.originalSource === undefined) return line;
		if (found.originalSource === "atoll-entry.js") return null;
		return `${frame[1]}${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}${frame[5]}`;
	}

	/** The source line at which a mapped stack's first frame points, for a developer's error page. */
	excerpt(stack: string): { file: string; line: number; text: string } | null {
		this.#map ??= this.#json === "" ? null : new SourceMap(JSON.parse(this.#json) as SourceMapPayload);
		if (this.#map === null) return null;
		for (const line of stack.split("\n")) {
			const frame = FRAME.exec(line);
			if (frame === null || frame[2] !== this.#filename) continue;
			const found = this.#map.findEntry(Number(frame[3]) - 1, Number(frame[4]) - 1);
			if (!("originalSource" in found) || found.originalSource === undefined) continue;
			const { sources, sourcesContent } = this.#map.payload;
			const text = sourcesContent?.[sources.indexOf(found.originalSource)]?.split("\n")[found.originalLine];
			if (text !== undefined) return { file: found.originalSource, line: found.originalLine + 1, text };
		}
		return null;
	}
}
