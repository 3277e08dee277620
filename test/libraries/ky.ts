import ky, { type HTTPError } from "ky";

/** Its `fetch` is a small server of its own, so that all of ky runs and nothing leaves the test. */
let tries = 0;
const server = async (input: unknown): Promise<Response> => {
	const request = input as Request;
	const url = new URL(request.url);
	if (url.pathname === "/flaky" && ++tries % 3 !== 0) return new Response("later", { status: 503 });
	if (url.pathname === "/missing") return Response.json({ why: "gone" }, { status: 404 });
	if (url.pathname === "/slow")
		return new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason)));
	return Response.json({
		method: request.method,
		url: request.url,
		type: request.headers.get("content-type"),
		own: request.headers.get("x-own"),
		body: await request.text(),
	});
};
const client = ky.create({
	prefixUrl: "http://api.test",
	fetch: server as never,
	headers: { "x-own": "1" },
	retry: { limit: 3, backoffLimit: 1 },
});

export default {
	async fetch(): Promise<Response> {
		const failed = await client("missing").catch((error: HTTPError) => [error.name, error.response.status]);
		const late = await client("slow", { timeout: 20, retry: 0 }).catch((error: Error) => error.name);
		return Response.json([
			await client("get", { searchParams: { a: 1 } }).json(),
			await client.post("post", { json: { x: [1] } }).json(),
			await client.put("form", { body: new URLSearchParams({ y: "2" }) }).json(),
			await client("flaky").text(),
			failed,
			late,
			await client
				.extend({ hooks: { beforeRequest: [(request) => request.headers.set("x-own", "hook")] } })("hooked")
				.json(),
		]);
	},
};
