/** Servers and clients of `node:http`. */
import { handleAsNodeRequest, httpServerHandler } from "cloudflare:node";
import { connect } from "cloudflare:sockets";
import http, { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
	response.setHeader("x-path", request.url).writeHead(200, "fine", { "x-many": ["a", "b"] });
	request.on("data", (chunk: Uint8Array) => response.write(chunk)).on("end", () => response.end());
});
server.listen(8080, () => console.log(server.address()?.port));

export function ask(): void {
	const asked = https.request("https://a.test/", { method: "POST", headers: { a: 1 } }, (response) => {
		console.log(response.statusCode, response.headers["content-type"], response.headersDistinct.a?.[0]);
		response.pipe(asked);
	});
	asked.setTimeout(5, () => asked.destroy()).end("body");
	http.get({ host: "a.test", port: 80 }, (response) => response.resume());
}
export async function talk(): Promise<string> {
	const socket = connect({ hostname: "db.test", port: 5432 }, { secureTransport: "starttls" });
	await socket.writable.getWriter().write(new Uint8Array(1));
	return new Response(socket.startTls().readable).text();
}
export const other = (request: Request): Promise<Response> => handleAsNodeRequest(8080, request);
export default httpServerHandler({ port: 8080 });
