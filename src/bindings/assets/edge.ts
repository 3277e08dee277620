import { z } from "zod";
import { assetConfig } from "../../assets/asset-config.ts";
import type { Sites } from "../../assets/sites.ts";
import type { EdgeBinding, OpenBinding } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { Hop } from "../fetch/edge/redirects.ts";
import { prepareFetch } from "../fetch/edge.ts";
import { decodeServiceCall } from "../service/schema.ts";

const settings = z.strictObject({ manifest: z.string(), config: assetConfig });
type Settings = z.output<typeof settings>;

/** The files that were uploaded with a function: https://developers.cloudflare.com/workers/static-assets/binding/ */
class AssetsBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #sites: Sites;

	constructor({ sites }: EdgeServices) {
		this.#sites = sites;
	}

	open(source: Settings): OpenBinding {
		const refusal = (url: URL | null) =>
			url === null || !/^https?:$/.test(url.protocol) ? "files are asked for with http and https URLs" : null;
		return {
			prepare: (argument) => {
				const call = decodeServiceCall(argument);
				if (call === null) return null;
				if (call.rpc !== null) return "the files of a function have no methods but fetch";
				const find = async ({ method, url, headers }: Hop) => {
					// Nobody decodes it for the function.
					const request = { method, url: new URL(url), headers, brotli: false };
					const { status, headers: told, body } = this.#sites.of(source).answer(request);
					if (body !== null) told.push("content-length", String(body.size));
					const head = { status, statusText: "", headers: told, body: "none" as const };
					const stream =
						body === null || body.size === 0 || method === "HEAD" ? null : ReadableStream.from(this.#sites.read(body));
					return { head, body: stream };
				};
				return prepareFetch(call.request, refusal, find, null);
			},
		};
	}
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new AssetsBinding(services);
