/** Every form that handlers can have. */
import { env, exports, RpcTarget, WorkerEntrypoint, waitUntil, withEnv } from "cloudflare:workers";
import type {
	ExecutionContext,
	FetchHandler,
	Handler,
	HandlerClass,
	LoopbackStub,
	MessageBatch,
	Service,
} from "atoll-edge/types";

interface Env {
	KEY: string;
}
declare global {
	namespace Cloudflare {
		interface Env {
			readonly TOKEN: string;
			readonly ADMIN: Service<Admin>;
			readonly API: Service<typeof Admin>;
		}
		interface Exports {
			readonly Admin: LoopbackStub<Admin>;
		}
	}
}

export const object: Handler<Env> = {
	fetch: (request, { KEY }, ctx) => {
		ctx.waitUntil(Promise.resolve(ctx.props.any));
		return new Response(KEY + request.url);
	},
	scheduled({ cron, scheduledTime }) {
		console.log(cron.length, new Date(scheduledTime));
	},
};
export const listener: FetchHandler<Env> = async (request, { KEY }) => new Response(KEY, { headers: request.headers });

class Plain {
	readonly #env: Env;
	constructor(_ctx: ExecutionContext, given: Env) {
		this.#env = given;
	}
	fetch(): Response {
		return new Response(this.#env.KEY);
	}
	queue(batch: MessageBatch<{ n: number }>): void {
		batch.ackAll();
	}
}
export const plain: HandlerClass<Env> = Plain;

export default class extends WorkerEntrypoint<Env> {
	fetch(request: Request): Response {
		this.ctx.waitUntil(Promise.resolve());
		return new Response(this.env.KEY + env.TOKEN.length + typeof env.OTHER + request.method);
	}
}

class Counter extends RpcTarget {
	increment(by = 1): number {
		return by;
	}
}
export class Admin extends WorkerEntrypoint<Env, { role: string }> {
	add(a: number, b: number): number {
		return a + b + this.ctx.props.role.length;
	}
	async find(name: string): Promise<{ name: string } | null> {
		return { name };
	}
	counter(): Counter {
		return new Counter();
	}
	adder() {
		return (x: number) => x + 1;
	}
	get settings() {
		return { deep: { list: () => [1] } };
	}
}

export async function calls(): Promise<string> {
	const sum: number = await env.ADMIN.add(1, 2);
	const found = await env.API.find("a");
	const { deep } = await env.API.settings;
	const listed: number[] = await env.API.settings.deep.list();
	const own: number = await exports
		.Admin({ props: { role: "r" } })
		.add(sum, (await exports.Admin.add(1, 2)) + listed[0]);
	using counter = await env.API.counter();
	const counted: number = (await counter.increment(2)) + (await env.API.counter().increment());
	const added: number = (await (await env.API.adder())(counted)) + (await env.API.adder()(1));
	console.log(added.toFixed());
	waitUntil(exports.default.fetch("http://self/"));
	return withEnv({ TOKEN: "t" }, () => `${env.TOKEN}${own}${found?.name}${typeof deep}${new RpcTarget()}`);
}
// @ts-expect-error: the method takes numbers
export const wrongCall = () => env.ADMIN.add("a", 1);
// @ts-expect-error: a class has no such method
export const noMethod = () => env.ADMIN.missing();

addEventListener("fetch", (event) => {
	event.waitUntil(Promise.resolve());
	event.respondWith(new Response(event.request.url));
});
addEventListener("scheduled", (event) => {
	if (event.cron === "0 * * * *") event.noRetry();
	event.waitUntil(Promise.resolve(event.scheduledTime));
});
addEventListener("queue", (event) => {
	for (const { id, body } of event.messages) console.log(event.queue, id, body);
	event.retryAll({ delaySeconds: 10 });
	event.waitUntil(Promise.resolve());
});
Deno.serve((request) => new Response(request.url + Deno.env.get("KEY")));
Deno.serve({ port: 8000 }, () => new Response());

// @ts-expect-error: a handler answers with a response
export const wrong: Handler = { fetch: () => "text" };
// @ts-expect-error: and so does a function
export const alsoWrong: FetchHandler = () => 1;
// @ts-expect-error: what is declared is a text
env.TOKEN.toFixed();
