const bytesOf = (kilobytes) => new Uint8Array(kilobytes * 1024);

/** What a store does for a request, by the request's path. */
export default {
	async fetch({ url }, { KV, QUEUE, OBJECTS }) {
		const path = url.slice(url.indexOf("/", 8));
		if (path === "/get") return new Response(await KV.get("key"));
		if (path === "/put") await KV.put(`key${Math.floor(Math.random() * 1000)}`, "value");
		if (path === "/send") await QUEUE.send("message");
		const [, what, kilobytes] = path.split("/");
		if (what === "object") return new Response((await OBJECTS.get(`object-${kilobytes}`)).body);
		if (what === "begin") await OBJECTS.put(`object-${kilobytes}`, bytesOf(kilobytes));
		if (what === "put-object") await OBJECTS.put(`put-${Math.floor(Math.random() * 50)}`, bytesOf(kilobytes));
		return new Response("value");
	},
	queue() {},
};
