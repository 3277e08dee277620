const KEY = "http://cached.example/key";
const kept = () => new Response("value", { headers: { "cache-control": "max-age=3600" } });

/** What a store does for a request, by the request's path. */
export default {
	async fetch({ url }, { KV, QUEUE }) {
		const path = url.slice(url.indexOf("/", 8));
		if (path === "/get") return new Response(await KV.get("key"));
		if (path === "/put") await KV.put(`key${Math.floor(Math.random() * 1000)}`, "value");
		if (path === "/send") await QUEUE.send("message");
		if (path === "/match") return await caches.default.match(KEY);
		if (path === "/keep") await caches.default.put(KEY, kept());
		if (path === "/cache") await caches.default.put(`${KEY}${Math.floor(Math.random() * 1000)}`, kept());
		return new Response("value");
	},
	queue() {},
};
