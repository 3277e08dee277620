// A Hono app: routes, a parameter, and two pieces of middleware.
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { timing } from "hono/timing";

const app = new Hono();

app.use(timing());
app.use(async (c, next) => {
	await next();
	c.header("x-served-by", "atoll");
});

app.get("/", (c) => c.text("Try /users/42 and /teapot\n"));
app.get("/users/:id", (c) => c.json({ id: Number(c.req.param("id")), name: "Ada" }));
app.get("/teapot", () => {
	throw new HTTPException(418, { message: "I'm a teapot\n" });
});

export default app;
