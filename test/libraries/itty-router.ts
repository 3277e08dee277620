import { AutoRouter, cors, error, html, json, Router, withContent, withParams } from "itty-router";

const { preflight, corsify } = cors();
const router = AutoRouter({ before: [preflight, withParams], finally: [corsify] });
router
	.get("/hello/:name", ({ name }) => `hello ${name}`)
	.get("/json", () => ({ a: [1, 2] }))
	.get("/html", () => html("<p>x</p>"))
	.post("/echo", withContent, ({ content }) => json({ content }))
	.get("/boom", () => error(418, "teapot"))
	.get("/throws", () => {
		throw new Error("thrown");
	});
const plain = Router({ base: "/api" });
plain.get("/x/:rest+", ({ params }) => new Response(params.rest));

export default {
	async fetch(): Promise<Response> {
		const told: unknown[] = [];
		for (const [path, init] of [
			["/hello/you"],
			["/json"],
			["/html"],
			["/echo", { method: "POST", body: '{"x":1}', headers: { "content-type": "application/json" } }],
			["/boom"],
			["/throws"],
			["/missing"],
		] as [string, RequestInit?][]) {
			const response = await router.fetch(new Request(`http://a.test${path}`, init));
			told.push([path, response.status, response.headers.get("content-type"), await response.text()]);
		}
		const deep = (await plain.fetch(new Request("http://a.test/api/x/a/b"))) as Response;
		return Response.json([...told, await deep.text()]);
	},
};
