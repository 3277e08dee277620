// Puts what a careless platform would read of its own records where every object inherits it.
const NAMES = `abort answer body byteOffset chunk client close cookies credit data done end entries error exports get has head host id index json key
kind length limit message name next op operation pair path promise reason redirected set size source stack start state status status
statusText stream tag text then time timer toJSON type url value webSocket`;
for (const name of NAMES.split(/\s+/)) {
	if (name === "then") continue; // Every object would be a thenable, which is the language's own doing.
	Object.prototype[name] = () => "polluted";
}
Array.prototype.toJSON = () => "polluted";

export default {
	async fetch(request, env, ctx) {
		ctx.waitUntil(Promise.resolve(1));
		console.log("a line", { a: 1 });
		const url = new URL(request.url);
		const headers = new Headers({ "x-a": "1" });
		headers.append("x-b", request.headers.get("host"));
		await crypto.subtle.digest("SHA-256", new TextEncoder().encode("x"));
		await new Promise((resolve) => setTimeout(resolve, 1));
		const text = await new Response(new Blob(["a", "b"]).stream()).text();
		const failed = await fetch("http://127.0.0.1:1/").catch((error) => error.name);
		return new Response(`${url.pathname} ${text} ${failed}`, { status: 200, statusText: "", headers });
	},
};
