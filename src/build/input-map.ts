import { dirname, resolve } from "node:path";
import type { Bytes } from "../units.ts";
import { type Gate, Refusal } from "./gate.ts";

/** A larger source map is left out: the stacks of what it belongs to lead into the file that is bundled. */
const MAX_BYTES: Bytes = 8 * 1024 * 1024;
const NAMED = "sourceMappingURL=";
/** Not to be decoded, of which esbuild only warns. */
const NONE = "data:application/json;base64,-";

/**
 * A script with its source map inside, so that esbuild reads neither the file that its comment names nor the sources
 * that a map names: of those comments esbuild goes by the last.
 */
export function withOwnMap(gate: Gate, path: string, script: Buffer): Buffer {
	const at = script.lastIndexOf(NAMED);
	if (at === -1) return script;
	const [url] = /^[^\s'"`*]*/.exec(script.toString("latin1", at + NAMED.length)) as RegExpExecArray;
	const map = readMap(gate, path, url);
	const data = map === null ? NONE : `data:application/json;base64,${Buffer.from(map).toString("base64")}`;
	return Buffer.concat([script, Buffer.from(`\n/*# ${NAMED}${data} */`)]);
}

/** The map as esbuild gets it: with the text of each source, which is empty where the map has none. */
function readMap(gate: Gate, path: string, url: string): string | null {
	try {
		const text = url.startsWith("data:") ? decode(url) : gate.read(resolve(dirname(path), decodeURI(url))).toString();
		if (text.length > MAX_BYTES) return null;
		const { version, sources, sourcesContent, names, mappings } = JSON.parse(text) as Record<string, unknown>;
		if (version !== 3 || !Array.isArray(sources) || !Array.isArray(names ?? [])) return null;
		const contents = Array.isArray(sourcesContent) ? (sourcesContent as unknown[]) : [];
		return JSON.stringify({
			version,
			sources: sources.map(String),
			sourcesContent: sources.map((_, i) => (typeof contents[i] === "string" ? contents[i] : "")),
			names,
			mappings,
		});
	} catch (error) {
		if (error instanceof Refusal || error instanceof SyntaxError || error instanceof URIError) return null;
		throw error;
	}
}

function decode(url: string): string {
	const comma = url.indexOf(",");
	const data = url.slice(comma + 1);
	return /;base64$/i.test(url.slice(0, comma)) ? Buffer.from(data, "base64").toString() : decodeURIComponent(data);
}
