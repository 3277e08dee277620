/** What a store does for a request, by the request's path. */
export default {
	async fetch({ url }, { KV, QUEUE }) {
		const path = url.slice(url.indexOf("/", 8));
		if (path === "/get") return new Response(await KV.get("key"));
		if (path === "/put") await KV.put(`key${Math.floor(Math.random() * 1000)}`, "value");
		if (path === "/send") await QUEUE.send("message");
		return new Response("value");
	},
	queue() {},
};
