/** A server that does harm to whoever fetches from it, each path in its own way. Not on 127.0.0.1, where nobody else's may be reached. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const zeros = gzipSync(Buffer.alloc(99_000_000));

/** What is sent first, and then without end. */
const ENDLESS: Record<string, [head: string, rest: string]> = {
	"/plain": ["HTTP/1.1 200 OK\r\n\r\n", "x".repeat(65_536)],
	"/tiny-chunks": [CHUNKED, "1\r\nx\r\n".repeat(10_000)],
	"/chunk-extension": [`${CHUNKED}1;a=`, "x".repeat(65_536)],
	"/trailers": [`${CHUNKED}0\r\n`, "a: x\r\n".repeat(10_000)],
	"/informational": ["", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)],
};

function answer(socket: Socket, path: string): void {
	if (path === "/gzip-bomb") {
		socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${zeros.length}\r\n\r\n`);
		socket.write(zeros);
		return;
	}
	const [head, rest] = ENDLESS[path];
	const more = () => {
		while (!socket.destroyed && socket.write(rest));
		socket.once("drain", more);
	};
	socket.write(head);
	more();
}

const server = createServer((socket) => {
	socket.on("error", () => undefined);
	socket.on("data", (data) => answer(socket, String(data).split(" ")[1]));
});
server.listen(0, "127.0.0.2", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.on("disconnect", () => process.exit(0));
