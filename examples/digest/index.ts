// Counts visits, and sums them up every minute: curl http://digest.localhost:8787, and after a minute /digest
import type { KVNamespace, ScheduledController } from "../../types/index.d.ts";

interface Env {
	VISITS: KVNamespace;
}

export default {
	async fetch(request: Request, { VISITS }: Env): Promise<Response> {
		if (new URL(request.url).pathname === "/digest")
			return new Response(`${(await VISITS.get("digest")) ?? "There is none yet"}\n`);
		// Each under a key of its own: of two that add to one number at the same time, one would be lost.
		await VISITS.put(`visit/${crypto.randomUUID()}`, "", { expirationTtl: 3600 });
		return new Response("Counted\n");
	},

	async scheduled({ scheduledTime }: ScheduledController, { VISITS }: Env): Promise<void> {
		let count = 0;
		for (let cursor: string | undefined; ; ) {
			const list = await VISITS.list({ prefix: "visit/", cursor });
			count += list.keys.length;
			if (list.list_complete) break;
			cursor = list.cursor;
		}
		await VISITS.put("digest", `${count} visits in the hour before ${new Date(scheduledTime).toISOString()}`);
	},
};
