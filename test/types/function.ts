/** Compiled with `atoll-edge/types` alone by `types.test.ts`: what a function may use, and what it may not. */
import type {
	ExecutionContext,
	Handler,
	MessageBatch,
	R2Bucket,
	ScheduledController,
	StorageBatch,
} from "atoll-edge/types";

interface Env {
	KEY: string;
	BUCKET: R2Bucket;
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
	async storage(batch: StorageBatch, { BUCKET }: Env): Promise<void> {
		for (const change of batch.changes) {
			if (change.action === "DeleteKey" || change.action === "PutKey") console.log(change.namespace, change.key);
			else if (change.action === "PutObject") console.log(change.bucket, change.object.size);
			// @ts-expect-error: what was removed has no size
			else if (change.action === "DeleteObject") console.log(change.object.size);
			change.ack();
		}
		const whole = await BUCKET.get("k", { range: { suffix: 3 } });
		console.log(await whole?.text(), whole?.checksums.toJSON());
		const maybe = await BUCKET.get("k", { onlyIf: { etagMatches: "e" } });
		// @ts-expect-error: it has no body where the condition does not hold
		console.log(maybe?.body);
		const { size } = await BUCKET.put("k", new ReadableStream(), { httpMetadata: new Headers(), sha1: "00" });
		const upload = await BUCKET.createMultipartUpload("k");
		await upload.complete([await upload.uploadPart(size, "x")]);
		const list = await BUCKET.list({ include: ["customMetadata"] });
		if (list.truncated) await BUCKET.list({ cursor: list.cursor });
	},
} satisfies Handler<Env>;

// @ts-expect-error: a function has no document
document;
// @ts-expect-error: nor Node's process, unless it imports it
require("node:fs");
// @ts-expect-error: a timer is a number
setTimeout(() => undefined, 1).unref();
