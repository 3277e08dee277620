/** node:http and nothing else: what a request costs before atoll does anything. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((_req, res) => {
	res.writeHead(200, { "content-type": "text/plain;charset=UTF-8", "content-length": 14 });
	res.end("Hello, world!\n");
});
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.on("disconnect", () => process.exit(0));
