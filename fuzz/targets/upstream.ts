import { createServer, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Arena } from "../arena.ts";
import type { Complaint } from "../complaint.ts";
import { converse } from "../conversation.ts";
import { type UpstreamAnswer, upstreamAnswers } from "../generators/upstream-answers.ts";
import { readAnswers } from "../http-answers.ts";
import type { Target } from "../target.ts";

const ENCODERS: Record<string, (bytes: Buffer) => Buffer> = {
	gzip: gzipSync,
	deflate: deflateSync,
	br: (bytes) => brotliCompressSync(bytes, { params: { 1: 4 } }),
	zstd: zstdCompressSync,
};
/** No server sends more on one connection: what is large is to be so once it is decoded. */
const MOST_SENT = 4 * 2 ** 20;
const CHUNK = 60_000;
/** A server that is not read from keeps its connection for so long. */
const HOLD_MS = 1500;

/** Servers that functions fetch from. */
export const upstream: Target<UpstreamAnswer> = {
	name: "upstream",
	cases: upstreamAnswers,
	attempt: (arena, input) => arena.judge(() => play(arena, input), { attackers: "fetcher", ownSandbox: false }),
};

async function play(arena: Arena, input: UpstreamAnswer): Promise<Complaint[]> {
	const bytes = rendered(input);
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => undefined); // A close follows.
		socket.on("close", () => sockets.delete(socket));
		socket.once("data", () => send(socket, bytes, input));
		socket.setTimeout(HOLD_MS, () => socket.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as { port: number };
	const { use, method, redirect, requests } = input;
	const query = new URLSearchParams({ from: `http://127.0.0.1:${port}/`, method, redirect });
	const request = Buffer.from(`GET ${use}?${query} HTTP/1.1\r\nHost: fetcher.test\r\nConnection: close\r\n\r\n`);
	try {
		const received = await Promise.all(
			Array.from({ length: requests }, () =>
				converse(arena.port, { bytes: request, cuts: [], reads: true, ending: "wait" }),
			),
		);
		const problems = received.map((answer) => readAnswers(answer, 1).problem).filter((problem) => problem !== null);
		return problems.slice(0, 1).map((text) => ({ kind: "bad-http", text }));
	} finally {
		for (const socket of sockets) socket.destroy();
		server.close();
	}
}

function send(socket: Socket, bytes: Buffer, { cuts, framing }: UpstreamAnswer): void {
	let at = 0;
	let cut = 0;
	const write = () => {
		if (at < bytes.length && !socket.destroyed) {
			const size = cuts.length === 0 ? bytes.length : cuts[Math.min(cut++, cuts.length - 1)];
			// What is cut into small pieces is not all worth its time.
			const end = cut > 500 ? bytes.length : at + size;
			socket.write(bytes.subarray(at, end), () => setImmediate(write));
			at = end;
		} else if (framing === "close" || framing === "short") socket.end();
	};
	write();
}

/** All that a server sends. */
function rendered({ head, codings, size, framing, tail }: UpstreamAnswer): Buffer {
	let body: Buffer = Buffer.alloc(codings.length === 0 ? Math.min(size, MOST_SENT) : size);
	for (const { name, members } of codings) {
		const member = ENCODERS[name](body);
		const most = Math.min(members, Math.floor(MOST_SENT / member.length));
		body = Buffer.concat(new Array<Buffer>(Math.max(most, members === 0 ? 0 : 1)).fill(member)).subarray(0, MOST_SENT);
	}
	const coded = codings.length === 0 ? "" : `Content-Encoding: ${codings.map(({ name }) => name).join(", ")}\r\n`;
	const framed: Record<UpstreamAnswer["framing"], string> = {
		length: `Content-Length: ${body.length}\r\n`,
		chunked: "Transfer-Encoding: chunked\r\n",
		close: "Connection: close\r\n",
		short: `Content-Length: ${body.length + 10}\r\n`,
		long: `Content-Length: ${Math.max(0, body.length - 10)}\r\n`,
	};
	const parts: Buffer[] = [Buffer.from(`${head}${coded}${framed[framing]}\r\n`, "latin1")];
	if (framing === "chunked") {
		for (let at = 0; at < body.length; at += CHUNK) {
			const chunk = body.subarray(at, at + CHUNK);
			parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
		}
		parts.push(Buffer.from("0\r\n\r\n"));
	} else parts.push(body);
	return Buffer.concat([...parts, Buffer.from(tail, "latin1")]);
}
