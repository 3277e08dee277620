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

/** A site as a configuration has it: a folder of files, and how they are served. */
export const assetsSchema = z.strictObject({
	directory: z.string().min(1).meta({ description: "The folder of its files." }),
	binding: z
		.string()
		.regex(/^(?!__proto__$)[A-Za-z_$][\w$]{0,99}$/, "must be a name as JavaScript has them")
		.optional()
		.meta({ description: "The name under which the function finds them: `env.ASSETS.fetch(request)`." }),
	html_handling: assetConfig.shape.html_handling.meta({
		description: "At which of /a, /a/ and /a.html a page answers; the others lead there.",
	}),
	not_found_handling: assetConfig.shape.not_found_handling.meta({
		description: "What answers where there is no file: nothing, the nearest 404.html, or /index.html.",
	}),
	run_worker_first: assetConfig.shape.run_worker_first.meta({
		description: "Whether the function comes before the files: always, never, or for paths like /api/*.",
	}),
});
/** The same once it has been checked. */
export type AssetsSettings = z.output<typeof assetsSchema>;

/** What is wrong with settings of a site that has no function beside it; `null` where nothing is. */
export function problemOfSiteAlone({ binding, run_worker_first: first }: AssetsSettings): string | null {
	if (binding !== undefined) return "assets.binding is for a function, and there is none: name it by main";
	if (first !== false) return "assets.run_worker_first is for a function, and there is none: name it by main";
	return null;
}

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
	/** The same by brotli, where that is worth it. */
	brotli?: { upload: string; size: Bytes };
}

/** The names of all that a file lies in. */
export function uploadsOf({ upload, brotli }: Asset): string[] {
	return brotli === undefined ? [upload] : [upload, brotli.upload];
}

/** So many bytes of a file, from some place on. */
export interface AssetPart {
	upload: string;
	start: Bytes;
	size: Bytes;
}

/** All files of a site, by their paths. */
export type Manifest = Record<string, Asset>;
