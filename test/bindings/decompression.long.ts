import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, constants as zlib, zstdCompressSync } from "node:zlib";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const TEXT = "an honest answer, ".repeat(20_000);
const ZEROS = Buffer.alloc(64_000_000);

/** A frame of zstd that asks for a window of 128 MB, and its first block. */
const WIDE_WINDOW = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00]);
/** A frame of zstd that is to be skipped, with 1,000 bytes in it. */
const SKIPPED = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0xe8, 0x03, 0, 0]), Buffer.alloc(1000)]);

/** What a path answers with: its content coding, what is sent once, and what then without end. */
const ANSWERS: Record<string, { coding: string; once: Buffer; endless?: Buffer }> = {
	"/gzip": { coding: "gzip", once: gzipSync(TEXT) },
	"/x-gzip": { coding: "X-GZip", once: gzipSync(TEXT) },
	"/members": { coding: "gzip", once: Buffer.concat([gzipSync(TEXT.slice(0, 9)), gzipSync(TEXT.slice(9))]) },
	"/deflate": { coding: "deflate", once: deflateSync(TEXT) },
	"/br": { coding: "br", once: brotliCompressSync(TEXT) },
	"/zstd": { coding: "zstd", once: zstdCompressSync(TEXT) },
	"/empty": { coding: "gzip", once: Buffer.alloc(0) },
	"/identity": { coding: ", identity,, gzip, ", once: gzipSync(TEXT) },
	"/unknown": { coding: "sdch", once: Buffer.from(TEXT) },
	"/garbage": { coding: "br", once: brotliCompressSync(TEXT), endless: Buffer.alloc(10_000) },
	"/truncated": { coding: "gzip", once: gzipSync(TEXT).subarray(0, -10) },
	"/no-gzip": { coding: "gzip", once: Buffer.from(TEXT) },
	"/gzip-twice": { coding: "gzip, gzip", once: gzipSync(gzipSync(TEXT)) },
	"/zstd-twice": { coding: "zstd, zstd", once: zstdCompressSync(zstdCompressSync(SKIPPED)) },
	"/often": { coding: "br,".repeat(1000), once: Buffer.from(TEXT) },
	"/wide": { coding: "zstd", once: WIDE_WINDOW },
	"/skipped": { coding: "zstd", once: SKIPPED, endless: SKIPPED },
	"/empty-members": { coding: "gzip", once: gzipSync(""), endless: Buffer.concat(Array(500).fill(gzipSync(""))) },
	"/gzip-bomb": { coding: "gzip", once: gzipSync(ZEROS) },
	"/br-bomb": {
		coding: "br",
		once: brotliCompressSync(ZEROS, { params: { [zlib.BROTLI_PARAM_QUALITY]: 4, [zlib.BROTLI_PARAM_LGWIN]: 24 } }),
	},
	"/zstd-bomb": { coding: "zstd", once: zstdCompressSync(ZEROS) },
};

let moved: Socket;

