/** A Hono app, with Hono's own types beside atoll's. */

import type { Fetcher, Handler } from "atoll-edge/types";
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { jwt } from "hono/jwt";
import { streamSSE } from "hono/streaming";
import { validator } from "hono/validator";

interface Env {
	SECRET: string;
	API: Fetcher;
}

const app = new Hono<{ Bindings: Env; Variables: { user: string } }>();
app.use("*", cors());
app.use("/private/*", (c, next) => jwt({ secret: c.env.SECRET, alg: "HS256" })(c, next));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), agent: c.req.header("user-agent") }));
app.get("/api", async (c: Context<{ Bindings: Env }>) => {
	c.executionCtx.waitUntil(Promise.resolve());
	return c.env.API.fetch(new Request("https://api.internal/", { signal: c.req.raw.signal }));
});
app.get("/events", (c) => streamSSE(c, (stream) => stream.writeSSE({ data: "now" })));
app.post(
	"/posts",
	validator("json", (value: { title?: string }, c) => value.title ?? c.text("no title", 400)),
	(c) => c.text(c.req.valid("json")),
);
app.onError((error, c) => c.text(error.message, 500));

export default {
	fetch: app.fetch,
	async queue(batch) {
		for (const message of batch.messages) await app.request(`/users/${message.id}`);
	},
} satisfies Handler<Env>;
