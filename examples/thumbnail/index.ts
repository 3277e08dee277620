// Keeps pictures, and makes a small one of each: curl -T cat.png http://thumbnail.localhost:8787/full/cat.png, and a
// moment later http://thumbnail.localhost:8787/small/cat.png
import type { R2Bucket, StorageBatch } from "../../types/index.d.ts";
import { decodePng, encodePng, scaled } from "./png.ts";

interface Env {
	PICTURES: R2Bucket;
}

const MOST_PIXELS = 128;

export default {
	async fetch(request: Request, { PICTURES }: Env): Promise<Response> {
		const key = new URL(request.url).pathname.slice(1);
		if (request.method === "PUT") {
			if (!key.startsWith("full/")) return new Response("Put it below /full/\n", { status: 403 });
			await PICTURES.put(key, request.body, { httpMetadata: { contentType: "image/png" } });
			return new Response("Kept\n", { status: 201 });
		}
		const picture = await PICTURES.get(key, { onlyIf: request.headers, range: request.headers });
		if (picture === null) return new Response("There is none\n", { status: 404 });
		const headers = new Headers({ etag: picture.httpEtag });
		picture.writeHttpMetadata(headers);
		if (!("body" in picture)) return new Response(null, { status: 304, headers });
		return new Response(picture.body, { headers });
	},

	async storage(batch: StorageBatch, { PICTURES }: Env): Promise<void> {
		for (const change of batch.changes) {
			if (!("object" in change)) continue;
			const { key } = change.object;
			const picture = await PICTURES.get(key);
			if (picture === null) continue; // It was removed meanwhile.
			try {
				const small = scaled(await decodePng(await picture.bytes()), MOST_PIXELS);
				const httpMetadata = { contentType: "image/png" };
				await PICTURES.put(key.replace("full/", "small/"), await encodePng(small), { httpMetadata });
			} catch (error) {
				// It would fail again.
				console.error(key, (error as Error).message);
			}
		}
	},
};
