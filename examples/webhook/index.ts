// A receiver of webhooks: atoll checks their signatures, keeps them, and calls this until it has not thrown
import type { CloudEvent, KVNamespace } from "../../types/index.d.ts";

interface Env {
	EVENTS: KVNamespace;
}

interface Order {
	data: { order: string };
}

export default {
	async fetch(request: Request, { EVENTS }: Env): Promise<Response> {
		const status = await EVENTS.get(new URL(request.url).pathname.slice(1) || "none");
		return status === null ? new Response("Unknown\n", { status: 404 }) : new Response(`${status}\n`);
	},

	// The same event may come twice: to write down what it says does no harm.
	async event({ type, data }: CloudEvent<Order>, { EVENTS }: Env): Promise<void> {
		if (data === undefined) return;
		await EVENTS.put(data.data.order, type.slice("order.".length), { expirationTtl: 3600 });
	},
};
