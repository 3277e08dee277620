// Work that is done later: curl -d 'some text' http://jobs.localhost:8787, then ask for the result where it says
import type { KVNamespace, MessageBatch, Queue } from "../../types/index.d.ts";

interface Job {
	id: string;
	text: string;
}

interface Env {
	JOBS: Queue<Job>;
	RESULTS: KVNamespace;
}

export default {
	async fetch(request: Request, { JOBS, RESULTS }: Env): Promise<Response> {
		if (request.method === "POST") {
			const id = crypto.randomUUID();
			await JOBS.send({ id, text: await request.text() });
			return Response.json({ id }, { status: 202, headers: { location: `/${id}` } });
		}
		const result = await RESULTS.get(new URL(request.url).pathname.slice(1) || "none");
		return result === null ? new Response("Not yet\n", { status: 404 }) : new Response(`${result}\n`);
	},

	async queue({ messages }: MessageBatch<Job>, { RESULTS }: Env): Promise<void> {
		for (const message of messages) {
			const { id, text } = message.body;
			const words = text.split(/\s+/).filter((word) => word !== "").length;
			await RESULTS.put(id, `${words} words`, { expirationTtl: 3600 });
			message.ack();
		}
	},
};
