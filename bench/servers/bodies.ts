/** node:http and nothing else, which does what `bench/functions/bodies.js` does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

const piece = Buffer.alloc(1024, 97);
const server = createServer((req, res) => {
	if (req.method === "POST") req.pipe(res);
	else Readable.from(Array.from({ length: 100 }, () => piece)).pipe(res);
});
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.on("disconnect", () => process.exit(0));
