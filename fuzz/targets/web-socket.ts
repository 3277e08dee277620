import type { Arena } from "../arena.ts";
import type { Complaint } from "../complaint.ts";
import { converse } from "../conversation.ts";
import { renderFrames, type SocketClient, socketClients } from "../generators/web-socket-frames.ts";
import { readAnswers } from "../http-answers.ts";
import type { Target } from "../target.ts";
import { frameProblem } from "../web-socket-answers.ts";

/** Clients that have opened a WebSocket, and what they say then. */
export const webSocket: Target<SocketClient> = {
	name: "web-socket",
	cases: socketClients,
	attempt: (arena, input) => arena.judge(() => play(arena, input), { attackers: "stage", ownSandbox: false }),
};

async function play(
	arena: Arena,
	{ connections, path, protocol, frames, cuts, reads, ending }: SocketClient,
): Promise<Complaint[]> {
	const handshake = [
		`GET ${path} HTTP/1.1\r\nHost: stage.test\r\nConnection: Upgrade\r\nUpgrade: websocket`,
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
		...(protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
		"\r\n",
	].join("\r\n");
	const bytes = Buffer.concat([Buffer.from(handshake), renderFrames(frames)]);
	const received = await Promise.all(
		Array.from({ length: connections }, () => converse(arena.port, { bytes, cuts, reads, ending })),
	);
	const problems = received.map(problemOf).filter((problem) => problem !== null);
	return problems.slice(0, 1);
}

function problemOf(bytes: Buffer): Complaint | null {
	const { answers, problem, rest } = readAnswers(bytes, 1);
	if (problem !== null) return { kind: "bad-http", text: problem };
	if (answers[0]?.status !== 101) return null;
	const wrong = frameProblem(rest);
	return wrong === null ? null : { kind: "bad-websocket", text: wrong };
}
