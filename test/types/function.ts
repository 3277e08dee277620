/** Compiled with `atoll-edge/types` alone by `types.test.ts`: what a function may use, and what it may not. */
import type { ExecutionContext, Handler, MessageBatch, ScheduledController } from "atoll-edge/types";

interface Env {
	KEY: string;
}

export default {
	async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
		ctx.waitUntil(caches.default.put(request, new Response("x")));
		const { pathname } = new URL(request.url);
		if (pathname === "/ws") {
			const { 0: client, 1: server } = new WebSocketPair();
			server.accept();
			server.addEventListener<MessageEvent<string>>("message", ({ data }) => server.send(data));
			return new Response(null, { status: 101, webSocket: client });
		}
		const text = new Blob(["x"]).stream().pipeThrough(new CompressionStream("gzip"));
		const key = await crypto.subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, ["encrypt"]);
		for await (const chunk of text) console.log(chunk.byteLength, key.usages, request.client?.ip, import.meta.env.MODE);
		const match = new URLPattern({ pathname: "/users/:id" }).exec(request.url);
		await scheduler.wait(1);
		const page = new HTMLRewriter()
			.on("a", { element: (e) => void e.setAttribute("x", "y") })
			.transform(new Response("<a>"));
		return pathname === "/page"
			? page
			: Response.json({ id: match?.pathname.groups.id, key: env.KEY, at: performance.now() });
	},
	async scheduled({ cron, scheduledTime, noRetry }: ScheduledController, env: Env): Promise<void> {
		if (cron === env.KEY && scheduledTime > 0) noRetry();
	},
	async queue(batch: MessageBatch<{ n: number }>): Promise<void> {
		for (const message of batch.messages) {
			if (message.body.n > message.attempts) message.retry({ delaySeconds: message.timestamp.getSeconds() });
			else message.ack();
		}
		// @ts-expect-error: a delay is in seconds
		batch.retryAll({ delay: 1 });
	},
} satisfies Handler<Env>;

// @ts-expect-error: a function has no document
document;
// @ts-expect-error: nor Node's process, unless it imports it
require("node:fs");
// @ts-expect-error: a timer is a number
setTimeout(() => undefined, 1).unref();
