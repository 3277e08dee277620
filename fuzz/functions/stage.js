/** What clients that are fuzzed talk to: the path says how it answers. */
const filled = (size) => new Uint8Array(Math.min(size, 4 * 2 ** 20)).fill(97);

function stream(pieces, size) {
	return new ReadableStream({
		pull(controller) {
			if (pieces-- > 0) controller.enqueue(filled(size));
			else controller.close();
		},
	});
}

function socket([, , how, count, size], protocol) {
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.addEventListener("message", ({ data }) => {
		if (how === "echo") server.send(data);
		if (how === "close") server.close(Number(count), "as asked");
		if (how === "throw") throw new Error(data);
	});
	if (how === "flood") for (let i = 0; i < Number(count); i++) server.send(filled(Number(size)));
	const headers = protocol === null ? {} : { "sec-websocket-protocol": protocol.split(",")[0].trim() };
	return new Response(null, { status: 101, webSocket: client, headers });
}

export default {
	async fetch(request) {
		const path = new URL(request.url).pathname.split("/");
		const [, what, first, second] = path;
		const headers = { "x-stage-method": request.method };
		switch (what) {
			case "bytes":
				return new Response(filled(Number(first)), { headers });
			case "stream":
				return new Response(stream(Number(first), Number(second)), { headers });
			case "status":
				return new Response(null, { status: Number(first), headers });
			case "length":
				return new Response(stream(1, Number(second)), { headers: { ...headers, "content-length": first } });
			case "wait":
				await new Promise((resolve) => setTimeout(resolve, Number(first)));
				return new Response("waited", { headers });
			case "throw":
				throw new Error("as asked");
			case "through":
				return new Response(request.body, { headers });
			case "unread":
				return new Response("unread", { headers });
			case "socket":
				if (request.headers.get("upgrade") === "websocket")
					return socket(path, request.headers.get("sec-websocket-protocol"));
				return new Response("no upgrade", { status: 426, headers });
			default:
				return new Response(`${request.method} ${(await request.text()).length}`, { headers });
		}
	},
};
