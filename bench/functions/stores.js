const KEY = "http://cached.example/key";
const kept = () => new Response("value", { headers: { "cache-control": "max-age=3600" } });
const bytesOf = (kilobytes) => new Uint8Array(kilobytes * 1024);

/** What a store does for a request, by the request's path. */
export default {
	async fetch({ url }, { KV, QUEUE, DB, OBJECTS }) {
		const path = url.slice(url.indexOf("/", 8));
		if (path === "/get") return new Response(await KV.get("key"));
		if (path === "/put") await KV.put(`key${Math.floor(Math.random() * 1000)}`, "value");
		if (path === "/create")
			await DB.prepare("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, value TEXT)").run();
		if (path === "/select" || path === "/batch") {
			const id = Math.floor(Math.random() * 1000);
			const add = DB.prepare("INSERT OR REPLACE INTO rows (id, value) VALUES (?, ?)");
			if (path === "/batch") await DB.batch([add.bind(id, "one"), add.bind(id + 1, "two")]);
			else await DB.prepare("SELECT value FROM rows WHERE id = ?").bind(id).first("value");
		}
		if (path === "/send") await QUEUE.send("message");
		if (path === "/match") return await caches.default.match(KEY);
		if (path === "/keep") await caches.default.put(KEY, kept());
		if (path === "/cache") await caches.default.put(`${KEY}${Math.floor(Math.random() * 1000)}`, kept());
		const [, what, kilobytes] = path.split("/");
		if (what === "object") return new Response((await OBJECTS.get(`object-${kilobytes}`)).body);
		if (what === "begin") await OBJECTS.put(`object-${kilobytes}`, bytesOf(kilobytes));
		if (what === "put-object") await OBJECTS.put(`put-${Math.floor(Math.random() * 50)}`, bytesOf(kilobytes));
		return new Response("value");
	},
	queue() {},
};
