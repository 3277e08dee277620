/**
 * What clients that do harm ask for: a large answer, a log, a WebSocket that says much or hears much, and an end
 * to what they send.
 */
const LARGE = "x".repeat(250_000);

function answer(pathname) {
	if (pathname !== "/talks" && pathname !== "/hears") return null;
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	if (pathname === "/talks") {
		const talk = () => {
			for (let i = 0; i < 8; i++) server.send(LARGE);
			setTimeout(talk, 20);
		};
		talk();
	}
	return new Response(null, { status: 101, webSocket: client });
}

export default {
	async fetch(request) {
		const { pathname } = new URL(request.url);
		if (request.headers.get("upgrade") === "websocket") return answer(pathname) ?? new Response(null, { status: 404 });
		if (pathname === "/large") return new Response(LARGE);
		if (pathname === "/log") for (let i = 0; i < 20; i++) console.log("x".repeat(10_000));
		return new Response(String((await request.text()).length));
	},
};
