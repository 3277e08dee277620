import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { compress } from "hono/compress";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { jwt, sign } from "hono/jwt";
import { logger } from "hono/logger";
import { prettyJSON } from "hono/pretty-json";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE } from "hono/streaming";
import { validator } from "hono/validator";

const app = new Hono();
app.use("*", cors({ origin: "https://a.test", credentials: true }), secureHeaders(), prettyJSON());
app.use(
	"/logged",
	logger(() => undefined),
);
app.use("/etag", etag());
app.use("/zip", compress());
app.use("/basic/*", basicAuth({ username: "u", password: "p" }));
app.use("/bearer/*", bearerAuth({ token: "t" }));
app.use("/jwt/*", jwt({ secret: "s", alg: "HS256" }));
app.get("/users/:id{[0-9]+}", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q"), all: c.req.queries("t") }));
app.get("/cookies", async (c) => {
	setCookie(c, "plain", "a b", { httpOnly: true, path: "/" });
	await setSignedCookie(c, "signed", "v", "secret");
	deleteCookie(c, "gone");
	return c.json([getCookie(c), await getSignedCookie(c, "secret", "signed")]);
});
app.get("/etag", (c) => c.text("tagged"));
app.get("/zip", (c) => c.text("zip ".repeat(1000)));
app.get("/basic/in", (c) => c.text("in"));
app.get("/bearer/in", (c) => c.text("in"));
app.get("/jwt/in", (c) => c.json(c.get("jwtPayload" as never)));
app.get("/token", async (c) => c.text(await sign({ sub: "x", exp: 4_000_000_000 }, "s", "HS256")));
app.get("/html", (c) => c.html(html`<p>${"<escaped>"}</p>`));
app.get("/jsx", (c) => c.html(html`<b>${c.req.query("name")}</b>`));
app.get("/stream", (c) =>
	stream(c, async (out) => {
		await out.write("one ");
		await out.sleep(1);
		await out.write("two");
	}),
);
app.get("/sse", (c) =>
	streamSSE(c, async (out) => {
		for (let i = 0; i < 3; i++) await out.writeSSE({ data: String(i), event: "tick", id: String(i) });
	}),
);
app.post("/form", async (c) => c.json(await c.req.parseBody({ all: true })));
app.post(
	"/valid",
	validator("json", (value, c) => (typeof value.n === "number" ? value : c.text("no", 400))),
	(c) => c.json(c.req.valid("json")),
);
app.get("/boom", () => {
	throw new HTTPException(418, { message: "teapot" });
});
app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text("error", 500)));
app.notFound((c) => c.text("nothing here", 404));
app.route(
	"/sub",
	new Hono().get("/deep/*", (c) => c.text(c.req.path)),
);

/** Asks the app what a client would, and tells all of it. */
export default {
	async fetch(request: Request): Promise<Response> {
		const origin = new URL(request.url).origin;
		const token = await (await app.request(`${origin}/token`)).text();
		const form = new FormData();
		form.append("a", "1");
		form.append("a", "2");
		form.append("f", new File(["content"], "f.txt"));
		const asked: [string, RequestInit?][] = [
			["/users/5?q=x&t=1&t=2"],
			["/users/abc"],
			["/cookies", { headers: { cookie: "plain=a%20b; other=1" } }],
			["/etag"],
			["/etag", { headers: { "if-none-match": '"3f8e5a"' } }],
			["/basic/in", { headers: { authorization: `Basic ${btoa("u:p")}` } }],
			["/basic/in"],
			["/bearer/in", { headers: { authorization: "Bearer t" } }],
			["/bearer/in", { headers: { authorization: "Bearer x" } }],
			["/jwt/in", { headers: { authorization: `Bearer ${token}` } }],
			["/jwt/in", { headers: { authorization: "Bearer a.b.c" } }],
			["/html"],
			["/jsx?name=%3Cx%3E"],
			["/stream"],
			["/sse"],
			["/form", { method: "POST", body: form }],
			["/form", { method: "POST", body: new URLSearchParams({ x: "1" }) }],
			["/valid", { method: "POST", body: '{"n":1}', headers: { "content-type": "application/json" } }],
			["/valid", { method: "POST", body: "{}", headers: { "content-type": "application/json" } }],
			["/boom"],
			["/missing"],
			["/sub/deep/er"],
			["/users/5?pretty"],
			[
				"/users/5",
				{ method: "OPTIONS", headers: { origin: "https://a.test", "access-control-request-method": "PUT" } },
			],
		];
		const told: unknown[] = [];
		for (const [path, init] of asked) {
			const response = await app.request(`${origin}${path}`, init);
			const headers = [...response.headers].filter(([name]) => name !== "date");
			told.push([
				path,
				response.status,
				headers,
				(await response.text()).replaceAll(/"size":\d+,?|"lastModified":\d+/g, ""),
			]);
		}
		const zipped = await app.request(`${origin}/zip`, { headers: { "accept-encoding": "gzip" } });
		const unzipped = (zipped.body as ReadableStream).pipeThrough(new DecompressionStream("gzip"));
		told.push([zipped.headers.get("content-encoding"), (await new Response(unzipped).text()).length]);
		return Response.json(told);
	},
};
