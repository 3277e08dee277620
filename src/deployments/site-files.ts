import type { Asset, AssetsSettings, Manifest, SiteSource } from "../assets/asset-config.ts";
import { readAsset, readAssetFolder } from "../assets/asset-folder.ts";
import { compressed } from "../assets/compression.ts";
import type { ArtifactStore } from "../cache/artifact-store.ts";

/** Keeps the files of sites as they are when these are deployed, so that each version goes on with its own. */
export class SiteFiles {
	readonly #store: ArtifactStore;
	/** The keys of all that a site was kept as. */
	readonly #keys = new WeakMap<SiteSource, readonly string[]>();

	constructor(store: ArtifactStore) {
		this.#store = store;
	}

	/** Keeps the files of a folder. Rejects with UsageError that names what cannot be served. */
	async keep({ directory, binding: _, ...config }: AssetsSettings, alone: boolean): Promise<SiteSource> {
		const { files, ...rules } = await readAssetFolder(directory);
		const manifest: Manifest = {};
		const keys: string[] = [];
		for (const file of files) {
			const bytes = await readAsset(file);
			const key = await this.#store.saveAsset(bytes);
			keys.push(key);
			const asset: Asset = { upload: `${key}.asset`, size: bytes.byteLength, type: file.type };
			const brotli = await compressed(bytes, file.type);
			if (brotli !== null) {
				const encoded = await this.#store.saveAsset(brotli);
				keys.push(encoded);
				asset.brotli = { upload: `${encoded}.asset`, size: brotli.byteLength };
			}
			manifest[file.path] = asset;
		}
		const list = await this.#store.saveAsset(Buffer.from(JSON.stringify(manifest)));
		const site = { manifest: `${list}.asset`, config: { ...config, ...rules }, alone };
		this.#keys.set(site, [list, ...keys]);
		return site;
	}

	/** The keys of a site's files; none where they are uploads. */
	keysOf(site: SiteSource | null): readonly string[] {
		return (site && this.#keys.get(site)) ?? [];
	}
}
