/** A server that does harm to whoever fetches from it, each path in its own way. Not on 127.0.0.1, where nobody else's may be reached. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { brotliCompressSync, gzipSync, constants as zlib, zstdCompressSync } from "node:zlib";

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const zeros = Buffer.alloc(99_000_000);
/** Nothing, compressed, again and again. */
const members = Buffer.concat(Array(50_000).fill(gzipSync("")));
/** A frame of zstd that is to be skipped, of so many bytes. */
function skipped(bytes: number): Buffer {
	const frame = Buffer.alloc(8 + bytes);
	frame.writeUInt32LE(0x184d2a50, 0);
	frame.writeUInt32LE(bytes, 4);
	return frame;
}
const brotli = { [zlib.BROTLI_PARAM_QUALITY]: 4, [zlib.BROTLI_PARAM_LGWIN]: 24 };

/** What is sent once, by its content coding. */
const COMPRESSED: Record<string, [coding: string, body: Buffer]> = {
	"/gzip-bomb": ["gzip", gzipSync(zeros)],
	"/brotli-bomb": ["br", brotliCompressSync(zeros, { params: brotli })],
	"/zstd-bomb": ["zstd", zstdCompressSync(zeros)],
	"/zstd-window": ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00])],
	"/gzip-gzip": ["gzip, gzip", gzipSync(members)],
	"/zstd-zstd": ["zstd, zstd", zstdCompressSync(skipped(99_000_000))],
};

/** What is sent first, and then without end. */
const ENDLESS: Record<string, [head: string, rest: string | Buffer]> = {
	"/plain": ["HTTP/1.1 200 OK\r\n\r\n", "x".repeat(65_536)],
	"/empty-members": ["HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", members],
	"/tiny-gzip": ["HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", Buffer.concat(Array(5000).fill(gzipSync("x")))],
	"/many-headers": ["", `HTTP/1.1 103 Early Hints\r\n${"a:x\r\n".repeat(3000)}\r\n`],
	"/tiny-chunks": [CHUNKED, "1\r\nx\r\n".repeat(10_000)],
	"/chunk-extension": [`${CHUNKED}1;a=`, "x".repeat(65_536)],
	"/trailers": [`${CHUNKED}0\r\n`, "a: x\r\n".repeat(10_000)],
	"/informational": ["", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)],
};

function answer(socket: Socket, path: string): void {
	if (path in COMPRESSED) {
		const [coding, body] = COMPRESSED[path];
		socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n`);
		socket.write(body);
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
