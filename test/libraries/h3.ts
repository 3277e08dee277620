import { getQuery, H3, HTTPError, readBody, setCookie } from "h3";

const app = new H3();
app.use((event) => {
	event.res.headers.set("x-middleware", "yes");
});
app.get("/hello/:name", (event) => `hello ${event.context.params?.name}`);
app.get("/query", (event) => ({ query: getQuery(event) }));
app.post("/body", async (event) => ({ body: await readBody(event) }));
app.get("/cookie", (event) => {
	setCookie(event, "a", "b", { httpOnly: true });
	return "set";
});
app.get("/boom", () => {
	throw new HTTPError({ status: 418, statusText: "teapot" });
});

export default {
	async fetch(): Promise<Response> {
		const told: unknown[] = [];
		for (const [path, init] of [
			["/hello/you"],
			["/query?a=1&b=2&b=3"],
			["/body", { method: "POST", body: '{"x":1}', headers: { "content-type": "application/json" } }],
			["/cookie"],
			["/boom"],
			["/missing"],
		] as [string, RequestInit?][]) {
			const response = await app.request(`http://a.test${path}`, init);
			told.push([path, response.status, [...response.headers], await response.text()]);
		}
		return Response.json(told);
	},
};
