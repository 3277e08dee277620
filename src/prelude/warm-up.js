// Runs inside the isolate from which the base snapshot is taken, after the prelude: it does what the first requests of
// most functions do, so that V8 compiles those paths of the prelude now and keeps their bytecode in the snapshot.
(() => {
	const bridge = globalThis.__atoll_bridge;
	const parts = "http://a.localhost/\nhttp://a.localhost\nhttp:\n\n\na.localhost\na.localhost\n\n/\n\n";
	bridge.install(
		"emit,encodeUtf8,decode,encodingName,parseUrl,setUrl,randomBytes,now,crypto,reuse",
		() => {},
		(text) => new Uint8Array(text.length).buffer,
		() => "{}",
		() => "utf-8",
		() => parts,
		() => parts,
		(length) => new ArrayBuffer(length),
		() => 1,
		() => {},
		() => null,
	);
	bridge.begin("{}", "[]", "", 0, false);
	const handler = async (request, _env, ctx) => {
		const url = new URL(request.url);
		url.searchParams.get("a");
		request.headers.get("host");
		[...request.headers];
		if (request.method === "POST") await request.json();
		const response = new Response("hello", { headers: { "x-a": "b" } });
		response.headers.set("x-b", "c");
		const wrapped = new Response(response.body, response);
		wrapped.headers.append("x-c", "d");
		ctx.waitUntil(Promise.resolve());
		if (url.pathname !== "/") return new Response(new ReadableStream({ start: (controller) => controller.close() }));
		return request.method === "POST" ? Response.json({ ok: true }) : wrapped;
	};
	globalThis.__atoll_exports({ default: { fetch: handler } });
	bridge.finish();
	const head = (method, body) => `${method}\n${body}\n\nhttp://a.localhost/\nhost\na.localhost\naccept\n*/*`;
	bridge.turn(1, 1, 0, head("GET", "none"), undefined);
	bridge.turn(1, 2, 0, head("POST", "whole"), new Uint8Array([123, 125]).buffer);
	bridge.turn(1, 3, 0, head("POST", "stream"), undefined);
	bridge.turn(3, 3, 0, "", new Uint8Array([123, 125]).buffer);
	bridge.turn(4, 3, 0, "", undefined);
})();
