import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import type { AssetPart, Manifest, SiteSource } from "./asset-config.ts";
import { Site } from "./site.ts";

/** So many sites are kept in memory, whose manifests and rules have so many letters together. */
const MOST_SITES = 500;
const MOST_SIZE = 128 * 2 ** 20;
/** A file leaves in pieces of this size. */
const PIECE = 64 * 1024;
/** Uploads by their hash, and beside artifacts the files of sites that lay in a folder. */
const UPLOAD = /^[0-9a-f]{64}(\.asset)?$/;

type Source = Pick<SiteSource, "manifest" | "config">;

/** The sites of versions, from their files in the data folder. */
export class Sites {
	readonly #data: string;
	readonly #sites = new LRUCache<Source, Site>({ max: MOST_SITES, maxSize: MOST_SIZE });

	/** `data` is the data folder. */
	constructor(data: string) {
		this.#data = data;
	}

	/** The site of a source, which is known again by the object that it is. Throws where its manifest is not there. */
	of(source: Source): Site {
		const known = this.#sites.get(source);
		if (known !== undefined) return known;
		const { manifest, config } = source;
		const text = readFileSync(this.#path(manifest), "utf8");
		const site = new Site(JSON.parse(text) as Manifest, config);
		this.#sites.set(source, site, { size: text.length + config._headers.length + config._redirects.length });
		return site;
	}

	/** The bytes of a part of a file, as fast as they are taken: it is open no longer than it takes to read a piece. */
	async *read({ upload, start, size }: AssetPart): AsyncGenerator<Uint8Array, void> {
		for (let at = 0; at < size; ) {
			const piece = await this.#piece(upload, start + at, Math.min(PIECE, size - at));
			at += piece.byteLength;
			yield piece;
		}
	}

	async #piece(upload: string, at: number, size: number): Promise<Uint8Array> {
		await using file = await open(this.#path(upload));
		const piece = Buffer.allocUnsafe(size);
		const { bytesRead } = await file.read(piece, 0, size, at);
		if (bytesRead === 0) throw new Error("the file of an asset is shorter than it should be");
		return piece.subarray(0, bytesRead);
	}

	#path(upload: string): string {
		const [known, kept] = UPLOAD.exec(upload) ?? [];
		if (known === undefined) throw new Error(`${upload} is no upload`);
		return join(this.#data, kept === undefined ? "uploads" : "artifacts", known);
	}
}
