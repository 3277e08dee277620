import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import fc from "fast-check";
import type { Arena } from "../arena.ts";
import type { Complaint } from "../complaint.ts";
import { converse } from "../conversation.ts";
import type { HostileFrame } from "../generators/hostile-frame.ts";
import { linkFrames } from "../generators/link-frames.ts";
import { mostly } from "../generators/wire.ts";
import { readAnswers } from "../http-answers.ts";
import { TAKEN } from "../link-tap.ts";
import type { Target } from "../target.ts";

/** What somebody says who has got out of V8, while a request waits for its answer. */
interface Speech {
	frames: HostileFrame[];
	piece: number;
	/** Whether the request asks for a WebSocket. */
	upgrade: boolean;
	reads: boolean;
}

const speeches: fc.Arbitrary<Speech> = fc.record({
	frames: linkFrames,
	piece: mostly(fc.constant(65_536), fc.constantFrom(1, 3, 21, 1000)),
	upgrade: mostly(fc.constant(false), fc.constant(true)),
	reads: mostly(fc.constant(true), fc.constant(false)),
});

/** Once it is ready it answers nothing: whoever has taken its sandbox over does. */
const SOURCE = `export default {
	fetch: ({ url }) => (url.endsWith("/ready") ? new Response("ready") : new Promise(() => {})),
};`;
const LIMITS = { cpuMs: 1000, wallMs: 1000 };

let taken = 0;

/** The link between the edge and a sandbox. */
export const link: Target<Speech> = {
	name: "link",
	cases: speeches,
	async attempt(arena, speech) {
		const name = `${TAKEN}${taken++}`;
		return arena.judge(() => play(arena, name, speech), { attackers: TAKEN, ownSandbox: true });
	},
};

async function play(arena: Arena, name: string, { frames, piece, upgrade, reads }: Speech): Promise<Complaint[]> {
	const hostname = `${name}.test`;
	await arena.order({ deploy: { name, source: SOURCE }, limits: LIMITS });
	await ready(arena.port, hostname);
	await arena.order({ takeOver: { hostname, frames, piece } });
	const socket = "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
	const head = `GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: ${upgrade ? `Upgrade\r\n${socket}` : "keep-alive\r\n"}\r\n`;
	const bytes = await converse(arena.port, { bytes: Buffer.from(head), cuts: [], reads, ending: "wait" });
	await arena.order({ takeOver: null });
	await arena.order({ remove: name });
	const { problem } = readAnswers(bytes, 1);
	return problem === null ? [] : [{ kind: "bad-http", text: problem }];
}

/** Waits until a function has its sandbox, which may have to start first. */
async function ready(port: number, hostname: string): Promise<void> {
	const asked = request({ port, host: "127.0.0.1", path: "/ready", headers: { host: hostname }, agent: false }).end();
	const [response] = (await once(asked, "response")) as [IncomingMessage];
	await once(response.resume(), "end");
}
