import type { Arena } from "../arena.ts";
import type { Complaint } from "../complaint.ts";
import { converse } from "../conversation.ts";
import { programs } from "../generators/programs.ts";
import { readAnswers } from "../http-answers.ts";
import type { Target } from "../target.ts";

/** What one program is asked: often enough for an isolate that has been changed to be asked again. */
const PIPELINE = [
	"GET / HTTP/1.1",
	"POST /posted HTTP/1.1\r\nContent-Length: 4",
	"GET /last HTTP/1.1\r\nConnection: close",
];
const UPGRADE = [
	"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
].join("\r\n");
const LIMITS = { cpuMs: 100, wallMs: 400, memoryMb: 32 };

let programsTried = 0;

/** Functions that were written to get between the platform and JavaScript. */
export const prelude: Target<string> = {
	name: "prelude",
	cases: programs,
	async attempt(arena, source) {
		const name = `attacker${programsTried++}`;
		const terms = { attackers: "attacker", ownSandbox: false };
		return arena.judge(async () => {
			await arena.order({ deploy: { name, source }, limits: LIMITS });
			const complaints = await Promise.all([ask(arena, name, PIPELINE), ask(arena, name, [UPGRADE])]);
			await arena.order({ remove: name });
			return complaints.flat();
		}, terms);
	},
};

async function ask(arena: Arena, name: string, heads: string[]): Promise<Complaint[]> {
	const text = heads
		.map((head) => `${head}\r\nHost: ${name}.test\r\n\r\n${head.startsWith("POST") ? "body" : ""}`)
		.join("");
	const bytes = await converse(arena.port, { bytes: Buffer.from(text), cuts: [], reads: true, ending: "wait" });
	const { problem } = readAnswers(bytes, heads.length);
	return problem === null ? [] : [{ kind: "bad-http", text: problem }];
}
