import type { AssetsSettings } from "../assets/asset-config.ts";
import { type AssetFile, type AssetFolder, readAsset, readAssetFolder } from "../assets/asset-folder.ts";
import { assetHash } from "../assets/asset-hash.ts";
import type { Client } from "./client.ts";
import { ClientError, Exit } from "./client-error.ts";

/** The files of a project, each with what it is known by. */
export interface LocalSite extends Omit<AssetFolder, "files"> {
	files: (AssetFile & { hash: string })[];
}

/** What a server has of a site once all of it is there. */
export interface SentSite {
	session: string;
	files: number;
	/** How many of them it did not have. */
	uploaded: number;
}

export async function readSite(directory: string): Promise<LocalSite> {
	const { files, ...rules } = await readAssetFolder(directory);
	const known: LocalSite["files"] = [];
	for (const file of files) {
		const bytes = await readAsset(file);
		known.push({ ...file, size: bytes.byteLength, hash: assetHash(file.type, bytes) });
	}
	return { ...rules, files: known };
}

/** Sends those files that the server does not have, and tells how far it is. `path` is the function's. */
export async function sendSite(
	client: Client,
	path: string,
	{ files }: LocalSite,
	progress: (line: string) => void,
): Promise<SentSite> {
	const manifest = Object.fromEntries(files.map(({ path: file, hash, size }) => [file, { hash, size }]));
	const begun = await client.ask<{ session: string; missing: string[][] }>("POST", `${path}/assets`, {
		files: manifest,
	});
	const byHash = new Map(files.map((file) => [file.hash, file]));
	const wanted = begun.missing.flat().length;
	let { session } = begun;
	let uploaded = 0;
	if (files.length === 0) progress("the site has no files: its folder is empty, or .assetsignore names all of them");
	else if (wanted === 0) progress(`the server has all ${files.length} files already`);
	for (const bucket of begun.missing) {
		const form = new FormData();
		form.set("session", begun.session);
		for (const hash of bucket) form.set(hash, await partOf(byHash.get(hash)));
		const response = await client.send("POST", `${path}/assets/files`, { body: form });
		session = ((await response.json()) as { session: string | null }).session ?? session;
		uploaded += bucket.length;
		progress(`uploaded ${uploaded} of ${wanted} files`);
	}
	return { session, files: files.length, uploaded };
}

async function partOf(file: LocalSite["files"][number] | undefined): Promise<File> {
	if (file === undefined) throw new ClientError("the server asks for a file that was not named to it", Exit.refused);
	const bytes = (await readAsset(file)) as Uint8Array<ArrayBuffer>;
	return new File([bytes], file.hash, { type: file.type === "" ? "application/null" : file.type });
}

/** What a version is told of the site that was sent for it. */
export function versionAssets(
	settings: AssetsSettings | null,
	site: LocalSite | null,
	sent: SentSite | null,
): object | undefined {
	if (settings === null || site === null || sent === null) return undefined;
	const { directory: _, binding = "", ...config } = settings;
	const { _headers, _redirects } = site;
	return { session: sent.session, binding, config: { ...config, _headers, _redirects } };
}
