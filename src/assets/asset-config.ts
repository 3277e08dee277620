import { z } from "zod";
import type { Bytes } from "../units.ts";

/** As Cloudflare has them: https://developers.cloudflare.com/workers/platform/limits/#static-assets */
export const MOST_FILES = 20_000;
export const MOST_FILE_BYTES: Bytes = 25 * 2 ** 20;

/** How the files of a site are served, as wrangler says it: https://developers.cloudflare.com/workers/static-assets/ */
export const assetConfig = z.object({
	html_handling: z
		.enum(["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"])
		.default("auto-trailing-slash"),
	not_found_handling: z.enum(["none", "404-page", "single-page-application"]).default("none"),
	/** Whether the function comes before the files: always, never, or for paths like `/api/*` and not `!/api/docs`. */
	run_worker_first: z.union([z.boolean(), z.array(z.string().max(1000)).max(100)]).default(false),
	/** The text of `_headers`, and of `_redirects`. */
	_headers: z.string().max(100_000).default(""),
	_redirects: z.string().max(200_000).default(""),
});
export type AssetConfig = z.infer<typeof assetConfig>;

/** What stands for the function that a site alone does not have: it is never asked. */
export const NO_FUNCTION = {
	path: "atoll-files-alone.js",
	source: "export default { fetch: () => new Response(null, { status: 404 }) };",
};

/** What a version has of files: their manifest among the uploads, and how they are served. */
export interface SiteSource {
	/** The name of the manifest's upload. */
	manifest: string;
	config: AssetConfig;
	/** Whether there is no function behind the files. */
	alone: boolean;
}

/** A file of a site. */
export interface Asset {
	/** The name of its upload. */
	upload: string;
	size: number;
	/** Empty for none. */
	type: string;
}

/** All files of a site, by their paths. */
export type Manifest = Record<string, Asset>;