function answer(socket: Socket, path: string): void {
	if (path === "/moved") {
		moved = socket;
		socket.write("HTTP/1.1 302 Found\r\nlocation: /gzip\r\ncontent-encoding: gzip\r\n\r\n");
		socket.write(gzipSync("moved"));
		return;
	}
	const { coding, once, endless } = ANSWERS[path];
	const length = endless === undefined ? `content-length: ${once.length}\r\n` : "";
	socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\n${length}\r\n`);
	socket.write(once);
	if (endless === undefined) return;
	const more = () => {
		while (!socket.destroyed && socket.write(endless));
		socket.once("drain", more);
	};
	more();
}

const sockets = new Set<Socket>();
const server = createServer((socket) => {
	sockets.add(socket);
	socket.on("error", () => undefined);
	socket.on("close", () => sockets.delete(socket));
	socket.on("data", (data) => answer(socket, String(data).split(" ")[1]));
});
const atoll = new TestRuntime({
	isolation: "inline",
	egress: { allow: ["127.0.0.2"] },
	limits: { cpuMs: 10_000, subrequestBodyBytes: 20_000_000 },
});
let origin: string;

interface Fetched {
	bytes?: number;
	/** The first and the last letter. */
	ends?: string;
	coding?: string | null;
	error?: string;
}

async function fetched(path: string): Promise<Fetched> {
	return JSON.parse(await atoll.text("reads", `/?${origin}${path}`)) as Fetched;
}

before(async () => {
	server.listen(0, "127.0.0.2");
	await once(server, "listening");
	origin = `http://127.0.0.2:${(server.address() as AddressInfo).port}`;
	await atoll.deploy(
		"reads",
		`export default { async fetch(request) {
			try {
				const response = await fetch(new URL(request.url).search.slice(1));
				let bytes = 0, first, last;
				for await (const piece of response.body) { bytes += piece.length; first ??= piece[0]; last = piece.at(-1); }
				const ends = String.fromCharCode(first, last);
				return Response.json({ bytes, ends, coding: response.headers.get("content-encoding") });
			} catch (error) { return Response.json({ error: error.message }); }
		} };`,
	);
	await atoll.deploy(
		"stops",
		`export default { async fetch(request) {
			const { body } = await fetch(new URL(request.url).search.slice(1));
			const reader = body.getReader();
			const { value } = await reader.read();
			for (let i = 0; i < 20; i++) await (await fetch("http://neighbour.test/")).text();
			return new Response(String(value.length));
		} };`,
	);
	await atoll.deploy("neighbour", `export default { fetch: () => new Response("neighbour") };`);
});
after(() => {
	for (const socket of sockets) socket.destroy();
	server.close();
});

for (const path of ["/gzip", "/x-gzip", "/members", "/deflate", "/br", "/zstd", "/identity", "/garbage"]) {
	test(`a body in ${path.slice(1)} comes decompressed, outside of the edge`, async () => {
		const before = atoll.runtime.stats().decompressions;
		assert.deepEqual(await fetched(path), { bytes: TEXT.length, ends: "a ", coding: null });
		assert.ok(atoll.runtime.stats().decompressions > before);
		await until(() => sockets.size <= 1); // The one that is kept alive.
	});
}

test("a body of no bytes is empty in any coding", async () => {
	assert.equal((await fetched("/empty")).bytes, 0);
});

test("a body in a coding that is not known comes as it is", async () => {
	assert.deepEqual(await fetched("/unknown"), { bytes: TEXT.length, ends: "a ", coding: "sdch" });
});

const REFUSED: Record<string, RegExp> = {
	"/truncated": /broke off: unexpected end of file/,
	"/no-gzip": /broke off: incorrect header check/,
	"/gzip-twice": /more than one content encoding/,
	"/zstd-twice": /more than one content encoding/,
	"/often": /more than one content encoding/,
	"/wide": /broke off: .*memory/,
	"/skipped": /broke off: \d+ bytes decompress to nothing/,
	"/empty-members": /broke off: \d+ bytes decompress to nothing/,
	"/gzip-bomb": /sent more than 20000000 bytes/,
	"/br-bomb": /sent more than 20000000 bytes/,
	"/zstd-bomb": /sent more than 20000000 bytes/,
};
for (const [path, error] of Object.entries(REFUSED)) {
	test(`a body from ${path} is not read on, and costs no neighbour`, async () => {
		const attacks = Promise.all(Array.from({ length: 3 }, () => fetched(path)));
		assert.equal(await atoll.text("neighbour"), "neighbour");
		for (const { error: message } of await attacks) assert.match(message ?? "", error);
		await until(() => sockets.size <= 3);
	});
}

test("nothing is decompressed ahead of who reads it but a window", async () => {
	const before = atoll.runtime.stats().decompressions;
	const bytes = Number(await atoll.text("stops", `/?${origin}/gzip-bomb`));
	assert.ok(bytes > 0);
	const steps = atoll.runtime.stats().decompressions - before;
	assert.ok(steps < 20, `${steps} steps`);
});

test("a compressed body that nobody reads ends its connection", async () => {
	assert.equal((await fetched("/moved")).bytes, TEXT.length);
	await until(() => moved.destroyed);
});
