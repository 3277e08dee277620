import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Scripts and styles of the dashboard, each before those that import it. */
const OWN = ["style.css", "text.js", "page.js", "tail.js", "charts.js"] as const;
/** Those of uPlot, which lie beside its module. */
const OF_UPLOT = ["uPlot.iife.min.js", "uPlot.min.css"] as const;
type AssetName = (typeof OWN)[number] | (typeof OF_UPLOT)[number];

export interface Asset {
	content: Buffer;
	type: string;
}

const HASH_DIGITS = 12;

/** What pages load beside themselves: under names with a hash, so that browsers may keep them for ever. */
export class Assets {
	readonly #byPath = new Map<string, Asset>();
	readonly #paths = new Map<AssetName, string>();

	constructor() {
		const uplot = import.meta.resolve("uplot");
		for (const name of OF_UPLOT) this.#add(name, readFileSync(fileURLToPath(new URL(name, uplot))));
		for (const name of OWN) {
			let text = readFileSync(new URL(`assets/${name}`, import.meta.url), "utf8");
			for (const [other, path] of this.#paths) text = text.replaceAll(`"./${other}"`, `"${path}"`);
			this.#add(name, Buffer.from(text));
		}
	}

	/** Where one is, for a page. */
	path(name: AssetName): string {
		return this.#paths.get(name) as string;
	}

	at(path: string): Asset | null {
		return this.#byPath.get(path) ?? null;
	}

	#add(name: AssetName, content: Buffer): void {
		const hash = createHash("sha256").update(content).digest("hex").slice(0, HASH_DIGITS);
		const path = `/assets/${name.replace(/\.(\w+)$/, `.${hash}.$1`)}`;
		const type = name.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
		this.#byPath.set(path, { content, type });
		this.#paths.set(name, path);
	}
}
