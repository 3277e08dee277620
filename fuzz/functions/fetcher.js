/** Fetches from the server that the request names, and uses what comes as the path says. */
export default {
	async fetch(request) {
		const { pathname, searchParams } = new URL(request.url);
		const response = await fetch(searchParams.get("from"), {
			method: searchParams.get("method") ?? "GET",
			redirect: searchParams.get("redirect") ?? "follow",
		});
		switch (pathname) {
			case "/text":
				return new Response(await response.text());
			case "/copy":
				return new Response(response.body, response);
			case "/tee": {
				const copy = response.clone();
				return new Response(`${(await response.arrayBuffer()).byteLength} ${(await copy.arrayBuffer()).byteLength}`);
			}
			case "/cancel":
				await response.body?.cancel();
				return new Response("cancelled");
			case "/unread":
				return new Response([...response.headers].length);
			default:
				return response;
		}
	},
};
