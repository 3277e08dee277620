import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { z } from "zod";

const t = initTRPC.context<{ user: string | null }>().create();
const secured = t.procedure.use(({ ctx, next }) => {
	if (ctx.user === null) throw new TRPCError({ code: "UNAUTHORIZED" });
	return next({ ctx: { user: ctx.user } });
});
const router = t.router({
	hello: t.procedure.input(z.object({ name: z.string() })).query(({ input }) => `hello ${input.name}`),
	add: t.procedure.input(z.array(z.number())).mutation(({ input }) => input.reduce((a, b) => a + b, 0)),
	me: secured.query(({ ctx }) => ctx.user),
	count: t.procedure.subscription(async function* () {
		for (let i = 0; i < 3; i++) yield i;
	}),
});

export default {
	async fetch(): Promise<Response> {
		const ask = async (path: string, init?: RequestInit) => {
			const response = await fetchRequestHandler({
				endpoint: "/trpc",
				req: new Request(`http://a.test/trpc/${path}`, init),
				router,
				createContext: ({ req }) => ({ user: req.headers.get("x-user") }),
			});
			return [response.status, (await response.text()).replaceAll(/"stack":"(?:[^"\\]|\\.)*",?/g, "")];
		};
		const input = (value: unknown) => encodeURIComponent(JSON.stringify(value));
		return Response.json([
			await ask(`hello?input=${input({ name: "Ada" })}`),
			await ask(`hello?input=${input({ name: 5 })}`),
			await ask("add", { method: "POST", body: "[1,2,3]", headers: { "content-type": "application/json" } }),
			await ask("me"),
			await ask("me", { headers: { "x-user": "ada" } }),
			await ask(`hello,me?batch=1&input=${input({ 0: { name: "B" } })}`),
			await ask("count", { headers: { accept: "text/event-stream" } }),
			await ask("missing"),
		]);
	},
};
