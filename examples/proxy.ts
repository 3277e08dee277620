// Fetches another function's page and rewrites it on the way. Functions reach one another by hostname, without a network.
export default {
	async fetch(request: Request): Promise<Response> {
		const url = new URL(request.url);
		url.hostname = url.hostname.replace(/^proxy\./, "page.");
		const response = await fetch(url, { headers: request.headers });
		const html = await response.text();
		const rewritten = html.replace("Good day", "Good evening");
		const headers = new Headers(response.headers);
		headers.set("x-rewritten", "yes");
		return new Response(rewritten, { status: response.status, headers });
	},
};
